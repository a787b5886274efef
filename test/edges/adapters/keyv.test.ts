/** The two contracts of Keyv, as Keyv 5 and 6 call a store. With Keyv itself: test/ecosystem/keyv.test.mjs. */
import test from 'ava'
import { type BackingOptions, keyvStore } from '../../../src/edges/adapters/keyv.js'
import { ValueError } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

/** As Keyv 5 is given a store: it reads the dialect. */
function keyv5Store(options: BackingOptions) {
  const store = keyvStore(options)
  if (store.opts.dialect !== 'redis') throw new Error('Keyv 5 knows no such dialect')
  return store
}

/** As Keyv 6 is given a store. */
function keyv6Store(options: BackingOptions, namespace?: string) {
  const store = keyvStore(options)
  store.namespace = namespace
  return store
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of iterable) items.push(item)
  return items
}

for (const { kind, open } of BACKINGS) {
  test(`Keyv 5 on ${kind}: a time to live is in milliseconds`, async (t) => {
    const { clock, backing } = await open(t)
    const store = keyv5Store({ cache: backing })
    t.true(await store.set('users:1', '{"value":1}', 1_500))
    clock.advance('1499ms')
    t.is(await store.get('users:1'), '{"value":1}')
    t.true(await store.has('users:1'))
    clock.advance('1ms')
    t.is(await store.get('users:1'), undefined)
    t.false(await store.has('users:1'))
  })

  test(`Keyv 5 on ${kind}: many keys at once`, async (t) => {
    const { clock, backing } = await open(t)
    const store = keyv5Store({ cache: backing })
    const rows = [
      { key: 'a', value: '1', ttl: 1_000 },
      { key: 'b', value: '2' },
    ]
    t.deepEqual(await store.setMany(rows), [true, true])
    t.deepEqual(await store.getMany(['a', 'c', 'b']), ['1', undefined, '2'])
    clock.advance(1)
    t.deepEqual(await store.hasMany(['a', 'b', 'c']), [false, true, false])
    t.true(await store.deleteMany(['a', 'b']))
    t.false(await store.deleteMany(['a', 'b']))
    t.true(await store.set('a', '1'))
    t.true(await store.delete('a'))
    t.false(await store.delete('a'))
  })

  test(`Keyv 5 on ${kind}: clear deletes the entries of the namespace only`, async (t) => {
    const { cache, backing } = await open(t)
    cache.set('elsewhere', 1)
    const store = keyv5Store({ cache: backing })
    for (const key of ['users:1', 'users:2', 'usersx']) await store.set(key, '')
    store.namespace = 'users'
    await store.clear()
    t.deepEqual(await store.hasMany(['users:1', 'users:2']), [false, false])
    t.deepEqual([await (await backing).has('usersx'), cache.has('elsewhere')], [true, true])
  })

  test(`Keyv 5 on ${kind}, with useKeyPrefix: false: the store puts the namespace in front`, async (t) => {
    const { cache, backing } = await open(t)
    cache.set('elsewhere', 1)
    const store = keyv5Store({ cache: backing })
    store.namespace = 'users'
    await store.set('1', 'ada')
    t.is(await (await backing).get('users:1'), 'ada')
    t.is(await store.get('1'), 'ada')
    t.deepEqual(await all(store.iterator('users')), [['1', 'ada']])
    await store.clear()
    t.deepEqual(cache.keys(), ['elsewhere'])
  })

  test(`Keyv 5 on ${kind}: the iterator yields keys with their namespace, and counts no hits`, async (t) => {
    const { cache, backing } = await open(t, { maxSize: 10_000 })
    const store = keyv5Store({ cache: backing })
    const rows = Array.from({ length: 2_500 }, (_, index) => ({ key: `users:${index}`, value: index }))
    await store.setMany([...rows, { key: 'other:1', value: 1 }])
    const found = await all(store.iterator<number>('users'))
    t.deepEqual(
      found.sort(([, a], [, b]) => a - b),
      rows.map(({ key, value }) => [key, value]),
    )
    t.is(cache.stats().hits, 0)
  })

  test(`Keyv 6 on ${kind}: a deadline is absolute`, async (t) => {
    const { clock, backing } = await open(t)
    const store = keyv6Store({ cache: backing })
    t.true(await store.set('a', 'x', clock.now() + 1_500))
    t.true(await store.set('never', 'x', Number.POSITIVE_INFINITY))
    t.deepEqual(await store.setMany([{ key: 'b', value: 'x', expires: clock.now() + 1_500 }]), [true])
    clock.advance('1499ms')
    t.deepEqual(await store.getMany(['a', 'b']), ['x', 'x'])
    clock.advance('1ms')
    t.deepEqual(await store.getMany(['a', 'b', 'never']), [undefined, undefined, 'x'])
  })

  test(`Keyv 6 on ${kind}: a deadline that has passed leaves no entry`, async (t) => {
    const { clock, backing } = await open(t)
    const store = keyv6Store({ cache: backing })
    await store.set('a', 'old')
    t.true(await store.set('a', 'new', clock.now()))
    t.is(await store.get('a'), undefined)
    t.true(await store.set('a', 'new', 1)) // not taken for seconds
    t.is(await store.get('a'), undefined)
  })

  test(`Keyv 6 on ${kind}: the store puts the namespace in front of keys, and takes it from those of the iterator`, async (t) => {
    const { backing } = await open(t)
    const users = keyv6Store({ cache: backing }, 'users')
    const others = keyv6Store({ cache: backing }, 'others')
    await users.set('1', 'ada')
    await others.set('1', 'bob')
    t.is(await users.get('1'), 'ada')
    t.is(await (await backing).get('users:1'), 'ada')
    t.deepEqual(await all(users.iterator()), [['1', 'ada']])
    t.deepEqual(await users.deleteMany(['1', '2', '1']), [true, false, false])
    await users.clear()
    t.is(await others.get('1'), 'bob')
  })
}

