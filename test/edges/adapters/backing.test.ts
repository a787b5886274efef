/** What the adapters have in common. */
import test, { type ExecutionContext } from 'ava'
import { type Backing, inOneTurn, update, written } from '../../../src/edges/adapters/backing.js'
import { checkMetricsOptions, figuresReader } from '../../../src/edges/adapters/figures.js'
import { keyvStore } from '../../../src/edges/adapters/keyv.js'
import { nextCacheHandler } from '../../../src/edges/adapters/next.js'
import { rateLimitStore } from '../../../src/edges/adapters/rate-limit.js'
import { unstorageDriver } from '../../../src/edges/adapters/unstorage.js'
import { type Cache, CacheError, openCache } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { blockingClient } from '../../helpers/edges/blocking-client.js'
import { loopTurn } from '../../helpers/loop-turn.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function onDisk(t: ExecutionContext): Promise<Cache> {
  const cache = await openCache({ directory: temporaryDirectory(t), fsync: 'never' })
  t.teardown(() => cache.close())
  return cache
}

/** Changes, each through an adapter or what adapters use. */
const CHANGES: Readonly<Record<string, (cache: Cache) => Promise<unknown>>> = {
  'written(set)': (cache) => written(cache.set('a', 1)),
  update: (cache) => update(cache, 'a', () => [1, {}]),
  'Keyv set': (cache) => keyvStore({ cache }).set('a', 1),
  'Keyv setMany': (cache) => keyvStore({ cache }).setMany([{ key: 'a', value: 1 }]),
  'a hit of a rate limit': (cache) => rateLimitStore({ cache }).increment('a'),
}

for (const [name, change] of Object.entries(CHANGES)) {
  test(`${name} is acknowledged when the journal has been written`, async (t) => {
    const cache = await onDisk(t)
    cache.set('before', 1)
    t.true(cache.stats().journal.pendingBytes > 0)
    await change(cache)
    t.is(cache.stats().journal.pendingBytes, 0)
    t.is(cache.stats().journal.sequence, 2)
  })
}

for (const { kind, open } of BACKINGS) {
  test(`on ${kind}: steps are one turn, one frame, all or none`, async (t) => {
    const { backing } = await open(t)
    const cache = await backing
    t.deepEqual(
      await inOneTurn(cache, [
        { type: 'set', key: 'a', value: 1 },
        { type: 'get', key: 'a' },
      ]),
      [true, 1],
    )
    const failing = inOneTurn(cache, [
      { type: 'set', key: 'a', value: 'text' },
      { type: 'increment', key: 'a' },
    ])
    await t.throwsAsync(failing, { instanceOf: CacheError })
    t.is(await cache.peek('a'), 1)
  })

  test(`on ${kind}: concurrent updates of a key all take effect`, async (t) => {
    const { backing } = await open(t)
    const cache: Backing = await backing
    const add = (part: string) => update<string>(cache, 'a', (entry) => [`${entry?.value ?? ''}${part}`, {}])
    const parts = [...'abcdefghijklmnopqrstuvwxyz']
    await Promise.all(parts.map(add))
    t.deepEqual([...((await cache.peek('a')) as string)].sort(), parts)
    await update<string>(cache, 'a', () => undefined)
    t.is(((await cache.peek('a')) as string).length, 26)
  })
}

test('on a client that blocks, and a namespace of one: steps and updates', async (t) => {
  const { client, end } = await blockingClient(undefined)
  t.teardown(end)
  for (const cache of [client, client.namespace('mine:')]) {
    const hits = rateLimitStore({ cache })
    t.is((await hits.increment('ip')).totalHits, 1)
    t.is((await hits.increment('ip')).totalHits, 2)
    await hits.decrement('ip')
    t.is((await hits.get('ip'))?.totalHits, 1)
    t.deepEqual(await keyvStore({ cache }).deleteMany(['rl:ip', 'none']), [true, false])
  }
})

test('a promise of a cache that rejects before the first call is the error of that call, and is not unhandled', async (t) => {
  const failing = () => Promise.reject<Cache>(new CacheError('CACHE_LOCKED', 'locked'))
  const unhandled: unknown[] = []
  const note = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', note)
  t.teardown(() => process.off('unhandledRejection', note))
  const keyv = keyvStore({ cache: failing() })
  const hits = rateLimitStore({ cache: failing() })
  const handler = nextCacheHandler({ cache: failing() })
  const driver = unstorageDriver({ cache: failing() })
  const stats = figuresReader(checkMetricsOptions({ cache: failing() }, []).cache)
  await loopTurn()
  await loopTurn()
  t.deepEqual(unhandled, [])
  const calls = [() => keyv.get('a'), () => hits.get('a'), () => handler.get('a'), async () => driver.getItem('a')]
  for (const call of calls) await t.throwsAsync(async () => call(), { code: 'CACHE_LOCKED' })
  t.is(await stats(), undefined, 'no figures')
})
