import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { memoryJournal, openCache, ValueError } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { runs } from '../helpers/runs.js'

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

/** Whether `undefined` is anywhere inside, as structured cloning walks it. A hole in an array is none. */
function hasUndefined(value: unknown): boolean {
  if (value === undefined) return true
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false
  if (value instanceof Map) return [...value].flat(1).some(hasUndefined)
  if (value instanceof Set) return [...value].some(hasUndefined)
  if (value instanceof Date || value instanceof String || value instanceof Number || value instanceof Boolean)
    return false
  return Object.keys(value).some((key) => hasUndefined((value as Record<string, unknown>)[key]))
}

test('any value that structured cloning takes comes back as its clone, at once and after recovery; undefined inside is refused', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(VALUE, { minLength: 1, maxLength: 20 }), fc.boolean(), async (values, isCompacted) => {
      const journal = memoryJournal()
      const options = { journal, clock: new ManualClock(), compaction: false as const }
      const cache = await openCache(options)
      const expected: [string, unknown][] = []
      values.forEach((value, index) => {
        const key = `key${index}`
        try {
          cache.set(key, value)
          if (hasUndefined(value)) throw new Error('undefined was stored')
          expected.push([key, structuredClone(value)])
        } catch (error) {
          if (!(error instanceof ValueError) || !hasUndefined(value)) throw error
        }
      })
      if (!isDeepStrictEqual([...cache.entries()], expected)) return false
      if (isCompacted) await cache.compact()
      await cache.close()
      const again = await openCache(options)
      const isSame = isDeepStrictEqual([...again.entries()], expected)
      await again.close()
      return isSame
    }),
    { numRuns: runs(300), includeErrorInReport: true },
  )
  t.pass()
})

test('any string is a key, exactly, after recovery too', async (t) => {
  await fc.assert(
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
        const isSame = isDeepStrictEqual(
          [...again.entries()],
          keys.map((key) => [key, key]),
        )
        for (const key of keys) if (!again.delete(key)) return false
        await again.close()
        return isSame
      },
    ),
    { numRuns: runs(300), includeErrorInReport: true },
  )
  t.pass()
})
