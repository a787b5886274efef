/**
 * Opening a log: it is begun if it is empty, its settings are found, and what it has is applied. Before: replicated-journal. After: snapshots,
 * applier.
 */
import type { Clock } from '../../../core/model/clock.js'
import type { JournalReceiver } from '../../../durable/contract.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import { CacheError, CorruptionError } from '../../../errors.js'
import { type Log, LogConflict, type Position } from '../log.js'
import type { Applier, Target } from './applier.js'
import { LogReader } from './log-reader.js'
import { patiently, pause } from './patience.js'
import { jsonBody, readRecordJson, readSettings, type Settings, writeSettings } from './records.js'
import { sealed } from './sealed-record.js'
import type { RestoredSnapshot, Snapshots } from './snapshots.js'

/** Of a log that is trimmed while it is opened. */
const GAP_TRIES = 20

/** What a log has when it is opened. */
export interface OpenedLog {
  readonly settings: Settings
  /** The newest record then. */
  readonly last: Position
}

/** @throws CacheError if it is not a log of this cache, is damaged, or cannot be read. */
export async function openLog(
  log: Log,
  snapshots: Snapshots,
  node: string,
  given: Settings,
  clock: Pick<Clock, 'setTimeout'>,
): Promise<OpenedLog> {
  const { last } = await patiently(clock, () => log.open())
  if (last === 0) await patiently(clock, () => begin(log, node, given))
  for (let tries = 1; ; tries++) {
    const settings = await patiently(clock, async () => (await snapshots.settings()) ?? firstSettings(log, given.name))
    if (settings !== undefined) return { settings, last: Math.max(last, 1) }
    // Trimmed meanwhile; or the server that was asked for the snapshot has been away, and does not know of it yet.
    if (tries === GAP_TRIES) throw gone()
    await pause(clock)
  }
}

/** Appends the first record, unless another node is faster. */
async function begin(log: Log, node: string, settings: Settings): Promise<void> {
  try {
    await log.append(sealed({ kind: 'begin', epoch: 0, node, body: jsonBody(writeSettings(settings)) }), 0)
  } catch (error) {
    if (!(error instanceof LogConflict)) throw error
  }
}

/** Undefined if the first record is gone. */
function firstSettings(log: Log, name: string): Promise<Settings | undefined> {
  return new Promise((resolve, reject) => {
    const reader = new LogReader(log, 1, {
      take: ({ body }) => {
        queueTask(() => reader.stop())
        resolve(readSettings(readRecordJson(body, 1), name))
      },
      gap: () => resolve(undefined),
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
  const restore = () => patiently(clock, () => snapshots.restore(receiver, () => receiver.reset()))
  let restored = await restore()
  if (restored === undefined) receiver.limits(settings)
  else applier.restore(restored.header)
  let damagedAt: Position | undefined
  for (let tries = 1; ; tries++) {
    try {
      const reached = await patiently(clock, () => catchUp(log, applier, { receiver, replica: undefined }, last))
      if (reached === 'whole') return restored
    } catch (error) {
      if (!(error instanceof CorruptionError) || damagedAt === applier.position) throw error
      damagedAt = applier.position // an object may be gone because its record was trimmed meanwhile
    }
    // Trimmed meanwhile; or the server that was asked for the snapshot has been away, and does not know of the newest one yet.
    if (tries === GAP_TRIES) throw gone()
    await pause(clock)
    const { pointer } = await patiently(clock, () => log.snapshots.latest())
    if (pointer === undefined || pointer.position <= applier.position) continue
    receiver.reset()
    restored = await restore()
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
