/**
 * Every error that those who call `openCluster()` can get, and that is not the same in any cache: it says what happened, what that means for
 * the data, and what to do, in a cluster. There is no directory to repair or reopen.
 */
import test, { type ExecutionContext } from 'ava'
import type { ClusterCache } from '../../../../src/cluster.js'
import { sealed } from '../../../../src/edges/cluster/journal/sealed-record.js'
import type { LogRecord } from '../../../../src/edges/cluster/log.js'
import type { ClusterNode } from '../../../../src/edges/cluster/node/cluster-node.js'
import { loadLost, noLeader, tooMuchWaits } from '../../../../src/edges/cluster/node/refusals.js'
import { CacheError, type ErrorCode } from '../../../../src/errors.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

/** What only a cache in a directory, or one that processes share, has. */
const ELSEWHERE = /openCache|director(y|ies)|daybook (verify|repair)|onCorruption|reopen|processes/

function check(t: ExecutionContext, error: unknown, code: ErrorCode, advice: RegExp, allowed = /^$/): void {
  t.true(error instanceof CacheError, `${error}`)
  const { code: found, message } = error as CacheError
  t.is(found, code, message)
  t.regex(message, advice)
  const elsewhere = ELSEWHERE.exec(message)?.[0] ?? ''
  t.true(elsewhere === '' || allowed.test(elsewhere), message)
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('This was not refused')
}

/** Nothing that this node says reaches the engine, or the other way round. */
function silence(engine: ReturnType<typeof drivenNodes>['engine'], whats: readonly string[]): void {
  engine.control.network.judge = ({ what }) => (whats.includes(what) ? 'lose' : undefined)
}

test('a closed node says to open it again, whatever is called', async (t) => {
  const { open, during } = drivenNodes(t)
  const one = await open('one')
  await during(one.close())
  const calls: (() => unknown)[] = [
    () => one.set('a', 1),
    () => one.get('a'),
    () => one.get('a', { consistency: 'local' }),
    () => one.local.get('a'),
    () => one.local.stats(),
    () => one.at({ ago: '1s' }),
    () => one.save('file'),
    () => one.load('file'),
    () => one.fork('fork'),
    () => one.compact(),
    () => one.changesSince(0).next(),
  ]
  for (const call of calls)
    check(
      t,
      await errorOf(during((async () => call())())),
      'CACHE_CLOSED',
      /Open the cache again|Call openCluster\(\) again/,
    )
})

test('without a leader, calls say which of them may have taken effect', async (t) => {
  for (const wasSent of [true, false]) {
    const error = noLeader(wasSent, undefined)
    check(t, error, 'OWNER_UNAVAILABLE', /majority of the servers/)
    t.is(error.message.includes('may have taken effect'), wasSent)
  }
  check(t, tooMuchWaits(), 'OWNER_UNAVAILABLE', /majority of the servers/)
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one', { reconnectTimeout: 1 })
  await during(one.flush())
  engine.control.cut('one')
  check(t, await errorOf(during(one.set('a', 1))), 'OWNER_UNAVAILABLE', /majority of the servers/)
})

test('a leader that is lost during load() leaves it open whether the file has been loaded', (t) => {
  check(t, loadLost(), 'OUTCOME_UNKNOWN', /load it again/)
})

test('an engine that does not answer is said to be the reason while a node opens, and while it loads a file', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  for (const what of ['open', 'append', 'latest']) {
    silence(engine, [what])
    check(t, await errorOf(open(`without ${what}`)), 'ENGINE_UNAVAILABLE', /majority of the servers/)
  }
  engine.control.calm()
  const one = await open('one')
  const path = '/file'
  await during(one.set('a', 1))
  await during(one.save(path))
  silence(engine, ['write'])
  const result = await during(one.load(path))
  t.false(result.ok)
  if (!result.ok) check(t, result.error, 'ENGINE_UNAVAILABLE', /Nothing was changed.*majority of the servers/)
  silence(engine, ['read'])
  check(t, await errorOf(during(one.load(path))), 'ENGINE_UNAVAILABLE', /Nothing was changed.*majority of the servers/)
  engine.control.calm()
  t.like(await during(one.load(path)), { ok: true, entries: 1 })
})

