/** What callers may do with what they get: with `'freeze'`, and with objects that are recovered. */
import { join } from 'node:path'
import test from 'ava'
import { connect } from '../../src/edges/threads/threads.js'
import { openMemory, reopen } from '../helpers/open-memory.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

test("with 'freeze', the same deeply frozen object comes back each time, and is not the caller's", async (t) => {
  const opened = await openMemory<unknown>(t, { isolation: 'freeze' })
  const shared = { n: 1 }
  const cyclic: Record<string, unknown> = { name: 'cyclic' }
  cyclic['self'] = cyclic
  const values: Record<string, object> = {
    plain: { a: [{ b: 1 }], undefined: undefined },
    list: [[1], [2]],
    shared: { one: shared, other: shared },
    cyclic,
    error: { error: Object.assign(new TypeError('m'), { code: { n: 1 } }) },
  }
  for (const [key, value] of Object.entries(values)) opened.cache.set(key, value)
  const look = (cache: typeof opened.cache) => {
    for (const [key, value] of Object.entries(values)) {
      const found = cache.get(key) as Record<string, unknown>
      t.deepEqual(found, value)
      t.is(cache.get(key), found)
      t.is(cache.peek(key), found)
      t.not(found, value)
      t.is(Object.getPrototypeOf(found), Object.getPrototypeOf(value))
      for (const part of [found, ...Object.values(found)]) t.true(Object.isFrozen(part), key)
    }
    t.throws(() => (cache.get('list') as number[][])[0]?.push(2), { instanceOf: TypeError })
    const { error } = cache.get('error') as { error: { code: object } }
    t.true(Object.isFrozen(error.code))
  }
  look(opened.cache)
  const again = await reopen(t, opened, { isolation: 'freeze' })
  look(again.cache)
  await again.cache.compact()
  look((await reopen(t, again, { isolation: 'freeze' })).cache)
})

test.serial("with 'freeze', a property with the name of an inherited setter is a property of its own", async (t) => {
  const { cache } = await openMemory<unknown>(t, { isolation: 'freeze' })
  cache.set('a', JSON.parse('{"__proto__":{"inherited":1},"set":2,"toString":3}'))
  const called: unknown[] = []
  Object.defineProperty(Object.prototype, 'set', { set: (value) => called.push(value), configurable: true })
  let value: object
  try {
    value = cache.get('a') as object
  } finally {
    Reflect.deleteProperty(Object.prototype, 'set')
  }
  t.deepEqual(called, [])
  t.is(Object.getPrototypeOf(value), Object.prototype)
  t.deepEqual(Object.entries(value), [
    ['__proto__', { inherited: 1 }],
    ['set', 2],
    ['toString', 3],
  ])
  t.true(Object.isFrozen(value))
})

test("with 'freeze', the caller's object is not frozen, and changing it changes nothing", async (t) => {
  const { cache } = await openMemory<unknown>(t, { isolation: 'freeze' })
  const value = { list: [1] }
  cache.set('key', value)
  value.list.push(2)
  t.deepEqual(cache.get('key'), { list: [1] })
})

for (const [what, value] of Object.entries({
  'a Date': { at: new Date(5), other: [1] },
  'a Map': { map: new Map([[1, 2]]), other: [1] },
  'a Set': { set: new Set([1]), other: [1] },
  bytes: { bytes: new Uint8Array([1]), other: [1] },
  'a Buffer': Buffer.from('a'),
})) {
  test(`with 'freeze', a value with ${what} is handed out as a whole copy`, async (t) => {
    const { cache } = await openMemory<unknown>(t, { isolation: 'freeze' })
    cache.set('key', value)
    const first = cache.get('key') as { other?: number[] }
    t.deepEqual(first, value as never)
    t.not(cache.get('key'), first)
    first.other?.push(2)
    t.deepEqual(cache.get('key'), value)
  })
}

test("with 'freeze', subscribers get the frozen object", async (t) => {
  const { cache } = await openMemory<unknown>(t, { isolation: 'freeze' })
  const seen: unknown[] = []
  cache.changes$.subscribe((change) => seen.push((change as { value?: unknown }).value))
  cache.set('key', { a: [1] })
  t.true(Object.isFrozen(seen[0]))
  t.is(seen[0], cache.get('key'))
})

for (const isolation of ['copy', 'share', 'freeze'] as const) {
  test(`with '${isolation}', a value that was recovered is the same before and after its first use, in a snapshot too`, async (t) => {
    const value = {
      rows: [
        { a: 1, b: undefined },
        { a: 2, b: new Date(5) },
      ],
    }
    const opened = await openMemory<unknown>(t, { isolation })
    opened.cache.set('used', value)
    opened.cache.set('unused', value)
    const again = await reopen(t, opened, { isolation })
    t.deepEqual(again.cache.get('used'), value)
    t.deepEqual(again.cache.get('used'), value)
    if (isolation === 'share') t.is(again.cache.get('used'), again.cache.get('used'))
    await again.cache.compact()
    const last = await reopen(t, again, { isolation })
    for (const key of ['used', 'unused']) t.deepEqual(last.cache.get(key), value)
  })
}

test("with 'share', changing the object afterwards changes neither the journal nor a snapshot", async (t) => {
  const opened = await openMemory<unknown>(t, { isolation: 'share' })
  const value = { list: [1] }
  opened.cache.set('key', value)
  value.list.push(2)
  t.is(opened.cache.get('key'), value)
  await opened.cache.compact()
  t.deepEqual((await reopen(t, opened, { isolation: 'share' })).cache.get('key'), { list: [1] })
})

test('maxBytes counts what a value takes in the journal, whether it is new, recovered or used', async (t) => {
  const value = { text: 'x'.repeat(500) }
  const opened = await openMemory<unknown>(t, { maxBytes: 1_200 })
  opened.cache.set('a', value)
  opened.cache.set('b', value)
  t.is(opened.cache.size, 2)
  const again = await reopen(t, opened, { maxBytes: 1_200 })
  t.deepEqual(again.cache.get('a'), value)
  again.cache.set('c', value)
  t.deepEqual(again.cache.keys(), ['a', 'c'])
  t.throws(() => again.cache.set('d', { text: 'x'.repeat(2_000) }), { instanceOf: RangeError })
})

for (const isolation of ['share', 'freeze'] as const) {
  test(`with '${isolation}', others that read a value leave it as it is: a pickle, a condition of a client, a snapshot`, async (t) => {
    const path = join(temporaryDirectory(t), 'a.pickle')
    const opened = await openMemory<unknown>(t, { isolation })
    const value = { list: [{ n: 1 }] }
    opened.cache.set('key', value)
    const look = async ({ cache }: typeof opened) => {
      t.like(await cache.save(path), { ok: true })
      const client = await connect(cache.share())
      await client.transact([{ type: 'require', key: 'key', equals: value }])
      await client.close()
      await cache.compact()
      const found = cache.get('key') as typeof value
      t.deepEqual(found, value)
      t.is(Object.getPrototypeOf(found.list[0]), Object.prototype)
      t.is(cache.get('key'), found)
    }
    await look(opened)
    const again = await reopen(t, opened, { isolation })
    await look(again)
    await look(await reopen(t, again, { isolation }))
  })
}
