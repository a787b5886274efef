/** What a node does itself: its disk, its copy, its streams; and what it refuses. */
import { join } from 'node:path'
import test from 'ava'
import { openCluster } from '../../../../src/cluster.js'
import { openCache } from '../../../../src/index.js'
import { memoryLog } from '../../../../src/testing.js'
import { threeNodes } from '../../../helpers/cluster/three-nodes.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

test('a node saves what was acknowledged, and loads a file for all, whichever leads', async (t) => {
  const { leader, followers } = await threeNodes(t)
  const path = join(temporaryDirectory(t), 'file.snapshot')
  await leader.setMany([
    ['a', 1],
    ['b', { deep: [2] }],
  ])
  for (const node of [...followers, leader]) {
    await leader.set('a', 1)
    t.like(await node.save(path, { format: 'snapshot' }), { ok: true, entries: 2 })
    await leader.clear()
    await leader.set('c', 3)
    t.like(await node.load(path, { format: 'snapshot' }), { ok: true, entries: 2, expired: 0, evicted: 0 })
    for (const each of [leader, ...followers]) {
      await each.flush()
      t.deepEqual(each.local.keys().sort(), ['a', 'b'])
    }
  }
  t.like(await leader.load(join(temporaryDirectory(t), 'missing')), { ok: false })
})

test('fork(now) is a journal of its own; what looks back is refused, with what to do', async (t) => {
  const { leader, followers } = await threeNodes(t)
  const node = followers[0] as typeof leader
  await leader.set('a', 1)
  for (const each of [leader, node]) {
    const directory = join(temporaryDirectory(t), 'fork')
    t.like(await each.fork(directory), { sequence: 1, entries: 1 })
    const copy = await openCache({ directory })
    t.is(copy.get('a'), 1)
    await copy.close()
  }
  const gone = { code: 'HISTORY_GONE', message: /fork\(\)/ }
  await t.throwsAsync(node.at({ ago: '1s' }), gone)
  await t.throwsAsync(node.restore({ ago: '1s' }), gone)
  await t.throwsAsync(node.history('a').next(), gone)
  await t.throwsAsync(node.diff({ ago: '1s' }).next(), gone)
  await t.throwsAsync(node.fork(join(temporaryDirectory(t), 'past'), { ago: '1m' }), { code: 'HISTORY_GONE' })
})

test('changesSince has every change after a sequence once, then the new ones, on every node', async (t) => {
  const { leader, followers } = await threeNodes(t)
  for (let count = 0; count < 20; count++) await leader.set(`k${count}`, count)
  for (const node of [leader, ...followers]) {
    await node.flush()
    const iterator = node.changesSince(5)
    const sequences: number[] = []
    for (let count = 0; count < 15; count++) sequences.push((await iterator.next()).value?.sequence ?? 0)
    t.deepEqual(
      sequences,
      Array.from({ length: 15 }, (_, at) => at + 6),
    )
    const next = iterator.next()
    await leader.set('new', node === leader ? 1 : 2)
    t.like((await next).value, { type: 'set', key: 'new' })
    await iterator.return?.()
    await leader.delete('new')
    await t.throwsAsync(node.changesSince(10_000).next(), { code: 'SEQUENCE_AHEAD' })
  }
})

test('a read may be of this node alone; another consistency is a TypeError', async (t) => {
  const { leader, followers } = await threeNodes(t)
  const node = followers[0] as typeof leader
  await node.set('a', 1)
  t.is(await node.get('a', { consistency: 'local' }), 1)
  t.is(await node.get('a', { consistency: 'linearizable', stale: true }), 1)
  await t.throwsAsync(node.get('a', { consistency: 'eventual' as never }), { instanceOf: TypeError })
  t.deepEqual(node.local.getMany(['a', 'b']), [1, undefined])
  t.is(node.local.size, 1)
  t.is(node.local.peek('a'), 1)
  t.deepEqual(node.local.hasMany(['a', 'b']), [true, false])
  t.deepEqual([...node.local.scan().keys], ['a'])
})

test('streams have the same events with the same sequences on every node, told before the answer', async (t) => {
  const { leader, followers } = await threeNodes(t, { maxSize: 3 })
  const nodes = [leader, ...followers]
  const seen = nodes.map((node) => {
    const changes: unknown[] = []
    node.changes$.subscribe((change) => changes.push(change))
    return changes
  })
  for (const [index, node] of nodes.entries()) {
    await node.set('a', index)
    t.is((seen[index] as { value: number }[]).at(-1)?.value, index)
    await node.setMany([
      ['b', 1],
      ['c', 2],
      ['d', 3],
    ])
    await node.clear()
  }
  for (const node of nodes) await node.flush()
  t.deepEqual(seen[1], seen[0])
  t.deepEqual(seen[2], seen[0])
})

