/**
 * Sessions for a journal, a receiver that records what recovery delivers, and one event of each kind.
 */

import { Counters } from '../../core/model/counters.js'
import type { CacheEvent } from '../../core/model/event.js'
import type { Extension } from '../../core/model/extension.js'
import { type Limits, NEW_LIMITS } from '../../core/model/limits.js'
import type { Note } from '../../core/model/note.js'
import { EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import type { JournalReceiver, JournalSession, ReceivedRows, Replica } from '../../durable/contract.js'
import { ManualClock } from '../manual-clock.js'

export interface Row {
  key: string
  value: StoredValue
  expiresAtMs: number
  extension?: Extension
}

function rowOf(key: string, value: StoredValue, expiresAtMs: number, extension?: Extension): Row {
  return extension === undefined ? { key, value, expiresAtMs } : { key, value, expiresAtMs, extension }
}

class RecordedRows implements ReceivedRows {
  readonly rows: Row[] = []
  readonly counters = new Counters()
  add(...row: Parameters<typeof rowOf>): void {
    this.rows.push(rowOf(...row))
  }
}

/** Records what recovery delivers. */
export class RecordingReceiver implements JournalReceiver {
  readonly snapshotRows: Row[] = []
  readonly loaded: { event: CacheEvent; rows: Row[]; counters: Counters }[] = []
  readonly events: CacheEvent[] = []
  readonly restored = new Counters()
  limited: Limits | undefined
  readonly notes: Note[] = []
  /** The last order of use, and after how many events it came. */
  written: { order: number[]; after: number } | undefined
  /** In version 1. */
  keys: string[] | undefined
  readonly progressed: [number, number][] = []

  row(...row: Parameters<typeof rowOf>): boolean {
    this.snapshotRows.push(rowOf(...row))
    return true
  }
  readonly set = (...row: Parameters<typeof rowOf>): void => {
    this.events.push({ type: 'set', ...rowOf(...row) })
  }
  event(event: CacheEvent, rows?: ReceivedRows): void {
    this.events.push(event)
    if (rows instanceof RecordedRows) this.loaded.push({ event, rows: rows.rows, counters: rows.counters })
  }
  loadedRows(): ReceivedRows {
    return new RecordedRows()
  }
  counters(counters: Readonly<Counters>): void {
    this.restored.copyFrom(counters)
  }
  noted(note: Note): void {
    this.notes.push(note)
  }

  limits(limits: Limits): void {
    this.limited = { ...limits }
  }
  order(bytes: Uint8Array): void {
    this.written = { order: [...bytes], after: this.events.length }
  }
  reset(): void {
    for (const list of [this.snapshotRows, this.loaded, this.events]) list.length = 0
    this.restored.copyFrom(new Counters())
    this.written = undefined
  }
  recency(keys: Iterable<string>): void {
    this.keys = [...keys]
  }
  progress(doneBytes: number, totalBytes: number): void {
    this.progressed.push([doneBytes, totalBytes])
  }
}

export interface RecordingSession extends JournalSession {
  receiver: RecordingReceiver
  clock: ManualClock
}

function fail(): never {
  throw new Error('A journal without other writers has no use for a replica')
}

/** Of a cache whose journal has no other writers. */
export const NO_REPLICA: Replica = { follow: fail, commit: fail, revert: fail, freeze: fail, reset: fail }

export function session(options: Partial<RecordingSession> = {}): RecordingSession {
  return {
    fsync: 'everysec',
    clock: new ManualClock(),
    compaction: false,
    counters: new Counters(),
    limits: NEW_LIMITS,
    receiver: new RecordingReceiver(),
    replica: NO_REPLICA,
    ...options,
  }
}

export const set = (key: string, value: StoredValue, expiresAtMs = Number.POSITIVE_INFINITY): CacheEvent => ({
  type: 'set',
  key,
  value,
  expiresAtMs,
})

/** One of each kind. A `loaded` event names a file, so it is not among them. */
export const EVENTS: readonly CacheEvent[] = [
  set('number', 1.5),
  set('text', 'gr\u00fc\u00dfe \ud83d\udc4b \ud800', 1_700_000_000_000),
  set('bytes', new EncodedValue('bytes', Uint8Array.of(0, 255, 10))),
  { type: 'deleted', key: 'number' },
  { type: 'rescheduled', key: 'text', expiresAtMs: 1_800_000_000_000.5 },
  { type: 'rescheduled', key: 'text', expiresAtMs: Number.POSITIVE_INFINITY },
  { type: 'expired', key: '' },
  { type: 'evicted', key: '__proto__' },
  { type: 'cleared' },
  { type: 'limited', maxSize: 2 ** 53 - 1, maxBytes: Number.POSITIVE_INFINITY },
  { type: 'limited', maxSize: Number.POSITIVE_INFINITY, maxBytes: 1 },
  set('after', null),
  {
    type: 'set',
    key: 'extended',
    value: 1,
    expiresAtMs: 1_700_000_000_002,
    extension: { freshUntilMs: 1_700_000_000_001, tags: ['', 'gr\u00fc\u00dfe', '\ud800', 'x'.repeat(300)] },
  },
  {
    type: 'set',
    key: 'for ever stale',
    value: 1,
    expiresAtMs: Number.POSITIVE_INFINITY,
    extension: { freshUntilMs: -0.5, tags: [] },
  },
  {
    type: 'set',
    key: 'tagged',
    value: 1,
    expiresAtMs: Number.POSITIVE_INFINITY,
    extension: { freshUntilMs: Number.POSITIVE_INFINITY, tags: ['a', 'b'] },
  },
  { type: 'rescheduled', key: 'extended', expiresAtMs: 1_700_000_000_004, freshUntilMs: 1_700_000_000_003 },
]
