/** The contract of unstorage's drivers. With unstorage itself: test/ecosystem/unstorage.test.mjs. */
import test from 'ava'
import { unstorageDriver } from '../../../src/edges/adapters/unstorage.js'
import { CacheClosedError, ValueError } from '../../../src/index.js'
import { BACKINGS } from '../../helpers/edges/backings.js'
import { until } from '../../helpers/loop-turn.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

for (const { kind, open } of BACKINGS) {
  test(`on ${kind}: items come back; of none there is null`, async (t) => {
    const { backing } = await open(t)
    const driver = unstorageDriver({ cache: backing })
    t.is(await driver.getItem('a:b'), null)
    t.is(await driver.getItemRaw('a:b'), null)
    t.is(await driver.setItem('a:b', 'text'), undefined)
    t.is(await driver.getItem('a:b'), 'text')
    t.true(await driver.hasItem('a:b'))
    await driver.removeItem('a:b')
    t.false(await driver.hasItem('a:b'))
  })

  test(`on ${kind}: a ttl is in seconds, and 0 is none`, async (t) => {
    const { clock, backing } = await open(t)
    const driver = unstorageDriver({ cache: backing })
    await driver.setItem('a', 'x', { ttl: 10 })
    await driver.setItem('b', 'x', { ttl: 0 })
    clock.advance('9999ms')
    t.deepEqual(await driver.getMeta('a'), { ttl: 0.001 })
    t.is(await driver.getItem('a'), 'x')
    clock.advance('1ms')
    t.is(await driver.getItem('a'), null)
    t.is(await driver.getMeta('a'), null)
    t.deepEqual(await driver.getMeta('b'), {})
  })

  test(`on ${kind}: many items at once, with options of their own`, async (t) => {
    const { clock, backing } = await open(t)
    const driver = unstorageDriver({ cache: backing })
    const items = [
      { key: 'a', value: '1' },
      { key: 'b', value: '2', options: { ttl: 20 } },
    ]
    await driver.setItems(items, { ttl: 10 })
    const keys = [{ key: 'a' }, { key: 'b' }, { key: 'c' }]
    const found = (a: string | null, b: string | null) => [
      { key: 'a', value: a },
      { key: 'b', value: b },
      { key: 'c', value: null },
    ]
    t.deepEqual(await driver.getItems(keys), found('1', '2'))
    clock.advance(10)
    t.deepEqual(await driver.getItems(keys), found(null, '2'))
  })

  test(`on ${kind}: keys below a base, to a depth; clear removes them`, async (t) => {
    const { cache, backing } = await open(t)
    cache.set('elsewhere', 1)
    const driver = unstorageDriver({ cache: backing })
    for (const key of ['a', 'a:b', 'a:b:c', 'ab', 'd:e']) await driver.setItem(key, key)
    t.deepEqual((await driver.getKeys()).sort(), ['a', 'a:b', 'a:b:c', 'ab', 'd:e'])
    t.deepEqual((await driver.getKeys('a:')).sort(), ['a:b', 'a:b:c'])
    t.deepEqual((await driver.getKeys('', { maxDepth: 0 })).sort(), ['a', 'ab'])
    t.deepEqual((await driver.getKeys('', { maxDepth: 1 })).sort(), ['a', 'a:b', 'ab', 'd:e'])
    await driver.clear('a:')
    t.deepEqual((await driver.getKeys()).sort(), ['a', 'ab', 'd:e'])
    await driver.clear()
    t.deepEqual(await driver.getKeys(), [])
    t.true(cache.has('elsewhere'))
  })

  test(`on ${kind}: watch tells of updates and removals, whoever makes them`, async (t) => {
    const { clock, backing } = await open(t)
    const driver = unstorageDriver({ cache: backing })
    const seen: string[] = []
    const unwatch = await driver.watch((event, key) => seen.push(`${event} ${key}`))
    await driver.setItem('a', '1')
    await driver.setItem('a', '2')
    await driver.removeItem('a')
    await (await backing).set('storage:b', '1', { ttl: 1 })
    await (await backing).set('other', '1')
    clock.advance(1)
    const expected = ['update a', 'update a', 'remove a', 'update b', 'remove b']
    await until(() => seen.length >= expected.length, 'five events')
    t.deepEqual(seen, expected)
    unwatch()
    await driver.setItem('a', '3')
    t.is(seen.length, expected.length)
  })
}

test('a cleared cache tells of every item that is gone', async (t) => {
  const { cache } = await openMemory(t)
  const driver = unstorageDriver({ cache })
  await driver.setItem('a', '1')
  const seen: string[] = []
  await driver.watch((event, key) => seen.push(`${event} ${key}`))
  cache.clear()
  t.deepEqual(seen, ['remove a'])
})

test('raw values are kept as they are', async (t) => {
  const { cache } = await openMemory(t)
  const driver = unstorageDriver({ cache })
  await driver.setItemRaw('bytes', Buffer.from([1, 2, 3]))
  await driver.setItemRaw('map', new Map([[1, new Date(0)]]))
  t.deepEqual(await driver.getItemRaw('bytes'), Buffer.from([1, 2, 3]))
  t.deepEqual(await driver.getItemRaw('map'), new Map([[1, new Date(0)]]))
  await t.throwsAsync(
    driver.setItemRaw('none', () => 1),
    { instanceOf: ValueError },
  )
})

test('the methods work without the driver before the dot', async (t) => {
  const { cache } = await openMemory(t)
  const { setItem, getItem, getInstance, dispose } = unstorageDriver({ cache })
  await setItem('a', '1')
  t.is(await getItem('a'), '1')
  t.is(getInstance(), cache)
  dispose()
  t.is(await getItem('a'), '1')
})

test('items and deadlines survive reopening', async (t) => {
  const opened = await openMemory(t)
  await unstorageDriver({ cache: opened.cache }).setItem('a', 'x', { ttl: 10 })
  const { cache, clock } = await reopen(t, opened)
  const driver = unstorageDriver({ cache })
  clock.advance('9999ms')
  t.is(await driver.getItem('a'), 'x')
  clock.advance('1ms')
  t.is(await driver.getItem('a'), null)
})

test('an error of the cache rejects the call', async (t) => {
  const { cache } = await openMemory(t)
  await cache.close()
  await t.throwsAsync(unstorageDriver({ cache }).getItem('a'), { instanceOf: CacheClosedError })
})

test('wrong options are refused by name', async (t) => {
  const { cache } = await openMemory(t)
  t.throws(() => unstorageDriver({ cache, prefix: 1 as never }), { instanceOf: TypeError, message: /^prefix must be/ })
  t.throws(() => unstorageDriver({ cache, base: 'a' } as never), { instanceOf: TypeError, message: /'base' is not/ })
  t.throws(() => unstorageDriver({} as never), { instanceOf: TypeError, message: /^cache must be/ })
})
