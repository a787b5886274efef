/** `scan` while the cache changes. */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { type Cache, openCache } from '../../../src/index.js'
import { memoryJournal } from '../../../src/open.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'
import { holds } from '../../helpers/property.js'

type Step =
  | { type: 'set' | 'delete' | 'get' | 'increment'; key: string }
  | { type: 'move'; key: string; other: string }
  | { type: 'undone'; keys: string[] }
  | { type: 'mortal'; key: string }
  | { type: 'pass' }
  | { type: 'scan' }

const KEY = fc.integer({ min: 0, max: 40 }).map((number) => `k${number}`)
const STEP = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('set', 'delete', 'get', 'increment'), key: KEY }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('move'), key: KEY, other: KEY }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('undone'), keys: fc.array(KEY, { maxLength: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('mortal'), key: KEY }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constantFrom('scan', 'scan', 'scan', 'pass') }) },
) as fc.Arbitrary<Step>

function perform(cache: Cache, clock: CountingClock, step: Exclude<Step, { type: 'scan' }>): void {
  switch (step.type) {
    case 'set':
      cache.set(step.key, 1)
      return
    case 'increment':
      cache.increment(step.key)
      return
    case 'delete':
    case 'get':
      cache[step.type](step.key)
      return
    case 'move':
      // Two keys that are deleted and set again in one turn may change places.
      cache.transact(() => {
        cache.deleteMany([step.key, step.other])
        cache.set(step.key, 1)
        cache.set(step.other, 1)
      })
      return
    case 'undone':
      assert.throws(() =>
        cache.transact(() => {
          cache.deleteMany(step.keys)
          cache.setMany(step.keys.map((key) => [`${key}'`, 1]))
          cache.setMany(step.keys.reverse().map((key) => [key, 1]))
          throw new Error('undone')
        }),
      )
      return
    case 'mortal':
      cache.set(step.key, 1, { ttl: 1 })
      return
    case 'pass':
      clock.advance('300ms')
  }
}

test('a key that is there from the first call to the last is given exactly once, and no call looks at more than its limit', async (t) => {
  await holds(
    t,
    fc.asyncProperty(
      fc.record({
        first: fc.array(KEY, { maxLength: 40 }),
        steps: fc.array(STEP, { maxLength: 60, size: 'max' }),
        limit: fc.integer({ min: 1, max: 9 }),
        maxSize: fc.constantFrom(12, 1_000),
      }),
      async ({ first, steps, limit, maxSize }) => {
        const clock = new CountingClock()
        const cache: Cache = await openCache({ journal: memoryJournal(), clock, maxSize })
        cache.setMany(first.map((key) => [key, 1]))
        let slotsMax = first.length
        let given: string[] = []
        let there = new Set<string>()
        /** Live keys that were there at the first call, and at all times since. */
        cache.changes$.subscribe(({ type, key }) => {
          if (type === 'deleted' || type === 'expired' || type === 'evicted') there.delete(key as string)
        })
        let cursor: string | undefined
        const scan = () => {
          if (cursor === undefined) {
            there = new Set(cache.keys())
            given = []
            slotsMax = Math.max(slotsMax, 200)
          }
          const result = cache.scan({ cursor, limit })
          assert.ok(result.keys.length <= limit)
          for (const key of result.keys) assert.ok(cache.has(key))
          given.push(...result.keys)
          cursor = result.cursor
          if (cursor !== undefined) return
          const throughout = [...there].filter((key) => cache.has(key)).sort()
          assert.deepEqual(given.filter((key) => throughout.includes(key)).sort(), throughout)
        }
        for (const step of steps) {
          if (step.type === 'scan') scan()
          else perform(cache, clock, step)
        }
        for (let calls = 0; cursor !== undefined; calls++) {
          assert.ok(calls < slotsMax, 'it ends')
          scan()
        }
        await cache.close()
      },
    ),
    300,
  )
})

test('limit bounds the slots that a call looks at, free ones too', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 100 })
  cache.setMany(Array.from({ length: 100 }, (_, index) => [`k${index}`, 1]))
  cache.deleteMany(Array.from({ length: 90 }, (_, index) => `k${index}`))
  const portions: number[] = []
  let cursor: string | undefined
  do {
    const result = cache.scan({ cursor, limit: 30 })
    portions.push(result.keys.length)
    cursor = result.cursor
  } while (cursor !== undefined)
  t.deepEqual(portions, [0, 0, 0, 10])
})

test('a scan ends although keys are added all the time', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 10_000 })
  cache.setMany(Array.from({ length: 50 }, (_, index) => [`k${index}`, 1]))
  let cursor: string | undefined
  let calls = 0
  do {
    cursor = cache.scan({ cursor, limit: 10 }).cursor
    cache.setMany(Array.from({ length: 50 }, (_, index) => [`late${calls}:${index}`, 1]))
    calls++
  } while (cursor !== undefined)
  t.is(calls, 5)
})

test('a cursor from before reopening, or of another cache, starts again', async (t) => {
  const opened = await openMemory(t)
  const rows = ['a', 'b', 'c'].map((key) => [key, 1] as const)
  opened.cache.setMany(rows)
  const { cursor } = opened.cache.scan({ limit: 2 })
  const { cache: other } = await openMemory(t)
  other.setMany(rows)
  t.deepEqual(other.scan({ cursor, limit: 2 }).keys, ['a', 'b'])
  const { cache } = await reopen(t, opened)
  t.deepEqual(cache.scan({ cursor, limit: 2 }).keys, ['a', 'b'])
})

test('a scan changes nothing: what has expired is only hidden', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('a', 1, { ttl: 1 })
  cache.set('b', 1)
  clock.jump(1_000)
  t.deepEqual(cache.scan(), { keys: ['b'], cursor: undefined })
  t.is(cache.stats().expirations, 0)
})
