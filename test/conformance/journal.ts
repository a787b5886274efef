/**
 * What a cache relies on in a journal. Every implementation passes it, in two lines each:
 *
 *     testJournal('memory', async () => { const journal = memoryJournal(); return () => journal })
 *     testJournal('file', async (t) => { const folder = await temporaryDirectory(t); return () => new FileJournal(disk, folder) })
 *
 * The maker answers a function that gives a journal over the same content each time it is called: a new one, or the same.
 */
import test, { type ExecutionContext } from 'ava'
import { Counters } from '../../src/core/model/counters.js'
import type { CacheEvent } from '../../src/core/model/event.js'
import { EncodedValue, type StoredValue } from '../../src/core/model/stored-value.js'
import type {
  CompactionRequest,
  Journal,
  JournalReceiver,
  JournalSession,
  ReceivedRows,
  RecoveryReport,
  SnapshotSource,
} from '../../src/durable/contract.js'
import { ManualClock } from '../../src/testing.js'

export type JournalMaker = (t: ExecutionContext) => Promise<() => Journal>

export interface Row {
  key: string
  value: StoredValue
  expiresAtMs: number
}

class RecordedRows implements ReceivedRows {
  readonly rows: Row[] = []
  readonly counters = new Counters()
  add(key: string, value: StoredValue, expiresAtMs: number): void {
    this.rows.push({ key, value, expiresAtMs })
  }
}

/** Keeps what recovery hands over. */
export class RecordingReceiver implements JournalReceiver {
  readonly snapshotRows: Row[] = []
  readonly loaded: { event: CacheEvent; rows: Row[]; counters: Counters }[] = []
  readonly events: CacheEvent[] = []
  readonly restored = new Counters()
  order: string[] | undefined
  readonly progressed: [number, number][] = []

