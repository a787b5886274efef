import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'
import { DESCRIBE, describe, pythonTest, runPython } from '../../helpers/pickle/python.js'
import { asRead, fuzzRuns, text, value } from '../../helpers/pickle/values.js'

test('every value comes back from its pickle', (t) => {
  fc.assert(
    fc.property(value, (given) => {
      const read = readPickle(pickleValue(given))
      return isDeepStrictEqual(read, asRead(given))
    }),
    { numRuns: fuzzRuns(400) },
  )
  t.pass()
})

test('what was read can be written again, and says the same', (t) => {
  fc.assert(
    fc.property(value, (given) => {
      const read = readPickle(pickleValue(given))
      return isDeepStrictEqual(readPickle(pickleValue(read)), read) && isDeepStrictEqual(structuredClone(read), read)
    }),
    { numRuns: fuzzRuns(150) },
  )
  t.pass()
})

pythonTest("Python's pickle.load sees every value as a Python programmer expects it", (t) => {
  const seed = Date.now() % 2 ** 31
  const given = fc.sample(value, { numRuns: fuzzRuns(300), seed })
  const descriptions = JSON.parse(runPython(DESCRIBE, Buffer.concat(given.map(pickleValue)))) as unknown[]
  t.is(descriptions.length, given.length)
  for (const [index, description] of descriptions.entries()) {
    t.deepEqual(description, describe(given[index]), `sample ${index} of seed ${seed}`)
  }
})

test('a cache comes back with its keys, order and deadlines to the millisecond', (t) => {
  const entry = fc.tuple(text, value, fc.option(fc.integer({ min: -1e14, max: 1e14 }), { nil: undefined }))
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: ([key]) => key, maxLength: 20 }), fc.nat(), (entries, hits) => {
      const stats = { hits, misses: 2, evictions: Number.MAX_SAFE_INTEGER }
      const read = readCachePickle(Buffer.concat([...writePickle({ entries, stats })]))
      const expected = entries.map(([key, given, expiresAtMs]) => [key, asRead(given), expiresAtMs])
      return isDeepStrictEqual([...read.entries], expected) && isDeepStrictEqual(read.stats, stats)
    }),
    { numRuns: fuzzRuns(100) },
  )
  t.pass()
})
