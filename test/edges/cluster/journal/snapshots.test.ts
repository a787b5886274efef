/** Snapshots of a cluster's log: written, pointed to, trimmed, and read by nodes that are behind or new. */
import test from 'ava'
import type { ClusterCache } from '../../../../src/cluster.js'
import type { ClusterNode } from '../../../../src/edges/cluster/node/cluster-node.js'
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

test('two nodes that write a snapshot at once: one is pointed to, the other leaves nothing behind and reports that one', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const caches = [await open('one'), await open('two')] as const
  await during(caches[0].set('a', 1))
  await during(Promise.all(caches.map((cache) => cache.flush())))
  const reports = await during(Promise.all(caches.map((cache) => cache.compact())))
  const { records } = engine.control.shared('cluster')
  const facts = reports.map(({ entries, sequence, bytes }) => ({ entries, sequence, bytes }))
  t.deepEqual(facts[0], facts[1])
  t.like(facts[0], { entries: 1, sequence: 1 })
  t.true(reports.some(({ file }) => file === records.pointer?.name))
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

test('what is an object beside the log counts as a part of it: a snapshot is due as soon', async (t) => {
  const { open, during, engine, until, clock } = drivenNodes(t)
  engine.control.bodyBytesMax = 2_000
  const compaction = { journalBytes: 20_000, factor: 0 }
  const one = await open('one', { compaction })
  const two = await open('two', { compaction })
  const { records } = engine.control.shared('cluster')
  async function isDueSoon(change: Promise<unknown>): Promise<void> {
    const { pointer } = records
    const startMs = clock.now()
    await during(change)
    await until(() => records.pointer !== pointer)
    t.true(clock.now() - startMs < 15_000, 'empty frames would take longer')
  }
  await isDueSoon(two.set('a', 'x'.repeat(22_000)))
  await during(one.save('/file'))
  await isDueSoon(two.load('/file'))
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

const changesOf = async (cache: ClusterCache, after: number, count: number) => {
  const sequences: number[] = []
  const changes = cache.changesSince(after)
  while (sequences.length < count) sequences.push((await changes.next()).value?.sequence ?? 0)
  await changes.return?.()
  return sequences
}
const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, at) => first + at)

/** A log with two snapshots, one after each of two changes, and a third change. */
async function twoSnapshots(driven: ReturnType<typeof drivenNodes>): Promise<ClusterCache> {
  const one = await driven.open('one')
  for (let round = 0; round < 2; round++) {
    await driven.during(one.set(`round ${round}`, round))
    await driven.during(one.compact())
  }
  await driven.during(one.set('last', 1))
  return one
}

test('a snapshot that cannot be reached now is waited for, and not taken for a missing one', async (t) => {
  const driven = drivenNodes(t)
  const { open, engine } = driven
  const one = await twoSnapshots(driven)
  const { pointer } = engine.control.shared('cluster').records
  let reads = 0
  engine.control.network.judge = ({ what }) => (what === 'read' && reads++ < 3 ? 'lose' : undefined)
  const two = await open('two')
  t.deepEqual(entriesOf(two), entriesOf(one))
  t.is((await driven.during(two.recovery)).snapshot?.file, pointer?.name)
})

test('a snapshot that is missing is passed over for the one before it, at once', async (t) => {
  const driven = drivenNodes(t)
  const { open, engine } = driven
  const one = await twoSnapshots(driven)
  const { pointer, objects } = engine.control.shared('cluster').records
  objects.delete(pointer?.name as string)
  const two = await open('two')
  t.deepEqual(entriesOf(two), entriesOf(one))
  t.is((await driven.during(two.recovery)).snapshot?.file, pointer?.previous?.name)
})

test('a record whose object cannot be reached now is waited for, while the node opens and later', async (t) => {
  const { open, during, engine, until, pass } = drivenNodes(t)
  engine.control.bodyBytesMax = 2_000
  const one = await open('one')
  const two = await open('two')
  const large = (key: string) => one.set(key, 'x'.repeat(5_000))
  engine.control.network.judge = ({ what }) => (what === 'read' ? 'lose' : undefined)
  await during(large('a'))
  let isOpen = false
  const opening = open('three').then((cache) => {
    isOpen = true
    return cache
  })
  await pass(8_000)
  t.deepEqual([isOpen, two.local.has('a')], [false, false])
  engine.control.network.judge = () => undefined
  t.is((await opening).local.get('a'), 'x'.repeat(5_000))
  await until(() => two.local.has('a'))
})

test('a trim removes the loaded rows with the record that names them, whichever node writes the snapshot', async (t) => {
  const driven = drivenNodes(t)
  const { during, engine, open, leaderOf } = driven
  const path = '/file'
  const { objects } = engine.control.shared('cluster').records
  const loaded = () => [...objects.keys()].filter((name) => name.startsWith('loaded-')).length
  for (const writer of ['one', 'two', 'three']) {
    const nodes: ClusterCache[] = []
    for (const name of ['one', 'two', 'three']) nodes.push(await open(`${name} for ${writer}`))
    const leader = await leaderOf(nodes)
    await during(leader.set('a', writer))
    await during(leader.save(path))
    t.like(await during(nodes[1]?.load(path) as Promise<unknown>), { ok: true })
    await during(Promise.all(nodes.map((node) => node.flush())))
    t.is(loaded(), 1)
    const compact = async () => {
      await during(leader.set('b', 1))
      await during((nodes[['one', 'two', 'three'].indexOf(writer)] as ClusterCache).compact())
    }
    await compact()
    t.is(loaded(), 1, 'the snapshot before needs it')
    const late = await open(`late for ${writer}`)
    t.deepEqual(entriesOf(late), entriesOf(leader))
    await compact()
    t.is(loaded(), 0)
    for (const node of [...nodes, late]) await during(node.close())
  }
})

test('rows that a node stages while the term changes are staged again: a trim may have taken them for what a dead node has left', async (t) => {
  const { open, during, engine, nodes } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  await during(one.save('/file'))
  const written: string[] = []
  const two = await open('two', {
    engine: Object.assign((...[name, node]: Parameters<typeof engine>) => {
      const log = engine(name, node)
      const { write } = log.snapshots
      log.snapshots.write = async (object, chunks) => {
        if (written.push(object) === 1) {
          await one.close()
          await two.set('a', 2)
        }
        await write(object, chunks)
      }
      return log
    }, engine),
  })
  t.like(await during(two.load('/file')), { ok: true, entries: 1 })
  t.is(two.local.get('a'), 1)
  const { epoch, loaded } = (nodes.get('two') as ClusterNode).journal.applier.header
  t.deepEqual(
    written.map((name) => Number(name.split('-')[2])),
    [epoch - 1, epoch],
  )
  t.deepEqual(Object.keys(loaded), [written[1]])
})

test('a node that has begun with a snapshot knows which record names what was loaded before it', async (t) => {
  const { during, engine, open } = drivenNodes(t)
  const path = '/file'
  const { objects } = engine.control.shared('cluster').records
  const one = await open('one')
  await during(one.set('a', 1))
  await during(one.save(path))
  await during(one.compact())
  await during(one.load(path))
  await during(one.compact())
  await during(one.close())
  const two = await open('two')
  await during(two.set('b', 1))
  t.true([...objects.keys()].some((name) => name.startsWith('loaded-')))
  await during(two.compact())
  t.false([...objects.keys()].some((name) => name.startsWith('loaded-')))
})

test('changesSince reaches back to the snapshot before the newest one, also on a node that has just joined', async (t) => {
  const driven = drivenNodes(t)
  const { open, during } = driven
  const one = await twoSnapshots(driven)
  for (let count = 0; count < 1_200; count++) await during(one.increment('n'))
  const two = await open('two')
  const last = two.local.stats().journal.sequence
  for (const after of [1, 2, 3, 700, last - 1])
    t.deepEqual(await during(changesOf(two, after, last - after)), range(after + 1, last), `after ${after}`)
  await t.throwsAsync(during(two.changesSince(0).next()), { code: 'HISTORY_GONE' })
  const next = two.changesSince(last).next()
  await during(one.set('new', 1))
  t.like((await during(next)).value, { key: 'new', sequence: last + 1 })
})

test('while nothing has been trimmed, changesSince reaches back to the beginning', async (t) => {
  const { open, during } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  await during(one.compact())
  await during(one.set('b', 1))
  const two = await open('two')
  t.deepEqual(await during(changesOf(two, 0, 2)), [1, 2])
})

test('changesSince waits for a sequence that another node has seen first, and for an engine that does not answer', async (t) => {
  const { open, during, pass, engine, leaderOf } = drivenNodes(t)
  engine.control.bodyBytesMax = 2_000
  const caches = [await open('one'), await open('two')] as const
  const leader = await leaderOf(caches)
  const behind = caches.find((cache) => cache !== leader) as ClusterCache
  await during(behind.flush())
  engine.control.network.judge = ({ to, what }) =>
    what === 'records' && to === (behind === caches[0] ? 'one' : 'two') ? 'lose' : undefined
  await during(leader.set('a', 'x'.repeat(5_000)))
  const changes = behind.changesSince(leader.local.stats().journal.sequence - 1)
  const next = changes.next()
  engine.control.network.judge = ({ what }) => (what === 'read' ? 'lose' : undefined)
  await pass(12_000)
  engine.control.network.judge = () => undefined
  t.like((await during(next)).value, { key: 'a' })
})