  row(key: string, value: StoredValue, expiresAtMs: number): boolean {
    this.snapshotRows.push({ key, value, expiresAtMs })
    return true
  }
  readonly set = (key: string, value: StoredValue, expiresAtMs: number): void => {
    this.events.push({ type: 'set', key, value, expiresAtMs })
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
  recency(keys: Iterable<string>): void {
    this.order = [...keys]
  }
  progress(doneBytes: number, totalBytes: number): void {
    this.progressed.push([doneBytes, totalBytes])
  }
}

export interface RecordingSession extends JournalSession {
  receiver: RecordingReceiver
  clock: ManualClock
}

export function session(options: Partial<RecordingSession> = {}): RecordingSession {
  return {
    fsync: 'everysec',
    clock: new ManualClock(),
    compaction: false,
    counters: new Counters(),
    receiver: new RecordingReceiver(),
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
  set('after', null),
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

export function testJournal(name: string, make: JournalMaker): void {
  const on = (title: string, body: (t: ExecutionContext, journal: () => Journal) => Promise<void>) => {
    test(`${name}: ${title}`, async (t) => body(t, await make(t)))
  }

  const reopen = async (journal: () => Journal): Promise<{ receiver: RecordingReceiver; report: RecoveryReport }> => {
    const receiver = new RecordingReceiver()
    const again = journal()
    const report = await again.open(session({ receiver }))
    await again.close([])
    return { receiver, report }
  }

  on('a new journal is empty and clean', async (t, make) => {
    const journal = make()
    const receiver = new RecordingReceiver()
    const report = await journal.open(session({ receiver }))
    t.like(report, { sequence: 0, events: 0, frames: 0, snapshot: undefined, clean: true, setAside: undefined })
    t.deepEqual(receiver.events, [])
    t.like(journal.figures(), { sequence: 0, durableSequence: 0, pendingBytes: 0, snapshotSequence: 0 })
    t.is(journal.health.status, 'writable')
    await journal.close([])
  })

  on('every kind of event is replayed as it was appended, in order', async (t, make) => {
    const journal = make()
    await journal.open(session())
    for (const event of EVENTS) journal.append([event])
    await journal.close([])
    const { receiver, report } = await reopen(make)
    t.deepEqual(receiver.events, EVENTS)
    t.like(report, { sequence: EVENTS.length, events: EVENTS.length, clean: true })
  })

  on('sequences have no holes: append answers the first of its own', async (t, make) => {
    const journal = make()
    await journal.open(session())
    t.is(journal.append([set('a', 1)]), 1)
    t.is(journal.append([set('a', 2), set('b', 2), set('c', 2)]), 2)
    t.is(journal.append([set('a', 3)]), 5)
    t.is(journal.figures().sequence, 5)
    await journal.close([])
    const again = make()
    t.is((await again.open(session())).sequence, 5)
    t.is(again.append([set('a', 4)]), 6)
    await again.close([])
  })

  on('an append that cannot be encoded leaves no trace', async (t, make) => {
    const journal = make()
    await journal.open(session())
    journal.append([set('a', 1)])
    const hostile = set('x', new EncodedValue('bytes', undefined as never))
    t.throws(() => journal.append([set('b', 1), hostile]))
    t.is(journal.append([set('c', 1)]), 2)
    await journal.close([])
    const { receiver } = await reopen(make)
    t.deepEqual(receiver.events, [set('a', 1), set('c', 1)])
  })

  on('an append larger than a frame is a RangeError that changes nothing', async (t, make) => {
    const journal = make()
    await journal.open(session())
    journal.append([set('before', 1)])
    const half = new EncodedValue('bytes', new Uint8Array(129 * 1024 * 1024))
    t.throws(() => journal.append([set('big', half), set('bigger', half)]), { instanceOf: RangeError })
    t.is(journal.append([set('after', 1)]), 2)
    await journal.close([])
    const { receiver } = await reopen(make)
    t.deepEqual(receiver.events, [set('before', 1), set('after', 1)])
  })

  on('a flush resolves with the last sequence, and it is durable then', async (t, make) => {
    const journal = make()
    await journal.open(session({ fsync: 'never' }))
    t.is(await journal.flush(), 0)
    journal.append([set('a', 1), set('b', 1)])
    t.is(await journal.flush(), 2)
    t.like(journal.figures(), { sequence: 2, durableSequence: 2, pendingBytes: 0 })
    await journal.close([])
  })

  on('flushes that wait together are all answered', async (t, make) => {
    const journal = make()
    await journal.open(session({ fsync: 'always' }))
    const flushes = Array.from({ length: 64 }, (_, at) => {
      journal.append([set(`k${at}`, at)])
      return journal.flush()
    })
    const answers = await Promise.all(flushes)
    answers.forEach((sequence, at) => {
      t.true(sequence > at)
    })
    await journal.close([])
  })

  on('what was appended is handed over before an immediate that is queued after it', async (t, make) => {
    const journal = make()
    await journal.open(session())
    for (let round = 0; round < 3; round++) {
      journal.append([set('a', round)])
      t.true(journal.figures().pendingBytes > 0)
      await turnOfTheLoop()
      t.is(journal.figures().pendingBytes, 0)
    }
    await journal.close([])
  })

  on('pending bytes are bounded: a full buffer is handed over at once', async (t, make) => {
    const journal = make()
    await journal.open(session())
    let most = 0
    for (let at = 0; at < 2_000; at++) {
      journal.append([set(`k${at}`, 'x'.repeat(1_000))])
      most = Math.max(most, journal.figures().pendingBytes)
    }
    t.true(most > 0 && most < 512 * 1024, `${most} bytes were pending`)
    await journal.close([])
    t.is((await reopen(make)).report.sequence, 2_000)
  })

  on('the counters of the last frame come back', async (t, make) => {
    const journal = make()
    const counters = new Counters()
    await journal.open(session({ counters }))
    counters.sets = 1
    journal.append([set('a', 1)])
    await journal.flush()
    Object.assign(counters, { hits: 2 ** 40, misses: 3, evictions: 4, expirations: 5, sets: 6, deletes: 7 })
    await journal.close([])
    const { receiver } = await reopen(make)
    t.deepEqual({ ...receiver.restored }, { ...counters })
  })

  on('the order of use of a clean close comes back, whatever the keys', async (t, make) => {
    const keys = ['', 'b', '__proto__', '\ud800', '\ud83d\ude00', 'k'.repeat(10_000), 'a']
    const journal = make()
    await journal.open(session())
    for (const key of keys) journal.append([set(key, 1)])
    await journal.close([...keys].reverse())
    t.deepEqual((await reopen(make)).receiver.order, [...keys].reverse())
  })

  on('an order of use that newer events overtook does not come back', async (t, make) => {
    const journal = make()
    await journal.open(session())
    journal.append([set('a', 1), set('b', 1)])
    await journal.close(['b', 'a'])
    const second = make()
    await second.open(session())
    second.append([set('b', 2)])
    await second.close([])
    const { receiver } = await reopen(make)
    t.deepEqual(receiver.events.at(-1), set('b', 2))
    t.deepEqual(receiver.order, ['b', 'a'], 'the first close told it, before the last event')
  })

  on('compaction keeps the rows of the moment and the events after it', async (t, make) => {
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
    t.is(seen, 3)
    t.like(report, { sequence: 3, entries: 1 })
    t.is(journal.figures().snapshotSequence, 3)
    journal.append([set('c', 3)])
    await journal.close([])
    const { receiver, report: recovered } = await reopen(make)
    t.deepEqual(receiver.snapshotRows, [{ key: 'b', value: 2, expiresAtMs: Number.POSITIVE_INFINITY }])
    t.deepEqual(receiver.events, [set('c', 3)])
    t.like(recovered, { sequence: 4, events: 1, snapshot: { sequence: 3, entries: 1 } })
  })

  on('events appended while a snapshot is written come after it', async (t, make) => {
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
    t.true(during > 2)
    await journal.close([])
    const { receiver } = await reopen(make)
    t.is(receiver.snapshotRows.length, 5_000)
    t.deepEqual(
      receiver.events,
      Array.from({ length: during }, (_, at) => set('during', at)),
    )
  })

  on('compacting again and again loses nothing', async (t, make) => {
    const journal = make()
    await journal.open(session())
    for (let round = 1; round <= 5; round++) {
      journal.append([set('round', round)])
      t.is((await journal.compact(compaction([['round', round]]))).sequence, round)
      await journal.compact(compaction([['round', round]])) // nothing new
    }
    await journal.close([])
    const { receiver, report } = await reopen(make)
    t.deepEqual(receiver.snapshotRows, [{ key: 'round', value: 5, expiresAtMs: Number.POSITIVE_INFINITY }])
    t.is(report.sequence, 5)
  })

  on('a compaction that is ended early changes nothing, and the journal goes on', async (t, make) => {
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
    await t.throwsAsync(running, { message: 'enough' })
    t.true(isReleased)
    t.is(journal.append([set('b', 1)]), 2)
    await journal.close([])
    const { receiver, report } = await reopen(make)
    t.is(report.snapshot, undefined)
    t.deepEqual(receiver.events, [set('a', 1), set('b', 1)])
  })

  on('rows that were staged come back with the event that names them', async (t, make) => {
    const journal = make()
    await journal.open(session())
    journal.append([set('before', 1)])
    const counters = Object.assign(new Counters(), { hits: 4, sets: 2 })
    const rows: [string, StoredValue][] = [
      ['a', 1],
      ['b', new EncodedValue('bytes', Uint8Array.of(1, 2))],
    ]
    const staged = await journal.stage(rowsOf(rows, counters), () => undefined)
    t.is(staged.entries, 2)
    journal.append([{ type: 'loaded', ...staged }])
    journal.append([set('after', 1)])
    await journal.close([])
    const { receiver } = await reopen(make)
    t.deepEqual(receiver.events, [set('before', 1), { type: 'loaded', ...staged }, set('after', 1)])
    t.deepEqual(
      receiver.loaded.map((loaded) => loaded.rows.map(({ key, value }) => [key, value])),
      [rows],
    )
    t.deepEqual({ ...receiver.loaded[0]?.counters }, { ...counters })
  })

  on('rows that were staged and never named are no part of the journal', async (t, make) => {
    const journal = make()
    await journal.open(session())
    journal.append([set('a', 1)])
    await journal.stage(rowsOf([['b', 2]]), () => undefined)
    await journal.close([])
    const { receiver } = await reopen(make)
    t.deepEqual(receiver.events, [set('a', 1)])
    t.deepEqual(receiver.loaded, [])
  })

  on('it asks for compaction when the threshold is passed', async (t, make) => {
    const journal = make()
    const thresholds = { journalBytes: 10_000, factor: 1, segmentBytes: 4_096 }
    await journal.open(session({ compaction: thresholds }))
    let asked = 0
    journal.onChange = () => {
      if (journal.isDueForCompaction) asked++
    }
    t.false(journal.isDueForCompaction)
    for (let at = 0; at < 20; at++) {
      journal.append([set('k', 'x'.repeat(1_000))])
      await journal.flush()
    }
    t.true(asked > 0)
    t.true(journal.isDueForCompaction)
    await journal.compact(compaction([['k', 'x'.repeat(1_000)]]))
    t.false(journal.isDueForCompaction)
    await journal.close([])
  })

  on('one opener at a time; closing lets the next one in', async (t, make) => {
    const journal = make()
    await journal.open(session())
    await t.throwsAsync(make().open(session()), { code: 'CACHE_LOCKED' })
    journal.append([set('a', 1)])
    await journal.close([])
    const next = make()
    t.is((await next.open(session())).sequence, 1)
    await next.close([])
  })

  on('after close, and before open, it is refused', async (t, make) => {
    const journal = make()
    t.throws(() => journal.append([set('a', 1)]), { code: 'CACHE_CLOSED' })
    await t.throwsAsync(journal.flush(), { code: 'CACHE_CLOSED' })
    await journal.open(session())
    journal.append([set('a', 1)])
    await journal.close([])
    t.throws(() => journal.append([set('b', 1)]), { code: 'CACHE_CLOSED' })
    await t.throwsAsync(journal.flush(), { code: 'CACHE_CLOSED' })
    await t.throwsAsync(journal.compact(compaction([])), { code: 'CACHE_CLOSED' })
    await t.notThrowsAsync(journal.close([]))
    t.is((await reopen(make)).report.sequence, 1)
  })

  on('close waits for what is pending, under every policy', async (t, make) => {
    let sequence = 0
    for (const fsync of ['always', 'everysec', 'never'] as const) {
      const journal = make()
      await journal.open(session({ fsync }))
      journal.append([set(fsync, 1)])
      await journal.close([])
      sequence++
      t.like((await reopen(make)).report, { sequence, clean: true })
    }
  })
}
