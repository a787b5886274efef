/**
 * What a cache asks of a journal, as cases that know no test runner. Every implementation passes all of them.
 */
import assert from 'node:assert/strict'
import { Counters } from '../../src/core/model/counters.js'
import type { CacheEvent } from '../../src/core/model/event.js'
import type { Extension } from '../../src/core/model/extension.js'
import { type Limits, NEW_LIMITS } from '../../src/core/model/limits.js'
import { type Answer, DONE, type Note } from '../../src/core/model/note.js'
import { EncodedValue, type StoredValue } from '../../src/core/model/stored-value.js'
import type {
  CompactionRequest,
  Journal,
  JournalReceiver,
  JournalSession,
  ReceivedRows,
  RecoveryReport,
  Replica,
  SnapshotSource,
} from '../../src/durable/contract.js'
import { ManualClock } from '../../src/testing.js'
import { assertLike } from './assert-like.js'
import type { Case } from './case.js'

/** A journal over the same content at each call: a new object, or the same one. */
export type JournalMaker = () => Journal

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

/** Of a cache whose journal has no other writers. */
export const NO_REPLICA: Replica = {
  follow: () => assert.fail(),
  commit: () => assert.fail(),
  revert: () => assert.fail(),
  freeze: () => assert.fail(),
  reset: () => assert.fail(),
}

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

function rowsOf(rows: [string, StoredValue][], counters = new Counters()): SnapshotSource {
  let at = 0
  return {
    count: rows.length,
    counters,
    read: () => {
      const row = rows[at++]
      return row && { key: row[0], value: row[1], expiresAtMs: Number.POSITIVE_INFINITY }
    },
    release: () => undefined,
  }
}

function compaction(rows: [string, StoredValue][], counters?: Counters): CompactionRequest {
  return { freeze: () => rowsOf(rows, counters), progress: () => undefined, signal: new AbortController().signal }
}

const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

async function reopen(make: JournalMaker): Promise<{ receiver: RecordingReceiver; report: RecoveryReport }> {
  const receiver = new RecordingReceiver()
  const journal = make()
  const report = await journal.open(session({ receiver }))
  await journal.close()
  return { receiver, report }
}

