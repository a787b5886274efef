/**
 * Opening a log: it is begun if it is empty, its settings are found, and what it has is applied. Before: replicated-journal. After: snapshots,
 * applier.
 */
import type { Clock } from '../../../core/model/clock.js'
import type { JournalReceiver } from '../../../durable/contract.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import { CacheError } from '../../../errors.js'
import { type Log, LogConflict, type Position } from '../log.js'
import type { Applier, Target } from './applier.js'
import { LogReader } from './log-reader.js'
import { jsonBody, readJson, readSettings, type Settings, writeSettings } from './records.js'
import type { RestoredSnapshot, Snapshots } from './snapshots.js'

const BEGIN_TRIES = 5
/** Of a log that is trimmed while it is read. */
const GAP_TRIES = 20
const AGAIN_MS = 500

/** What a log has when it is opened. */
export interface OpenedLog {
  readonly settings: Settings
  /** The newest record then. */
  readonly last: Position
}

/** @throws CacheError if it is not a log of this cache, or cannot be read. */
export async function openLog(
  log: Log,
  snapshots: Snapshots,
  node: string,
  given: Settings,
  clock: Pick<Clock, 'setTimeout'>,
): Promise<OpenedLog> {
  const { first, last } = await log.open()
  if (last === 0) await begin(log, node, given, clock)
  const settings = (await snapshots.settings()) ?? (first > 1 ? undefined : await firstSettings(log, given.name))
  if (settings === undefined) throw gone()
  return { settings, last: Math.max(last, 1) }
}

/** Appends the first record, unless another node is faster. */
async function begin(log: Log, node: string, settings: Settings, clock: Pick<Clock, 'setTimeout'>): Promise<void> {
  const body = jsonBody(writeSettings(settings))
  for (let tries = 1; ; tries++) {
    try {
      await log.append({ kind: 'begin', epoch: 0, node, body }, 0)
      return
    } catch (error) {
      if (error instanceof LogConflict) return
      if (tries === BEGIN_TRIES) throw error
      await new Promise<void>((resolve) => clock.setTimeout(resolve, AGAIN_MS))
    }
  }
}

function firstSettings(log: Log, name: string): Promise<Settings> {
  return new Promise((resolve, reject) => {
    const reader = new LogReader(log, 1, {
      take: ({ body }) => {
        queueTask(() => reader.stop())
        resolve(readSettings(readJson(body), name))
      },
      gap: () => reject(gone()),
      failed: reject,
    })
  })
}

export interface ReadingParts {
  readonly log: Log
  readonly applier: Applier
  readonly snapshots: Snapshots
  readonly receiver: JournalReceiver
  readonly clock: Pick<Clock, 'setTimeout'>
  readonly settings: Settings
  /** The last record to apply. */
  readonly last: Position
}

/** Applies the newest snapshot, which it returns, and the log behind it. */
export async function readLog(parts: ReadingParts): Promise<RestoredSnapshot | undefined> {
  const { log, applier, snapshots, receiver, clock, settings, last } = parts
  const reset = () => receiver.reset()
  let restored = await snapshots.restore(receiver, reset)
  if (restored === undefined) receiver.limits(settings)
  else applier.restore(restored.header)
  for (let tries = 1; ; tries++) {
    if ((await catchUp(log, applier, { receiver, replica: undefined }, last)) === 'whole') return restored
    // Trimmed meanwhile; or the server that was asked for the snapshot has been away, and does not know of the newest one yet.
    if (tries === GAP_TRIES) throw gone()
    await new Promise<void>((resolve) => clock.setTimeout(resolve, AGAIN_MS))
    const { pointer } = await log.snapshots.latest()
    if (pointer === undefined || pointer.position <= applier.position) continue
    receiver.reset()
    restored = await snapshots.restore(receiver, reset)
    if (restored === undefined) throw gone()
    applier.restore(restored.header)
  }
}

/** Through `last`. `'gap'`: the next record is gone. */
function catchUp(log: Log, applier: Applier, target: Target, last: Position): Promise<'whole' | 'gap'> {
  if (applier.position >= last) return Promise.resolve('whole')
  return new Promise((resolve, reject) => {
    const end = () => {
      resolve(applier.position >= last ? 'whole' : 'gap')
      reader.stop()
    }
    const reader: LogReader = new LogReader(log, applier.position + 1, {
      take: (record, at) => {
        if (at > last) return undefined
        const pending = applier.take(record, at, target)
        if (at === last)
          Promise.resolve(pending).then(
            () => queueTask(end),
            () => undefined,
          )
        return pending
      },
      gap: () => queueTask(end),
      failed: reject,
    })
  })
}

/** Of a log whose beginning is gone, without a snapshot that has it. */
export function gone(): CacheError {
  return new CacheError(
    'JOURNAL_UNREADABLE',
    'The log of the cluster has been trimmed, and no snapshot reaches as far',
    {
      consequence: 'Nothing was changed.',
      advice: 'Begin a new log, and load a saved file there.',
    },
  )
}
