/**
 * What a cache requires of a journal's snapshots and staged rows: part of the cases for journals.
 */

import assert from 'node:assert/strict'
import { Counters } from '../../core/model/counters.js'
import { EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import { assertLike } from './assert-like.js'
import type { Case } from './case.js'
import { session, set } from './recording.js'
import { compaction, type JournalMaker, reopen, rowsOf } from './reopen.js'

export const journalCompactionCases: readonly Case<JournalMaker>[] = [
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
]
