import test from 'ava'
import { openCache } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { openMemory, reopen } from '../helpers/open-memory.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  '',
  ' ',
  '\0',
  'a\0b',
  '\n',
  '\ud83d', // a lone high surrogate
  '\ude00', // a lone low surrogate
  '\ude00\ud83d', // both, the wrong way round
  'x\ud83dx',
  '\ufeffbom',
  '\ufffd', // what a lone surrogate would turn into
  '\ufffe\uffff',
  '😀',
  'e\u0301',
  '\u00e9', // looks the same, but is a different key
  '-0',
  '0',
  '1e3',
  'undefined',
  'null',
  '\u007f',
  '\u0080',
  'a'.repeat(127),
  'a'.repeat(128),
  'é'.repeat(47),
  'é'.repeat(48),
  `${'a'.repeat(48)}é`,
  `${'a'.repeat(48)}\ud800`,
  'k'.repeat(1_048_576),
  '键'.repeat(400_000),
]

test('every string is a key, and comes back exactly', async (t) => {
  const { cache } = await openMemory(t)
  for (const [index, key] of KEYS.entries()) {
    t.false(cache.has(key))
    t.is(cache.get(key), undefined)
    t.true(cache.set(key, index))
  }
  for (const [index, key] of KEYS.entries()) t.is(cache.get(key), index)
  t.deepEqual(cache.keys(), KEYS)
  t.is(cache.size, KEYS.length)
})

test('every string comes back exactly from a journal', async (t) => {
  const directory = temporaryDirectory(t)
  const clock = new ManualClock()
  const first = await openCache({ directory, clock })
  for (const [index, key] of KEYS.entries()) first.set(key, index)
  for (const key of [...KEYS].reverse()) first.get(key) // so that the order of use is written as well
  await first.close()
  const second = await openCache({ directory, clock })
  t.teardown(() => second.close())
  t.deepEqual(second.keys(), [...KEYS].reverse())
  for (const [index, key] of KEYS.entries()) t.is(second.peek(key), index)
  for (const key of KEYS) t.true(second.delete(key))
  t.is(second.size, 0)
})

test('every string comes back exactly from a snapshot', async (t) => {
  const opened = await openMemory(t)
  opened.cache.setMany(KEYS.map((key, index) => [key, index]))
  await opened.cache.compact()
  const { cache } = await reopen(t, opened)
  t.is(cache.recovery.snapshot?.entries, KEYS.length)
  t.deepEqual(cache.keys(), KEYS)
})

for (const key of [undefined, null, 5, 5n, true, Symbol('key'), {}, ['a'], () => 'a', Object('boxed'), new Date()]) {
  const what = typeof key === 'symbol' ? 'a symbol' : `${typeof key} ${key}`
  test(`a key that is ${what} is a TypeError in every method`, async (t) => {
    const { cache } = await openMemory(t)
    cache.set('a', 1)
    const bad = key as never
    const calls: Record<string, () => unknown> = {
      get: () => cache.get(bad),
      peek: () => cache.peek(bad),
      has: () => cache.has(bad),
      exists: () => cache.exists(bad),
      set: () => cache.set(bad, 1),
      delete: () => cache.delete(bad),
      increment: () => cache.increment(bad),
      decrement: () => cache.decrement(bad),
      ttl: () => cache.ttl(bad),
      expire: () => cache.expire(bad, 1),
      persist: () => cache.persist(bad),
      getMany: () => cache.getMany([bad]),
      setMany: () => cache.setMany([[bad, 1]]),
      deleteMany: () => cache.deleteMany([bad]),
    }
    for (const [method, call] of Object.entries(calls)) {
      const error = t.throws(call, { instanceOf: TypeError }, method)
      t.regex(error?.message ?? '', /key/)
    }
    t.like(cache.stats(), { size: 1, misses: 0, sets: 1 })
  })
}