export const JOURNAL_CASES: readonly Case<JournalMaker>[] = [
  {
    name: 'a new journal is empty and clean',
    async run(make) {
      const journal = make()
      const receiver = new RecordingReceiver()
      const report = await journal.open(session({ receiver }))
      assertLike(report, { sequence: 0, events: 0, frames: 0, snapshot: undefined, clean: true, setAside: undefined })
      assert.deepEqual(receiver.events, [])
      assertLike(journal.figures(), { sequence: 0, durableSequence: 0, pendingBytes: 0, snapshotSequence: 0 })
      assert.equal(journal.health.status, 'writable')
      await journal.close()
    },
  },

  {
    name: 'every kind of event is replayed as it was appended, in order',
    async run(make) {
      const journal = make()
      await journal.open(session())
      for (const event of EVENTS) journal.append([event])
      await journal.close()
      const { receiver, report } = await reopen(make)
      assert.deepEqual(receiver.events, EVENTS)
      assertLike(report, { sequence: EVENTS.length, events: EVENTS.length, clean: true })
    },
  },

  {
    name: 'sequence numbers have no gaps: append returns the first of its own',
    async run(make) {
      const journal = make()
      await journal.open(session())
      assert.equal(journal.append([set('a', 1)]), 1)
      assert.equal(journal.append([set('a', 2), set('b', 2), set('c', 2)]), 2)
      assert.equal(journal.append([set('a', 3)]), 5)
      assert.equal(journal.figures().sequence, 5)
      await journal.close()
      const again = make()
      assert.equal((await again.open(session())).sequence, 5)
      assert.equal(again.append([set('a', 4)]), 6)
      await again.close()
    },
  },

  {
    name: 'an append that cannot be encoded leaves no trace',
    async run(make) {
      const journal = make()
      await journal.open(session())
      journal.append([set('a', 1)])
      const hostile = set('x', new EncodedValue('bytes', undefined as never))
      assert.throws(() => journal.append([set('b', 1), hostile]))
      assert.equal(journal.append([set('c', 1)]), 2)
      await journal.close()
      const { receiver } = await reopen(make)
      assert.deepEqual(receiver.events, [set('a', 1), set('c', 1)])
    },
  },

  {
    name: 'appendSet, if there is one, does what append does with one event',
    async run(make) {
      const journal = make()
      await journal.open(session())
      if (journal.appendSet === undefined) return journal.close()
      const sets = EVENTS.filter((event) => event.type === 'set').filter(({ extension }) => extension === undefined)
      sets.forEach(({ key, value, expiresAtMs }, at) => {
        assert.equal(journal.appendSet?.(key, value, expiresAtMs), 2 * at + 1)
        assert.equal(journal.append([{ type: 'deleted', key }]), 2 * at + 2)
      })
      const end = 2 * sets.length
      assert.equal(journal.figures().sequence, end)
      assert.throws(() => journal.appendSet?.('x', new EncodedValue('bytes', undefined as never), 1))
      const tooLarge = new EncodedValue('bytes', new Uint8Array(257 * 1024 * 1024))
      assert.throws(() => journal.appendSet?.('x', tooLarge, 1), RangeError)
      assert.equal(journal.appendSet('last', 1, 5), end + 1)
      assert.equal(journal.appendSet('in its place', 'x', 5, 'last'), end + 2)
      assert.equal(journal.appendSet('long', 1, 5, 'x'.repeat(100_000)), end + 4)
      assert.equal(await journal.flush(), end + 5)
      await journal.close()
      const { receiver } = await reopen(make)
      const expected = sets.flatMap((event): CacheEvent[] => [event, { type: 'deleted', key: event.key }])
      const replaced: CacheEvent[] = [{ type: 'evicted', key: 'last' }, set('in its place', 'x', 5)]
      const long: CacheEvent[] = [{ type: 'evicted', key: 'x'.repeat(100_000) }, set('long', 1, 5)]
      assert.deepEqual(receiver.events, [...expected, set('last', 1, 5), ...replaced, ...long])
    },
  },

  {
    name: 'an append larger than a frame is a RangeError that changes nothing',
    async run(make) {
      const journal = make()
      await journal.open(session())
      journal.append([set('before', 1)])
      const half = new EncodedValue('bytes', new Uint8Array(129 * 1024 * 1024))
      assert.throws(() => journal.append([set('big', half), set('bigger', half)]), RangeError)
      assert.equal(journal.append([set('after', 1)]), 2)
      await journal.close()
      const { receiver } = await reopen(make)
      assert.deepEqual(receiver.events, [set('before', 1), set('after', 1)])
    },
  },

  {
    name: 'a flush resolves with the last sequence, and it is durable then',
    async run(make) {
      const journal = make()
      await journal.open(session({ fsync: 'never' }))
      assert.equal(await journal.flush(), 0)
      journal.append([set('a', 1), set('b', 1)])
      assert.equal(await journal.flush(), 2)
      assertLike(journal.figures(), { sequence: 2, durableSequence: 2, pendingBytes: 0 })
      await journal.close()
    },
  },

  {
    name: 'flushes that wait together all resolve',
    async run(make) {
      const journal = make()
      await journal.open(session({ fsync: 'always' }))
      const flushes = Array.from({ length: 64 }, (_, at) => {
        journal.append([set(`k${at}`, at)])
        return journal.flush()
      })
      const sequences = await Promise.all(flushes)
      sequences.forEach((sequence, at) => {
        assert.equal(sequence > at, true)
      })
      await journal.close()
    },
  },

  {
    name: 'notes come back after the events of their frame, and from a snapshot',
    async run(make) {
      const answers: Answer[] = [null, true, -7, 1.5, 'gr\u00fc\u00dfe', 10n, undefined, Uint8Array.of(1, 2), DONE]
      const notes: Note[] = answers.map((answer, at) => ({
        type: 'answered',
        client: at < 4 ? '00000000000000ff' : 'ffffffffffffffff',
        number: 2 ** 40 + at,
        received: 2 ** 40 - (at % 2),
        answer,
      }))
      const large: Note[] = Array.from({ length: 9 }, (_, at) => ({
        type: 'answered',
        client: 'abababababababab',
        number: at + 1,
        received: 0,
        answer: 'x'.repeat(60_000),
      }))
      const journal = make()
      await journal.open(session())
      for (const note of [...notes, ...large]) journal.append([set('a', 1)], note)
      journal.append([], { type: 'forgotten', client: '00000000000000ff' })
      assert.throws(() => journal.append([set('x', new EncodedValue('bytes', undefined as never))], notes[0]))
      journal.append([set('last', 1)])
      await journal.close()
      const { receiver } = await reopen(make)
      assert.deepEqual(receiver.notes, [...notes, ...large, { type: 'forgotten', client: '00000000000000ff' }])

      const again = make()
      await again.open(session())
      const request = compaction([['row', 1]])
      await again.compact({ ...request, freeze: () => ({ ...request.freeze(), notes: [...large, ...notes] }) })
      await again.close()
      assert.deepEqual((await reopen(make)).receiver.notes, [...large, ...notes])
    },
  },

  {
    name: 'appended events are written before an immediate that is queued after them',
    async run(make) {
      const journal = make()
      await journal.open(session())
      for (let round = 0; round < 3; round++) {
        journal.append([set('a', round)])
        assert.equal(journal.figures().pendingBytes > 0, true)
        await turnOfTheLoop()
        assert.equal(journal.figures().pendingBytes, 0)
      }
      await journal.close()
    },
  },

  {
    name: 'pending bytes are bounded: a full buffer is written at once',
    async run(make) {
      const journal = make()
      await journal.open(session())
      let most = 0
      for (let at = 0; at < 2_000; at++) {
        journal.append([set(`k${at}`, 'x'.repeat(1_000))])
        most = Math.max(most, journal.figures().pendingBytes)
      }
      assert.equal(most > 0 && most < 512 * 1024, true, `${most} bytes were pending`)
      await journal.close()
      assert.equal((await reopen(make)).report.sequence, 2_000)
    },
  },

  {
    name: 'the counters of the last frame come back',
    async run(make) {
      const journal = make()
      const counters = new Counters()
      await journal.open(session({ counters }))
      counters.sets = 1
      journal.append([set('a', 1)])
      await journal.flush()
      Object.assign(counters, { hits: 2 ** 40, misses: 3, evictions: 4, expirations: 5, sets: 6, deletes: 7 })
      await journal.close()
      const { receiver } = await reopen(make)
      assert.deepEqual({ ...receiver.restored }, { ...counters })
    },
  },

  {
    name: 'the order of use that a close is given comes back, at its place',
    async run(make) {
      const long = Uint8Array.from({ length: 3_000_000 }, (_, at) => at % 251)
      for (const bytes of [Uint8Array.of(), Uint8Array.of(2, 5, 1, 0), long]) {
        const journal = make()
        await journal.open(session())
        journal.append([set('a', 1)])
        await journal.close(bytes)
        const second = make()
        const receiver = new RecordingReceiver()
        await second.open(session({ receiver }))
        assert.deepEqual(receiver.written, { order: [...bytes], after: receiver.events.length })
        second.append([set('b', 2)])
        await second.close() // writes none
        const third = (await reopen(make)).receiver
        assert.deepEqual(third.written, { order: [...bytes], after: third.events.length - 1 })
      }
    },
  },

  {
    name: 'compaction keeps the rows as of that moment, and the events after it',
    async run(make) {
      const journal = make()
      const counters = Object.assign(new Counters(), { hits: 9 })
      await journal.open(session())
      journal.append([set('a', 1), set('b', 2), { type: 'deleted', key: 'a' }])
      let seen = 0
      const running = journal.compact({
        freeze: () => {
          seen = journal.figures().sequence
          return rowsOf([['b', 2]], counters)
        },
        progress: () => undefined,
        signal: new AbortController().signal,
      })
      const report = await running
      assert.equal(seen, 3)
      assertLike(report, { sequence: 3, entries: 1 })
      assert.equal(journal.figures().snapshotSequence, 3)
      journal.append([set('c', 3)])
      await journal.close()
      const { receiver, report: recovered } = await reopen(make)
      assert.deepEqual(receiver.snapshotRows, [{ key: 'b', value: 2, expiresAtMs: Number.POSITIVE_INFINITY }])
      assert.deepEqual(receiver.events, [set('c', 3)])
      assertLike(recovered, { sequence: 4, events: 1, snapshot: { sequence: 3, entries: 1 } })
    },
  },

  {
    name: 'events appended while a snapshot is written come after it',
    async run(make) {
      const journal = make()
      await journal.open(session())
      const rows: [string, StoredValue][] = Array.from({ length: 5_000 }, (_, at) => [`k${at}`, at])
      for (const [key, value] of rows) journal.append([set(key, value)])
      let during = 0
      await journal.compact({
        ...compaction(rows),
        progress: () => {
          journal.append([set('during', during++)])
        },
      })
      assert.equal(during > 2, true)
      await journal.close()
      const { receiver } = await reopen(make)
      assert.equal(receiver.snapshotRows.length, 5_000)
      assert.deepEqual(
        receiver.events,
        Array.from({ length: during }, (_, at) => set('during', at)),
      )
    },
  },

  {
    name: 'repeated compactions lose nothing',
    async run(make) {
      const journal = make()
      await journal.open(session())
      for (let round = 1; round <= 5; round++) {
        journal.append([set('round', round)])
        assert.equal((await journal.compact(compaction([['round', round]]))).sequence, round)
        await journal.compact(compaction([['round', round]])) // nothing new
      }
      await journal.close()
      const { receiver, report } = await reopen(make)
      assert.deepEqual(receiver.snapshotRows, [{ key: 'round', value: 5, expiresAtMs: Number.POSITIVE_INFINITY }])
      assert.equal(report.sequence, 5)
    },
  },

  {
    name: 'an aborted compaction changes nothing, and the journal keeps running',
    async run(make) {
      const journal = make()
      await journal.open(session())
      journal.append([set('a', 1)])
      const controller = new AbortController()
      let isReleased = false
      const running = journal.compact({
        freeze: () => ({ ...rowsOf([['a', 1]]), release: () => void (isReleased = true) }),
        progress: () => controller.abort(new Error('enough')),
        signal: controller.signal,
      })
      await assert.rejects(running, { message: 'enough' })
      assert.equal(isReleased, true)
      assert.equal(journal.append([set('b', 1)]), 2)
      await journal.close()
      const { receiver, report } = await reopen(make)
      assert.equal(report.snapshot, undefined)
      assert.deepEqual(receiver.events, [set('a', 1), set('b', 1)])
    },
  },

  {
    name: 'staged rows come back with the event that names them',
    async run(make) {
      const journal = make()
      await journal.open(session())
      journal.append([set('before', 1)])
      const counters = Object.assign(new Counters(), { hits: 4, sets: 2 })
      const rows: [string, StoredValue][] = [
        ['a', 1],
        ['b', new EncodedValue('bytes', Uint8Array.of(1, 2))],
      ]
      const staged = await journal.stage(rowsOf(rows, counters), () => undefined)
      assert.equal(staged.entries, 2)
      journal.append([{ type: 'loaded', ...staged }])
      journal.append([set('after', 1)])
      await journal.close()
      const { receiver } = await reopen(make)
      assert.deepEqual(receiver.events, [set('before', 1), { type: 'loaded', ...staged }, set('after', 1)])
      assert.deepEqual(
        receiver.loaded.map((loaded) => loaded.rows.map(({ key, value }) => [key, value])),
        [rows],
      )
      assert.deepEqual({ ...receiver.loaded[0]?.counters }, { ...counters })
    },
  },

  {
    name: 'staged rows that no event names are not part of the journal',
    async run(make) {
      const journal = make()
      await journal.open(session())
      journal.append([set('a', 1)])
      await journal.stage(rowsOf([['b', 2]]), () => undefined)
      await journal.close()
      const { receiver } = await reopen(make)
      assert.deepEqual(receiver.events, [set('a', 1)])
      assert.deepEqual(receiver.loaded, [])
    },
  },

  {
    name: 'compaction is due when the threshold is passed',
    async run(make) {
      const journal = make()
      const thresholds = { journalBytes: 10_000, factor: 1, segmentBytes: 4_096 }
      await journal.open(session({ compaction: thresholds }))
      let asked = 0
      journal.onChange = () => {
        if (journal.isDueForCompaction) asked++
      }
      assert.equal(journal.isDueForCompaction, false)
      for (let at = 0; at < 20; at++) {
        journal.append([set('k', 'x'.repeat(1_000))])
        await journal.flush()
      }
      assert.equal(asked > 0, true)
      assert.equal(journal.isDueForCompaction, true)
      await journal.compact(compaction([['k', 'x'.repeat(1_000)]]))
      assert.equal(journal.isDueForCompaction, false)
      await journal.close()
    },
  },

  {
    name: 'one opener at a time; closing lets the next one in',
    async run(make) {
      const journal = make()
      await journal.open(session())
      await assert.rejects(make().open(session()), { code: 'CACHE_LOCKED' })
      journal.append([set('a', 1)])
      await journal.close()
      const next = make()
      assert.equal((await next.open(session())).sequence, 1)
      await next.close()
    },
  },

  {
    name: 'before open and after close, calls are refused',
    async run(make) {
      const journal = make()
      assert.throws(() => journal.append([set('a', 1)]), { code: 'CACHE_CLOSED' })
      await assert.rejects(journal.flush(), { code: 'CACHE_CLOSED' })
      await journal.open(session())
      journal.append([set('a', 1)])
      await journal.close()
      assert.throws(() => journal.append([set('b', 1)]), { code: 'CACHE_CLOSED' })
      await assert.rejects(journal.flush(), { code: 'CACHE_CLOSED' })
      await assert.rejects(journal.compact(compaction([])), { code: 'CACHE_CLOSED' })
      await journal.close()
      assert.equal((await reopen(make)).report.sequence, 1)
    },
  },

  {
    name: 'close waits for what is pending, under every policy',
    async run(make) {
      let sequence = 0
      for (const fsync of ['always', 'everysec', 'never'] as const) {
        const journal = make()
        await journal.open(session({ fsync }))
        journal.append([set(fsync, 1)])
        await journal.close()
        sequence++
        assertLike((await reopen(make)).report, { sequence, clean: true })
      }
    },
  },
]
