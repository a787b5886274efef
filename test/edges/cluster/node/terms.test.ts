/** Who leads, and what becomes of commands when that changes. */
import test, { type ExecutionContext } from 'ava'
import type { ClusterCache } from '../../../../src/cluster.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

const NAMES = ['one', 'two', 'three']

async function threeOf(t: ExecutionContext) {
  const driven = drivenNodes(t)
  const caches: ClusterCache[] = []
  for (const name of NAMES) caches.push(await driven.open(name))
  const leader = await driven.leaderOf(caches)
  for (const cache of caches) await driven.during(cache.flush())
  const leaderName = NAMES[caches.indexOf(leader)] as string
  const followers = caches.filter((cache) => cache !== leader)
  return { ...driven, caches, leader, leaderName, followers: followers as [ClusterCache, ClusterCache] }
}

test('when the leader crashes another node leads, and what was asked meanwhile takes effect once', async (t) => {
  const { engine, clock, leaderName, followers, during } = await threeOf(t)
  const [one, other] = followers
  await during(one.set('n', 0))
  const before = clock.now()
  const calls = Array.from({ length: 50 }, () => one.increment('n'))
  engine.control.crash(leaderName)
  const answers = await during(Promise.all([...calls, other.increment('n')]))
  t.true(clock.now() - before < 2_000, `after ${clock.now() - before} ms`)
  t.is(new Set(answers).size, 51)
  t.is(await during(other.get('n')), 51)
})

test('a node that has asked a stopped leader for a line asks the next one as soon as that leads', async (t) => {
  const { engine, clock, leaderName, during, open } = await threeOf(t)
  engine.control.pause(leaderName)
  const before = clock.now()
  const fourth = await open('four')
  t.is(await during(fourth.increment('n')), 1)
  t.true(clock.now() - before < 2_500, `after ${clock.now() - before} ms`)
})

test('a leader that was stopped past the election takes back what it had not in the log, and follows', async (t) => {
  const { engine, leader, leaderName, followers, during, pass, nodes } = await threeOf(t)
  await during(leader.set('n', 0))
  const changes: number[] = []
  leader.changes$.subscribe(({ sequence }) => changes.push(sequence))
  engine.control.network.judge = ({ from, what }) => (from === leaderName && what === 'append' ? 'lose' : undefined)
  const lost = leader.increment('n')
  await pass(50)
  t.is(nodes.get(leaderName)?.cache.peek('n'), 1, 'it is in the state before it is in the log')
  t.deepEqual(changes, [], 'and the streams do not know')
  engine.control.pause(leaderName)
  t.is(await during(followers[0].increment('n')), 1)
  engine.control.network.judge = () => undefined
  engine.control.resume(leaderName)
  t.is(await during(lost), 2, 'its own command is answered by the new leader')
  t.is(leader.local.get('n'), 2)
  t.deepEqual(changes, [2, 3])
})

test('a leader that closes hands over at once', async (t) => {
  const { clock, leader, followers, during } = await threeOf(t)
  const before = clock.now()
  const closing = leader.close()
  const calls = Array.from({ length: 20 }, () => followers[0].increment('n'))
  await during(Promise.all([closing, ...calls]))
  t.true(clock.now() - before < 600, `after ${clock.now() - before} ms`)
  t.is(await during(followers[1].get('n')), 20)
})

test('an append that is stored though it timed out is followed, and its command is answered once', async (t) => {
  const { engine, leader, leaderName, followers, during } = await threeOf(t)
  let lost = 0
  engine.control.network.judge = ({ to, what }) =>
    to === leaderName && what === 'append answered' && lost++ < 1 ? 'lose' : undefined
  t.is(await during(leader.increment('n')), 1)
  t.is(await during(followers[0].increment('n')), 2)
})