test('values need not be text: what structured cloning takes comes back equal', async (t) => {
  const { cache } = await openMemory(t)
  const store = keyvStore({ cache })
  const value = { value: new Map([[1, new Date(0)]]), expires: undefined }
  await store.set('a', value)
  t.deepEqual(await store.get('a'), value)
})

test('a time to live that is negative expires at once', async (t) => {
  const { cache } = await openMemory(t)
  const store = keyv5Store({ cache })
  t.true(await store.set('a', 'x', -1))
  t.is(await store.get('a'), undefined)
})

test('a time of null is none, as in Keyv', async (t) => {
  const { cache } = await openMemory(t)
  const [five, six] = [keyv5Store({ cache }), keyv6Store({ cache })]
  await five.set('a', 'x', null)
  await five.setMany([{ key: 'b', value: 'x', ttl: null }])
  await six.set('c', 'x', null)
  await six.setMany([{ key: 'd', value: 'x', expires: null }])
  for (const key of ['a', 'b', 'c', 'd']) t.is(cache.ttl(key), Number.POSITIVE_INFINITY)
})

test('a deadline that no Date can express is never', async (t) => {
  const { cache } = await openMemory(t)
  t.true(await keyv6Store({ cache }).set('a', 'x', Number.MAX_SAFE_INTEGER))
  t.is(cache.ttl('a'), Number.POSITIVE_INFINITY)
})

test('setMany is one frame: all of it or nothing', async (t) => {
  const { cache } = await openMemory(t)
  const store = keyvStore({ cache })
  const rows = [
    { key: 'a', value: 'x' },
    { key: 'b', value: () => undefined },
  ]
  await t.throwsAsync(store.setMany(rows), { instanceOf: ValueError })
  t.is(cache.size, 0)
})

test('entries and deadlines survive reopening', async (t) => {
  const opened = await openMemory(t)
  const store = keyv5Store({ cache: opened.cache })
  await store.set('users:1', 'ada', 10_000)
  const { cache, clock } = await reopen(t, opened)
  const again = keyvStore({ cache })
  clock.advance('9999ms')
  t.is(await again.get('users:1'), 'ada')
  clock.advance('1ms')
  t.is(await again.get('users:1'), undefined)
})

test('disconnect leaves the cache open', async (t) => {
  const { cache } = await openMemory(t)
  await keyvStore({ cache }).disconnect()
  t.true(cache.set('a', 1))
})

test('what is not a cache, and an option that does not exist, are refused', (t) => {
  t.throws(() => keyvStore({ cache: new Map() as never }), {
    instanceOf: TypeError,
    message: /^cache must be a cache, a client of one, a namespace, or a promise of one; an object is not/,
  })
  t.throws(() => keyvStore(undefined as never), { instanceOf: TypeError, message: /options must be an object/ })
  t.throws(() => keyvStore({ cahce: 1 } as never), { instanceOf: TypeError, message: /Did you mean cache\?/ })
})

test('a cache that cannot be opened rejects every call with the reason', async (t) => {
  const refused = Promise.reject(new Error('locked'))
  refused.catch(() => undefined)
  await t.throwsAsync(keyvStore({ cache: refused }).get('a'), { message: 'locked' })
})
