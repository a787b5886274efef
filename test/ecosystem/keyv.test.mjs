/** `daybook/keyv` with Keyv 5 and 6, and cache-manager on it. */
import test from 'ava'
import { createCache } from 'cache-manager'
import Keyv from 'keyv'
import { packed, project } from './packed.mjs'
import { runTool } from './run-tool.mjs'

const { memoryCache } = packed('daybook')
const { ManualClock } = packed('daybook/testing')
const { keyvStore } = packed('daybook/keyv')

test('the test suite of Keyv passes, all 42', async (t) => {
  t.regex(await runTool(t, 'vitest', 'run', '--dir', 'fixtures/suites', 'keyv'), /Tests +42 passed/)
})

test('a Keyv 5 has values, times to live and a namespace of its own', async (t) => {
  const cache = memoryCache({ clock: new ManualClock() })
  const users = new Keyv({ store: keyvStore({ cache }), namespace: 'users' })
  const others = new Keyv({ store: keyvStore({ cache }), namespace: 'others' })
  t.true(await users.set('ada', { born: 1815 }, 60_000))
  t.true(await others.set('ada', 1))
  t.deepEqual(await users.get('ada'), { born: 1815 })
  t.is(cache.ttl('users:ada'), 60)
  await users.clear()
  t.is(await users.get('ada'), undefined)
  t.is(await others.get('ada'), 1)
  const found = []
  for await (const pair of others.iterator()) found.push(pair)
  t.deepEqual(found, [['ada', 1]])
})

test('a Keyv 5 with useKeyPrefix: false keeps to its namespace as well', async (t) => {
  const cache = memoryCache()
  cache.set('elsewhere', 1)
  const users = new Keyv({ store: keyvStore({ cache }), namespace: 'users', useKeyPrefix: false })
  await users.set('ada', 1)
  t.is(await users.get('ada'), 1)
  const found = []
  for await (const pair of users.iterator()) found.push(pair)
  t.deepEqual(found, [['ada', 1]])
  await users.clear()
  t.deepEqual(cache.keys(), ['elsewhere'])
})

test('Keyv 5 without a serializer stores values as they are', async (t) => {
  const keyv = new Keyv({ store: keyvStore({ cache: memoryCache() }), serialize: undefined, deserialize: undefined })
  await keyv.set('when', new Map([[1, new Date(0)]]))
  t.deepEqual(await keyv.get('when'), new Map([[1, new Date(0)]]))
})

test('an error of the cache is an error of Keyv', async (t) => {
  const cache = memoryCache()
  await cache.close()
  const keyv = new Keyv({ store: keyvStore({ cache }), throwOnErrors: true })
  const errors = []
  keyv.on('error', (error) => errors.push(error.code))
  await t.throwsAsync(keyv.set('a', 1), { code: 'CACHE_CLOSED' })
  t.deepEqual(errors, ['CACHE_CLOSED'])
})

test('cache-manager keeps its entries and times to live in it', async (t) => {
  const cache = memoryCache()
  const manager = createCache({ stores: [new Keyv({ store: keyvStore({ cache }) })] })
  t.is(await manager.wrap('a', async () => 1, 60_000), 1)
  t.is(await manager.wrap('a', async () => 2), 1)
  await manager.mset([{ key: 'b', value: 2 }])
  t.deepEqual(await manager.mget(['a', 'b', 'c']), [1, 2, undefined])
  t.is(cache.size, 2)
  t.true(await manager.clear())
  t.is(cache.size, 0)
})

test('a cache that is given to Keyv itself looks like a Map to it: with a time to live its set fails', async (t) => {
  const keyv = new Keyv({ store: memoryCache() })
  keyv.on('error', () => undefined)
  t.true(await keyv.set('a', 1))
  t.false(await keyv.set('b', 1, 1_000))
})

// Keyv 6 needs Node 22; .ci/run runs this file on Node 24 as well.
if (Number(process.versions.node.split('.')[0]) >= 22) {
  const { default: Keyv6, detectKeyvStorage } = await import('keyv6')

  /** A Keyv 6 on a cache in memory, and what is below it. */
  function open(options = {}) {
    const cache = memoryCache()
    const store = keyvStore({ cache })
    return { cache, store, keyv: new Keyv6({ store, ...options }) }
  }

  test('Keyv 6 uses the store as it is, without a bridge', (t) => {
    const { keyv, store } = open()
    t.is(keyv.store, store)
    t.is(detectKeyvStorage(store).store, 'keyvStorage')
  })

  test('Keyv 6: values of all kinds come back', async (t) => {
    const { keyv } = open()
    for (const value of ['text', 0, 1.5, true, false, null, [1, [2]], { a: { b: 1 } }, '日本語', "'", '"']) {
      t.true(await keyv.set('key', value))
      t.deepEqual(await keyv.get('key'), value)
    }
    t.is(await keyv.get('nothing'), undefined)
  })

  test('Keyv 6: a time to live becomes the deadline of the entry', async (t) => {
    const { keyv, cache } = open()
    const before = Date.now()
    await keyv.set('key', 1, 60_000)
    const { expiresAtMs } = cache.entry('key')
    t.true(expiresAtMs >= before + 60_000 && expiresAtMs <= Date.now() + 60_000)
    await keyv.set('key', 1)
    t.is(cache.entry('key').expiresAtMs, undefined)
  })

  test('Keyv 6: an entry that has expired is gone for every method', async (t) => {
    const clock = new ManualClock(Date.now())
    const cache = memoryCache({ clock })
    const keyv = new Keyv6({ store: keyvStore({ cache }), checkExpired: false })
    await keyv.set('key', 1, 10_000)
    t.true(await keyv.has('key'))
    clock.advance(11)
    t.is(await keyv.get('key'), undefined)
    t.false(await keyv.has('key'))
    t.deepEqual(await keyv.getMany(['key']), [undefined])
    t.deepEqual(await keyv.hasMany(['key']), [false])
    t.false(await keyv.delete('key'))
    const found = []
    for await (const pair of keyv.iterator()) found.push(pair)
    t.deepEqual(found, [])
  })

  test('Keyv 6: many at once', async (t) => {
    const { keyv } = open({ namespace: 'many' })
    const rows = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, ttl: 60_000 },
    ]
    t.deepEqual(await keyv.setMany(rows), [true, true])
    t.deepEqual(await keyv.getMany(['a', 'x', 'b']), [1, undefined, 2])
    t.deepEqual(await keyv.hasMany(['a', 'x']), [true, false])
    t.deepEqual(await keyv.deleteMany(['a', 'x', 'b']), [true, false, true])
    t.deepEqual(await keyv.hasMany(['a', 'b']), [false, false])
  })

  test('Keyv 6: two namespaces on one cache', async (t) => {
    const cache = memoryCache()
    const users = new Keyv6({ store: keyvStore({ cache }), namespace: 'users' })
    const others = new Keyv6({ store: keyvStore({ cache }), namespace: 'others' })
    await users.set('1', 'ada')
    await others.set('1', 'bob')
    const found = []
    for await (const pair of users.iterator()) found.push(pair)
    t.deepEqual(found, [['1', 'ada']])
    await users.clear()
    t.is(await users.get('1'), undefined)
    t.is(await others.get('1'), 'bob')
    await users.disconnect()
    t.is(await others.get('1'), 'bob')
  })
}

test('the tests ran on the packed library', (t) => t.regex(packed.resolve('daybook/keyv'), new RegExp(project)))