test('a node that is cut off reads its copy, refuses calls in time, and catches up', async (t) => {
  const { engine, caches, followers, during, pass } = await threeOf(t)
  const [one, other] = followers
  await during(one.set('a', 1))
  const name = NAMES[caches.indexOf(one)] as string
  for (const place of ['engine', ...NAMES]) if (place !== name) engine.control.cut(name, place)
  const refused = t.throwsAsync(one.set('a', 2), { code: 'OWNER_UNAVAILABLE' })
  t.is(one.local.get('a'), 1)
  const lags: number[] = []
  one.role$.subscribe(({ lagMs }) => lags.push(lagMs))
  await during(refused)
  t.true(lags.some((lagMs) => lagMs > 5_000))
  await during(other.set('b', 1))
  for (const place of ['engine', ...NAMES]) if (place !== name) engine.control.heal(name, place)
  await pass(6_000) // its own last attempt to lead has to time out first
  t.is(one.local.get('b'), 1)
  t.true(await during(one.set('c', 1)))
})

test('no clock decides: nodes whose clocks are 10 s apart lead one after the other, and no time goes back', async (t) => {
  const { engine, caches, leader, leaderName, during } = await threeOf(t)
  const times: number[] = []
  const others = caches.filter((cache) => cache !== leader)
  engine.control.skew(leaderName, 10_000)
  for (const name of NAMES) if (name !== leaderName) engine.control.skew(name, -10_000)
  await during(leader.set('soon', 1, { ttl: '1m' }))
  const iterator = (others[0] as ClusterCache).changesSince(0)
  await during(leader.close())
  await during((others[0] as ClusterCache).set('later', 1))
  t.is(await during((others[1] as ClusterCache).get('soon')), 1)
  for (let count = 0; count < 2; count++) {
    const { value } = await during(iterator.next())
    times.push(value?.timeMs ?? 0)
  }
  t.true((times[1] as number) >= (times[0] as number))
  await iterator.return?.()
})

test('keys that a node has hit in its copy are not the first to be evicted', async (t) => {
  const driven = drivenNodes(t)
  const caches = [await driven.open('one', { maxSize: 3 }), await driven.open('two')]
  const leader = await driven.leaderOf(caches)
  const follower = caches.find((cache) => cache !== leader) as ClusterCache
  for (const key of ['a', 'b', 'c']) await driven.during(follower.set(key, key))
  t.is(follower.local.get('a'), 'a')
  await driven.pass(2_000)
  await driven.during(follower.set('d', 'd'))
  t.deepEqual(follower.local.keys().sort(), ['a', 'c', 'd'])
})

test('20,000 open commands and another leader: each takes effect once, in the order of its client, and nothing is sent again and again', async (t) => {
  const { engine, leaderName, followers, during } = await threeOf(t)
  const [one, other] = followers
  await during(Promise.all([one.set('n', 0), other.set('n', 0)]))
  let requests = 0
  engine.control.network.judge = ({ what }) => {
    if (what === 'request') requests++
    return undefined
  }
  const order: number[] = []
  const calls = Array.from({ length: 20_000 }, (_, at) => one.increment('n').then(() => void order.push(at)))
  engine.control.crash(leaderName)
  await during(Promise.all(calls))
  t.is(await during(other.get('n')), 20_000)
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
  t.true(requests < 1_000, `${requests} requests`)
})

test('a damaged record ends the calls of a node with a CorruptionError; its copy can still be read', async (t) => {
  const { engine, followers, leader, during, until } = await threeOf(t)
  const [one] = followers
  await during(one.set('a', 1))
  const { records } = engine.control.shared('cluster')
  const append = records.append.bind(records)
  records.append = (record, after) => {
    if (record.kind === 'frame') record.body[record.body.length - 1] = (record.body.at(-1) as number) ^ 1
    return append(record, after)
  }
  const changed = leader.set('a', 2).catch(() => undefined)
  let failure: unknown
  one
    .get('a')
    .then(() => one.get('a'))
    .catch((error) => {
      failure = error
    })
  await until(() => failure !== undefined)
  t.like(failure, { code: 'CORRUPTION' })
  await t.throwsAsync(one.set('b', 1), { code: 'CORRUPTION' })
  t.is(one.local.get('a'), 1)
  await during(changed)
})
