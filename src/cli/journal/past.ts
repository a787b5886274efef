/** Looking back from the command line: a journal's past, without its lock, while it may be in use. */
import { InvalidArgumentError } from 'commander'
import { checkWhen, type When } from '../../cache/history/when.js'
import type { Place } from '../../durable/history/locate.js'
import { Past } from '../../durable/history/past.js'
import { disk } from '../../durable/storage/disk.js'
import { listJournal } from './journal-directory.js'
import { parseDuration } from './options.js'

export const TIMES_HELP = `
A TIME is 10m (ago; also 30s, 2h, 7d), an ISO time (2026-11-26T14:02, in local time; or with Z), or @SEQUENCE: right
after that event. "daybook stats" shows how far back the journal reaches.`

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

  private constructor(past: Past, now: Place) {
    this.past = past
    this.now = now
  }

  /** @throws Error if there is no journal. */
  static async open(directory: string): Promise<DirectoryPast> {
    await listJournal(directory)
    const past = new Past(disk, directory)
    return new DirectoryPast(past, await past.end(Date.now()))
  }

  /** Without a time: now. */
  locate(when: When | undefined): Promise<Place> {
    return when === undefined ? Promise.resolve(this.now) : this.past.locate(checkWhen(when, this.now.timeMs), this.now)
  }
}