test('a snapshot that cannot be written rejects compact() with COMPACTION_FAILED, whichever answer is missing', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  for (const what of ['latest', 'write', 'point', 'point answered']) {
    silence(engine, [what])
    check(t, await errorOf(during(one.compact())), 'COMPACTION_FAILED', /No change is lost.*compact\(\) again/)
    engine.control.calm()
    t.is(await during(one.get('a')), 1)
    await during(one.set(`after ${what}`, 1))
  }
  t.is((await during(one.compact())).entries, 5)
})

test('a node that is not up to date says so when a snapshot is asked of it', async (t) => {
  const { open, during, nodes, leaderOf } = drivenNodes(t)
  const caches = [await open('one'), await open('two')]
  const leader = await leaderOf(caches)
  await during(leader.set('a', 1))
  const { journal } = nodes.get(leader === caches[0] ? 'two' : 'one') as ClusterNode
  void journal.stand() // it reads nothing meanwhile
  check(t, await errorOf(journal.compact()), 'COMPACTION_FAILED', /compact\(\) again/)
})

test('a damaged record ends the calls and the streams of a node that follows, and opening', async (t) => {
  const { open, during, engine, until, nodes, leaderOf } = drivenNodes(t)
  const caches = [await open('one'), await open('two')]
  const leader = await leaderOf(caches)
  const follower = caches.find((cache) => cache !== leader) as ClusterCache
  await during(Promise.all(caches.map((cache) => cache.flush())))
  const changes = follower.changesSince(0)
  const next = errorOf(changes.next())
  const { records } = engine.control.shared('cluster')
  const { append } = records
  records.append = (record, after) => append.call(records, { ...record, node: `${record.node}!` }, after)
  void leader.set('a', 1).catch(() => undefined)
  await until(() => [...nodes.values()].some(({ journal }) => journal.failure !== undefined))
  const damage = /record \d+ of the log.*compact\(\) on a node/
  check(t, await errorOf(during(follower.set('b', 1))), 'CORRUPTION', damage)
  check(t, await during(next), 'CORRUPTION', damage)
  check(t, await errorOf(during(follower.compact())), 'CORRUPTION', damage)
  check(t, await errorOf(open('three')), 'CORRUPTION', damage)
})

test('what a cluster does not keep is said to be gone, with what to do instead', async (t) => {
  const { open, during } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  const fork = /fork\(\)/
  const aDirectory = /^directory$/
  for (const past of [
    () => one.at({ ago: '1s' }),
    () => one.restore({ ago: '1s' }),
    () => one.history('a').next(),
    () => one.diff({ ago: '1s' }).next(),
    () => one.fork('/fork', { ago: '1s' }),
  ])
    check(t, await errorOf(during(past() as Promise<unknown>)), 'HISTORY_GONE', fork, aDirectory)
  check(t, await errorOf(during(one.changesSince(5).next())), 'SEQUENCE_AHEAD', /anew from the entries/)
})

test('a node that does not fit says why', async (t) => {
  const { open, during, engine } = drivenNodes(t)
  const one = await open('one', { maxSize: 5 })
  check(t, await errorOf(open('two', { maxSize: 6 })), 'OPTIONS_DIFFER', /resize\(\)/)
  await during(one.close())
  const { records } = engine.control.shared('cluster')
  const body = Buffer.from(JSON.stringify({ protocol: 99, format: 2, name: 'cluster' }))
  const record: LogRecord = { kind: 'term', epoch: 9, node: 'newer', body }
  records.append(sealed(record), records.last)
  check(t, await errorOf(open('three')), 'UNSUPPORTED_VERSION', /same daybook on all nodes/)
})
