import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'
import { DESCRIBE, describe, pythonTest, runPython } from '../../helpers/pickle/python.js'
import { asRead, text, value } from '../../helpers/pickle/values.js'
import { holds } from '../../helpers/property.js'
import { runs } from '../../helpers/runs.js'

test('every value comes back from its pickle', (t) =>
  holds(
    t,
    fc.property(value, (original) => assert.deepEqual(readPickle(pickleValue(original)), asRead(original))),
    400,
  ))

test('a value that was read can be written again and cloned, and stays equal', (t) =>
  holds(
    t,
    fc.property(value, (original) => {
      const read = readPickle(pickleValue(original))
      assert.deepEqual(readPickle(pickleValue(read)), read)
      assert.deepEqual(structuredClone(read), read)
    }),
    150,
  ))

pythonTest("Python's pickle.load sees every value as a Python programmer expects it", (t) => {
  const seed = Date.now() % 2 ** 31
  const originals = fc.sample(value, { numRuns: runs(300), seed })
  const descriptions = JSON.parse(runPython(DESCRIBE, Buffer.concat(originals.map(pickleValue)))) as unknown[]
  t.is(descriptions.length, originals.length)
  for (const [index, description] of descriptions.entries()) {
    t.deepEqual(description, describe(originals[index]), `sample ${index} of seed ${seed}`)
  }
})

const ENTRIES = fc.uniqueArray(
  fc.tuple(text, value, fc.option(fc.integer({ min: -1e14, max: 1e14 }), { nil: undefined })),
  { selector: ([key]) => key, maxLength: 20 },
)

test('a cache comes back with its keys, their order, and deadlines to the millisecond', (t) =>
  holds(
    t,
    fc.property(ENTRIES, fc.nat(), (entries, hits) => {
      const stats = { hits, misses: 2, evictions: Number.MAX_SAFE_INTEGER }
      const read = readCachePickle(Buffer.concat([...writePickle({ entries, stats })]))
      assert.deepEqual(
        [...read.entries],
        entries.map(([key, original, expiresAtMs]) => [key, asRead(original), expiresAtMs]),
      )
      assert.deepEqual(read.stats, stats)
    }),
    100,
  ))