test('options of one process alone, and options that differ from the cluster, are refused by name', async (t) => {
  const engine = memoryLog()
  for (const option of ['directory', 'history', 'clock', 'inspect', 'random', 'journal', 'isolation'])
    await t.throwsAsync(async () => openCluster({ name: 'c', engine, [option]: undefined } as never), {
      instanceOf: TypeError,
      message: new RegExp(option),
    })
  await t.throwsAsync(async () => openCluster({ name: '', engine }), { instanceOf: TypeError })
  await t.throwsAsync(async () => openCluster({ name: 'c', engine: {} as never }), { instanceOf: TypeError })
  const one = await openCluster({ name: 'c', engine, maxSize: 5, ttl: '1h' })
  t.teardown(() => one.close())
  const differ = { code: 'OPTIONS_DIFFER' }
  await t.throwsAsync(openCluster({ name: 'c', engine, maxSize: 6 }), {
    ...differ,
    message: /maxSize: 6.*has 5.*resize/,
  })
  await t.throwsAsync(openCluster({ name: 'c', engine, maxBytes: 6 }), { ...differ, message: /maxBytes/ })
  await t.throwsAsync(openCluster({ name: 'c', engine, ttl: '2h' }), { ...differ, message: /ttl/ })
  await t.throwsAsync(openCluster({ name: 'c', engine, eviction: 's3-fifo' }), { ...differ, message: /eviction/ })
  await one.resize({ maxSize: 6 })
  const two = await openCluster({ name: 'c', engine, maxSize: 6, ttl: '1h', eviction: 'lru' })
  t.is((await two.stats()).journal.maxSize, 6)
  await two.close()
})

test('with s3-fifo a follower keeps queues of its own, by which it evicts once it leads', async (t) => {
  const options = { name: 'c', engine: memoryLog(), maxSize: 10, eviction: 's3-fifo' } as const
  const one = await openCluster(options)
  const two = await openCluster(options)
  t.teardown(() => two.close())
  for (let number = 0; number < 12; number++) await one.set(`${number}`, number)
  await one.set('0', 'again') // soon after it was evicted, so it goes to the main queue
  await two.flush()
  t.deepEqual([...two.local.keys()].sort(), [...one.local.keys()].sort())
  await one.close()
  for (let number = 0; number < 100; number++) await two.set(`scan ${number}`, number)
  t.is(await two.get('0'), 'again')
  t.is(await two.size, 10)
})

test('role$ has the role at once and each change, and completes; a closed node refuses', async (t) => {
  const engine = memoryLog()
  const one = await openCluster({ name: 'c', engine })
  await one.flush()
  const roles: string[] = []
  let isComplete = false
  one.role$.subscribe({
    next: ({ role, leader, term, lagMs }) => roles.push(`${role} ${leader !== undefined} ${term} ${lagMs < 1_000}`),
    complete: () => {
      isComplete = true
    },
  })
  t.deepEqual(roles, ['leader true 1 true'])
  await one.close()
  t.true(isComplete)
  await t.throwsAsync(one.set('a', 1), { code: 'CACHE_CLOSED' })
  t.throws(() => one.local.get('a'), { code: 'CACHE_CLOSED' })
})

test('one loader runs for a key, whichever nodes ask; if its node closes, the next one loads', async (t) => {
  const { leader, followers } = await threeNodes(t)
  let loads = 0
  let finish: (value: string) => void = () => undefined
  const load = () => {
    loads++
    return new Promise<string>((resolve) => {
      finish = resolve
    })
  }
  const [one, other] = followers as [typeof leader, typeof leader]
  const first = one.getOrSet('a', load)
  const [second, third] = [other.getOrSet('a', load), leader.getOrSet('a', load)]
  while (loads === 0) await leader.flush()
  await other.flush()
  t.is(loads, 1)
  finish('loaded')
  t.deepEqual(await Promise.all([first, second, third]), ['loaded', 'loaded', 'loaded'])
  t.is(loads, 1)
  const refused = t.throwsAsync(one.getOrSet('b', load), { code: 'CACHE_CLOSED' })
  while (loads === 1) await leader.flush()
  const next = other.getOrSet('b', load)
  await other.flush()
  await one.close()
  await refused
  while (loads === 2) await leader.flush()
  finish('by the next')
  t.is(await next, 'by the next')
})
