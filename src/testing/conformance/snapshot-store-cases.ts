/** What a cluster requires of the objects beside a log: part of the cases for logs. */
import assert from 'node:assert/strict'
import { DamagedObjectError, type SnapshotPointer, type SnapshotStore } from '../../edges/cluster/log.js'
import type { Case } from './case.js'
import { type LogsOfOneName, opened, text, textOf } from './log-nodes.js'

/** An engine that compares with what is stored, and not with what is on its way, loses only some races. */
const RACES = 10

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

async function contentOf(store: SnapshotStore, name: string): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of store.read(name)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const snapshotStoreCases: readonly Case<LogsOfOneName>[] = [
  {
    name: 'without a snapshot there is no pointer, and its revision is 0',
    run: (logs) =>
      opened(logs, ['a'], async ([{ snapshots }]) => {
        assert.deepEqual(await snapshots.latest(), { pointer: undefined, revision: 0 })
        assert.deepEqual(await snapshots.names(), [])
      }),
  },

  {
    name: 'an object comes back in every node, byte by byte',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const large = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7) % 251)
        await a.snapshots.write('empty', chunksOf())
        await a.snapshots.write('small', chunksOf(text('one '), new Uint8Array(), text('two')))
        await a.snapshots.write('large', chunksOf(large, large, large.subarray(1)))
        assert.equal((await contentOf(b.snapshots, 'empty')).length, 0)
        assert.equal(textOf(await contentOf(b.snapshots, 'small')), 'one two')
        assert.equal(
          Buffer.compare(await contentOf(b.snapshots, 'large'), Buffer.concat([large, large, large.subarray(1)])),
          0,
        )
        assert.deepEqual([...(await b.snapshots.names())].sort(), ['empty', 'large', 'small'])
      }),
  },

  {
    name: 'the bytes of a chunk are those at the time that it is given',
    run: (logs) =>
      opened(logs, ['a'], async ([{ snapshots }]) => {
        const buffer = new Uint8Array(1_000)
        await snapshots.write(
          'reused',
          (async function* () {
            for (let at = 0; at < 300; at++) yield buffer.fill(at)
          })(),
        )
        const found = await contentOf(snapshots, 'reused')
        assert.equal(found.length, 300_000)
        for (let at = 0; at < 300; at++) assert.equal(found[at * 1_000 + 500], at % 256)
      }),
  },

  {
    name: 'an object whose chunks fail is not there',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        async function* failing(): AsyncGenerator<Uint8Array> {
          yield new Uint8Array(500_000)
          throw new Error('no more')
        }
        await assert.rejects(a.snapshots.write('half', failing()), { message: 'no more' })
        assert.deepEqual(await b.snapshots.names(), [])
        await assert.rejects(contentOf(b.snapshots, 'half'))
      }),
  },

  {
    name: 'an object that is removed or was never there cannot be read; removing it again does nothing',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        await a.snapshots.write('one', chunksOf(text('1')))
        await a.snapshots.write('two', chunksOf(text('2')))
        await b.snapshots.remove('one')
        await b.snapshots.remove('one')
        await b.snapshots.remove('never')
        await assert.rejects(contentOf(a.snapshots, 'one'), DamagedObjectError)
        await assert.rejects(contentOf(a.snapshots, 'never'), DamagedObjectError)
        assert.deepEqual(await a.snapshots.names(), ['two'])
        assert.equal(textOf(await contentOf(a.snapshots, 'two')), '2')
      }),
  },

  {
    name: 'the pointer is set by whoever has seen the present one, and by nobody else',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const first = { name: 'one', position: 10 }
        assert.equal(await a.snapshots.point(first, 0), true)
        assert.equal(await b.snapshots.point({ name: 'other', position: 11 }, 0), false)
        assert.deepEqual((await b.snapshots.latest()).pointer, first)
        for (let round = 0; round < RACES; round++) {
          const seen = await b.snapshots.latest()
          const pointers = ['two', 'three'].map((name) => ({ name: `${name}-${round}`, position: 20, previous: first }))
          const [ofA, ofB] = pointers as [SnapshotPointer, SnapshotPointer]
          const outcomes = await Promise.all([
            a.snapshots.point(ofA, seen.revision),
            b.snapshots.point(ofB, seen.revision),
          ])
          assert.deepEqual([...outcomes].sort(), [false, true])
          const last = await a.snapshots.latest()
          assert.deepEqual(last.pointer, outcomes[0] ? ofA : ofB)
          assert.notEqual(last.revision, seen.revision)
          assert.equal(await a.snapshots.point(first, seen.revision), false)
        }
      }),
  },
]
