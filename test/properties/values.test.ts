import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { memoryJournal, openCache, ValueError } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { holds } from '../helpers/property.js'

const VALUE = fc.anything({
  key: fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), fc.constantFrom('__proto__', 'constructor', 'then', '_')),
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withNullPrototype: true,
  withSet: true,
  withSparseArray: true,
  withTypedArray: true,
  withObjectString: true,
  maxDepth: 4,
})

test('any value that structured cloning accepts comes back as its clone, at once and after recovery', (t) =>
  holds(
    t,
    fc.asyncProperty(fc.array(VALUE, { minLength: 1, maxLength: 20 }), fc.boolean(), async (values, isCompacted) => {
      const journal = memoryJournal()
      const options = { journal, clock: new ManualClock(), compaction: false as const }
      const cache = await openCache(options)
      const expected: [string, unknown][] = []
      values.forEach((value, index) => {
        const key = `key${index}`
        if (value === undefined) {
          assert.throws(() => cache.set(key, value), ValueError)
          return
        }
        cache.set(key, value)
        expected.push([key, structuredClone(value)])
      })
      assert.deepEqual([...cache.entries()], expected)
      if (isCompacted) await cache.compact()
      await cache.close()
      const again = await openCache(options)
      const found = [...again.entries()]
      await again.close()
      assert.deepEqual(found, expected)
    }),
    300,
  ))

test('any string is a key, exactly, after recovery too', (t) =>
  holds(
    t,
    fc.asyncProperty(
      fc.uniqueArray(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 60 }),
          fc.string({ unit: 'grapheme', maxLength: 60 }),
          // UTF-16 units at random: pairs, halves of pairs, and everything else.
          fc
            .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 60 })
            .map((units) => String.fromCharCode(...units)),
        ),
        { maxLength: 20 },
      ),
      async (keys) => {
        const journal = memoryJournal()
        const options = { journal, clock: new ManualClock() }
        const cache = await openCache<string>(options)
        for (const key of keys) cache.set(key, key)
        await cache.close()
        const again = await openCache<string>(options)
        const found = [...again.entries()]
        const missing = keys.filter((key) => !again.delete(key))
        await again.close()
        const expected = keys.map((key) => [key, key])
        assert.deepEqual({ found, missing }, { found: expected, missing: [] })
      },
    ),
    300,
  ))
