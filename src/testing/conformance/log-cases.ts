/** What a cluster requires of a log, as cases that know no test runner. */
import assert from 'node:assert/strict'
import { LogConflict, type LogRecord, type Position } from '../../edges/cluster/log.js'
import type { Case } from './case.js'
import { Collected, type LogsOfOneName, opened, record, text, textOf, until } from './log-nodes.js'
import { snapshotStoreCases } from './snapshot-store-cases.js'
import { wireCases } from './wire-cases.js'

const KINDS: readonly LogRecord['kind'][] = ['begin', 'term', 'frame', 'resign']

export const logCases: readonly Case<LogsOfOneName>[] = [
  {
    name: 'a new log is empty',
    run: (logs) =>
      opened(logs, ['a'], async ([a]) => {
        assert.deepEqual(await a.open(), { first: 1, last: 0 })
      }),
  },

  {
    name: 'positions are 1, 2, 3, …, and every part of a record comes back',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const bytes = Uint8Array.from({ length: 256 }, (_, at) => at)
        const records = KINDS.map(
          (kind, at): LogRecord => ({ kind, epoch: 2 ** 40 + at, node: `node ${at} ü`, body: bytes }),
        )
        records.push({ ...record(''), body: new Uint8Array() })
        for (const [at, one] of records.entries()) assert.equal(await a.append(one, at), at + 1)
        const seen = new Collected()
        const following = b.follow(1, seen)
        await until(() => seen.records.length === records.length, 'every record')
        following.stop()
        assert.deepEqual(
          seen.plain(),
          records.map((one, at) => ({ ...one, body: [...one.body], at: at + 1 })),
        )
        assert.deepEqual(await b.open(), { first: 1, last: records.length })
      }),
  },

  {
    name: 'a record is appended directly behind the given position, or not at all',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        await a.append(record('1'), 0)
        await a.append(record('2'), 1)
        for (const after of [0, 1, 3, 4, 1_000]) await assert.rejects(b.append(record('wrong'), after), LogConflict)
        assert.equal(await b.append(record('3'), 2), 3)
        assert.deepEqual(await a.open(), { first: 1, last: 3 })
        const seen = new Collected()
        const following = a.follow(1, seen)
        await until(() => seen.records.length >= 3, 'three records')
        following.stop()
        assert.deepEqual(seen.bodies(), ['1', '2', '3'])
      }),
  },

  {
    name: 'of several nodes that append behind the same position one succeeds, also at the beginning',
    run: (logs) =>
      opened(logs, ['a', 'b', 'c'], async (nodes) => {
        for (let after = 0; after < 5; after++) {
          const tries = nodes.flatMap((node, at) =>
            [0, 1].map((second) => node.append(record(`${at} ${second}`), after)),
          )
          const outcomes = await Promise.allSettled(tries)
          const done = outcomes.filter(({ status }) => status === 'fulfilled')
          assert.deepEqual(done, [{ status: 'fulfilled', value: after + 1 }])
          for (const one of outcomes)
            if (one.status === 'rejected') assert.equal(one.reason instanceof LogConflict, true)
        }
        assert.equal((await nodes[0].open()).last, 5)
      }),
  },

  {
    name: 'appends overlap, each behind the one before it',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const seen = new Collected()
        const following = b.follow(1, seen)
        const count = 200
        const appends = Array.from({ length: count }, (_, at) => a.append(record(`${at}`), at))
        assert.deepEqual(
          await Promise.all(appends),
          Array.from({ length: count }, (_, at) => at + 1),
        )
        await until(() => seen.records.length >= count, 'every record')
        following.stop()
        assert.deepEqual(
          seen.bodies(),
          Array.from({ length: count }, (_, at) => `${at}`),
        )
      }),
  },

  {
    name: 'if one of several overlapping appends conflicts, so do those behind it',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        await a.append(record('1'), 0)
        await b.append(record('2'), 1)
        const outcomes = await Promise.allSettled([1, 2, 3].map((after) => a.append(record('late'), after)))
        // The second of them may follow what b has written: it expects just that position.
        assert.equal(outcomes[0]?.status, 'rejected')
        const { last } = await b.open()
        const landed: Position[] = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
        assert.equal(last, 2 + landed.length)
      }),
  },

  {
    name: 'the bytes of a record are those at the call',
    run: (logs) =>
      opened(logs, ['a'], async ([a]) => {
        const body = text('before')
        const appended = a.append({ ...record(''), body }, 0)
        body.fill(0)
        await appended
        const seen = new Collected()
        const following = a.follow(1, seen)
        await until(() => seen.records.length === 1, 'the record')
        following.stop()
        assert.deepEqual(seen.bodies(), ['before'])
      }),
  },

  {
    name: 'a record of the largest size comes back; a larger one is refused and nothing is appended',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const most = Math.min(a.bodyBytesMax, 4 * 1024 * 1024)
        const body = Uint8Array.from({ length: most }, (_, at) => at % 251)
        assert.equal(await a.append({ ...record(''), body }, 0), 1)
        const seen = new Collected()
        const following = b.follow(1, seen)
        await until(() => seen.records.length === 1, 'the record')
        following.stop()
        assert.equal(Buffer.compare(seen.records[0]?.body ?? text(''), body), 0)
        if (most < a.bodyBytesMax) return
        await assert.rejects(a.append({ ...record(''), body: new Uint8Array(most + 1) }, 1), RangeError)
        assert.equal((await b.open()).last, 1)
      }),
  },

  {
    name: 'a follower gets every record from its position on, those to come included, and its own too',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        for (let at = 0; at < 5; at++) await a.append(record(`${at + 1}`), at)
        const [own, other, later] = [new Collected(), new Collected(), new Collected()]
        const all = [a.follow(3, own), b.follow(1, other), b.follow(7, later)]
        assert.equal(other.records.length, 0, 'nothing is delivered during the call')
        for (let at = 5; at < 10; at++) await a.append(record(`${at + 1}`), at)
        await until(() => own.last === 10 && other.last === 10 && later.last === 10, 'position 10')
        for (const one of all) one.stop()
        assert.deepEqual(own.positions(), [3, 4, 5, 6, 7, 8, 9, 10])
        assert.deepEqual(other.positions(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        assert.deepEqual(later.positions(), [7, 8, 9, 10])
        assert.equal(own.gaps + other.gaps + later.gaps, 0)
      }),
  },

  {
    name: 'a follower that has stopped gets nothing, even if it stops between two records',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        for (let at = 0; at < 10; at++) await a.append(record(''), at)
        const seen = new Collected()
        const following = b.follow(1, seen)
        seen.onTake = (at) => at === 4 && following.stop()
        const whole = new Collected()
        const second = b.follow(1, whole)
        await until(() => whole.last === 10, 'position 10')
        second.stop()
        second.stop()
        await a.append(record(''), 10)
        assert.deepEqual(seen.positions(), [1, 2, 3, 4])
        assert.equal(whole.last, 10)
      }),
  },

  {
    name: 'a trim removes the records up to a position, but never the last one',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        for (let at = 0; at < 10; at++) await a.append(record(`${at + 1}`), at)
        await a.trim(4)
        assert.deepEqual(await b.open(), { first: 5, last: 10 })
        await a.trim(2)
        assert.deepEqual(await b.open(), { first: 5, last: 10 })
        await a.trim(10)
        assert.deepEqual(await b.open(), { first: 10, last: 10 })
        await a.trim(1_000)
        assert.deepEqual(await b.open(), { first: 10, last: 10 })
        assert.equal(await b.append(record('11'), 10), 11)
        await assert.rejects(b.append(record('again'), 0), LogConflict)
        const seen = new Collected()
        const following = a.follow(10, seen)
        await until(() => seen.last === 11, 'position 11')
        following.stop()
        assert.deepEqual(seen.bodies(), ['10', '11'])
      }),
  },

  {
    name: 'a follower whose next record has been trimmed hears of a gap, once, and gets nothing more',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        for (let at = 0; at < 10; at++) await a.append(record(''), at)
        await a.trim(5)
        const [behind, just] = [new Collected(), new Collected()]
        const all = [b.follow(5, behind), b.follow(6, just)]
        await until(() => behind.gaps > 0 && just.last === 10, 'the gap')
        await a.append(record(''), 10)
        await until(() => just.last === 11, 'position 11')
        for (const one of all) one.stop()
        assert.deepEqual([behind.gaps, behind.positions()], [1, []])
        assert.deepEqual([just.gaps, just.positions()], [0, [6, 7, 8, 9, 10, 11]])
      }),
  },

  {
    name: 'a log that can be asked for one record has it as it was appended, until it is trimmed',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        if (b.read === undefined) return
        for (let at = 0; at < 3; at++) await a.append(record(`${at + 1}`), at)
        const read = await b.read(2)
        assert.deepEqual({ ...read, body: textOf(read?.body ?? text('')) }, { ...record('2'), body: '2' })
        assert.equal(await b.read(4), undefined)
        await a.trim(2)
        assert.equal(await b.read(2), undefined)
      }),
  },

  {
    name: 'the log outlives its nodes',
    async run(logs) {
      await opened(logs, ['a', 'b'], async ([a]) => {
        await a.append(record('1'), 0)
        await a.append(record('2'), 1)
      })
      await opened(logs, ['a'], async ([a]) => {
        assert.deepEqual(await a.open(), { first: 1, last: 2 })
        assert.equal(await a.append(record('3'), 2), 3)
      })
    },
  },

  {
    name: 'a closed log delivers nothing, and its calls reject',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const [seen, other] = [new Collected(), new Collected()]
        b.follow(1, seen)
        const following = a.follow(1, other)
        await b.close()
        await b.close()
        await a.append(record(''), 0)
        await until(() => other.last === 1, 'position 1')
        following.stop()
        assert.deepEqual(seen.positions(), [])
        await assert.rejects(b.append(record(''), 1))
        await assert.rejects(b.snapshots.latest())
        await assert.rejects(b.wire.request('x', text('')))
      }),
  },

  ...snapshotStoreCases,
  ...wireCases,
]
