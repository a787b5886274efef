/** Looking back from the command line: a journal's past, without its lock, while it may be in use. */
import { InvalidArgumentError } from 'commander'
import { checkWhen, type When } from '../../cache/history/when.js'
import { sequenceAfter } from '../../core/model/sequence.js'
import { readHeaderOf } from '../../durable/format/file-header.js'
import type { JournalFiles } from '../../durable/format/journal-files.js'
import type { Place } from '../../durable/history/locate.js'
import { Past } from '../../durable/history/past.js'
import { readChain } from '../../durable/history/read-chain.js'
import { startAfter } from '../../durable/history/replay.js'
import { disk } from '../../durable/storage/disk.js'
import type { CorruptionError } from '../../errors.js'
import { planOpening, readJournal } from './journal-directory.js'
import { parseDuration } from './options.js'

export const TIMES_HELP = `
A TIME is 10m (ago; also 30s, 2h, 7d), an ISO time (2026-11-26T14:02, in local time; or with Z), or @SEQUENCE: right
after that event. "daybook stats" shows how far back the journal reaches.`

export const FILES_HELP = `
Reads the files, without the lock, also beside a process that has the cache open, and finds what that one has written. What
processes that share a cache (openShared) have been answered is always among that.`

const ISO = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/

/** A TIME as the user gives it. */
export function parseTime(text: string): When {
  const when = timeOf(text)
  try {
    checkWhen(when, 0, 'It')
  } catch {
    throw new InvalidArgumentError('It must be like 10m (ago), 2026-11-26T14:02 or @123 (a sequence number).')
  }
  return when as When
}

function timeOf(text: string): unknown {
  if (/^@\d+$/.test(text)) return { sequence: Number(text.slice(1)) }
  return ISO.test(text) ? new Date(text.replace(' ', 'T')) : { ago: parseDuration(text) }
}

/** The past of a directory, and what its present is. */
export class DirectoryPast {
  readonly past: Past
  readonly now: Place
  readonly #damage: CorruptionError | undefined

  private constructor(past: Past, now: Place, damage: CorruptionError | undefined) {
    this.past = past
    this.now = now
    this.#damage = damage
  }

  static async open(directory: string, files: JournalFiles): Promise<DirectoryPast> {
    const timeMs = Date.now()
    const plan = planOpening(files, directory)
    const start = startAfter(plan.snapshot && (await readHeaderOf(disk, plan.snapshot, 'snapshot')))
    const { end, verdict } = await readChain(disk, directory, plan, start, () => undefined)
    const now = { sequence: sequenceAfter(end.nextSequence, -1), timeMs }
    return new DirectoryPast(new Past(disk, directory), now, verdict.verdict === 'corrupt' ? verdict.error : undefined)
  }

  /**
   * Without a time: now.
   * @throws CorruptionError if the journal is damaged before that.
   */
  async locate(when: When | undefined): Promise<Place> {
    const moment = when === undefined ? this.now : checkWhen(when, this.now.timeMs)
    const isBeforeDamage = 'sequence' in moment && moment !== this.now && moment.sequence <= this.now.sequence
    if (this.#damage !== undefined && !isBeforeDamage) throw this.#damage
    return this.past.locate(moment, this.now)
  }
}

/**
 * Looks back in a directory that may be in use. `look` is called again if a compaction removes what it has located before it has read it.
 * @throws Error if there is no journal.
 */
export async function lookBack<T>(directory: string, look: (source: DirectoryPast) => Promise<T>): Promise<T> {
  const { result } = await readJournal(directory, async (files) => ({
    result: await look(await DirectoryPast.open(directory, files)),
    trouble: undefined,
  }))
  return result
}
