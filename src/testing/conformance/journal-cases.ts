/**
 * What a cache asks of a journal, as cases that know no test runner. Every implementation passes all of them.
 */

import assert from 'node:assert/strict'
import { Counters } from '../../core/model/counters.js'
import type { CacheEvent } from '../../core/model/event.js'
import { type Answer, DONE, type Note } from '../../core/model/note.js'
import { EncodedValue } from '../../core/model/stored-value.js'
import { assertLike } from './assert-like.js'
import type { Case } from './case.js'
import { journalCompactionCases } from './journal-compaction.js'
import { EVENTS, RecordingReceiver, session, set } from './recording.js'
import { compaction, type JournalMaker, reopen, turnOfTheLoop } from './reopen.js'

export const journalCases: readonly Case<JournalMaker>[] = [
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
  ...journalCompactionCases,
]
