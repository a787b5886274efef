/** Snapshots of a cluster's log: written, pointed to, trimmed, and read by nodes that are behind or new. */
import test from 'ava'
import type { ClusterCache } from '../../../../src/cluster.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

const entriesOf = (cache: ClusterCache) => new Map(cache.local.entries())

test('a new node begins with the snapshot, and the log is trimmed up to the one before', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one', { maxSize: 10_000 })
  for (let round = 0; round < 3; round++) {
    await during(Promise.all(Array.from({ length: 200 }, (_, at) => one.set(`${round}:${at}`, at, { tags: ['t'] }))))
    const { entries, sequence } = await during(one.compact())
    t.is(entries, 200 * (round + 1))
    t.is(sequence, 200 * (round + 1))
  }
  const { records } = engine.control.shared('cluster')
  t.true(records.first > 1)
  t.is(records.objects.size, 2)
  await during(one.set('last', 1))
  const two = await open('two')
  t.deepEqual(entriesOf(two), entriesOf(one))
  t.is((await during(two.recovery)).snapshot?.entries, 600)
  t.is(two.local.stats().journal.maxSize, 10_000)
})

test('a node behind a trim forgets its copy, reads the snapshot, and tells one resynced change', async (t) => {
  const { open, during, engine, pass, leaderOf } = drivenNodes(t)
  const names = ['one', 'two', 'three']
  const caches: ClusterCache[] = []
  for (const name of names) caches.push(await open(name))
  const leader = await leaderOf(caches)
  const behind = caches.find((cache) => cache !== leader) as ClusterCache
  await during(leader.set('gone', 1))
  await during(behind.flush())
  const reasons: string[] = []
  behind.changes$.subscribe((change) => reasons.push(change.type))
  engine.control.pause(names[caches.indexOf(behind)] as string)
  await during(leader.delete('gone'))
  for (let round = 0; round < 2; round++) {
    await during(leader.set(`round ${round}`, round))
    await during(leader.compact())
  }
  engine.control.resume(names[caches.indexOf(behind)] as string)
  await pass(3_000)
  t.deepEqual(entriesOf(behind), entriesOf(leader))
  t.deepEqual(reasons, ['resynced'])
  t.true(await during(behind.set('after', 1)))
  t.deepEqual(reasons, ['resynced', 'set'])
})

test('a damaged snapshot is passed over for the one before it; two of them are a CorruptionError', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one')
  for (let round = 0; round < 2; round++) {
    await during(one.set(`round ${round}`, round))
    await during(one.compact())
  }
  const { records } = engine.control.shared('cluster')
  const { pointer } = records
  engine.control.damageObject('cluster', pointer?.name as string)
  const two = await open('two')
  t.deepEqual(entriesOf(two), entriesOf(one))
  records.objects.delete(pointer?.previous?.name as string)
  await t.throwsAsync(open('three'), { code: 'CORRUPTION' })
})

test('two nodes that write a snapshot at once: one is pointed to, the other leaves nothing behind', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const caches = [await open('one'), await open('two')] as const
  await during(caches[0].set('a', 1))
  await during(Promise.all(caches.map((cache) => cache.flush())))
  const outcomes = await during(Promise.allSettled(caches.map((cache) => cache.compact())))
  t.true(outcomes.some(({ status }) => status === 'fulfilled'))
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.is(outcome.reason.code, 'COMPACTION_FAILED')
  const { records } = engine.control.shared('cluster')
  const named = [records.pointer?.name, records.pointer?.previous?.name].filter((name) => name !== undefined)
  t.deepEqual([...records.objects.keys()].sort(), named.sort())
})

test('a node that follows writes a snapshot when the log has grown', async (t) => {
  const compaction = { journalBytes: 20_000, factor: 0 }
  const { open, during, engine, until } = drivenNodes(t)
  const one = await open('one', { compaction })
  await open('two', { compaction })
  for (let round = 0; round < 20; round++)
    await during(Promise.all(Array.from({ length: 50 }, (_, at) => one.set(`${at}`, 'x'.repeat(50)))))
  await until(() => engine.control.shared('cluster').records.pointer !== undefined)
  t.pass()
})

test('a change that is too large for a record is an object, which a trim removes with it', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  engine.control.bodyBytesMax = 2_000
  const one = await open('one')
  const two = await open('two')
  const large = Array.from({ length: 500 }, (_, at) => [`key ${at}`, 'x'.repeat(50)] as const)
  t.is(await during(two.setMany(large)), 500)
  t.is(await during(one.increment('n')), 1)
  const { records } = engine.control.shared('cluster')
  t.is([...records.objects.keys()].filter((name) => name.startsWith('record-')).length, 1)
  t.deepEqual(entriesOf(two), entriesOf(one))
  const three = await open('three')
  t.deepEqual(entriesOf(three), entriesOf(one))
  const value = 'y'.repeat(30_000)
  await during(two.set('answer', value))
  t.is(await during(two.get('answer')), value)
})
