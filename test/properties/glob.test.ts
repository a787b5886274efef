import test from 'ava'
import fc from 'fast-check'
import { compileGlob } from '../../src/core/decide/glob.js'
import { naiveGlob } from '../helpers/properties/naive-glob.js'
import { runs } from '../helpers/runs.js'

const PATTERN = fc
  .array(fc.constantFrom('*', '?', '[', ']', '!', '\\', '-', 'a', 'b', 'c', '😀', '\ud83d', '\ude00', '^'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''))
const KEY = fc
  .array(fc.constantFrom('a', 'b', 'c', '[', ']', '!', '\\', '-', '*', '?', '😀', '\ud83d', '\ude00'), { maxLength: 8 })
  .map((parts) => parts.join(''))

/** A key, and the same key with some of it made a pattern: matches often, where random ones hardly ever do. */
const KEY_AND_LIKENESS = KEY.chain((key) =>
  fc.record({
    key: fc.constant(key),
    pattern: fc
      .tuple(
        ...Array.from(key, (character) =>
          fc.constantFrom(
            `\\${character}`,
            '?',
            '*',
            '',
            `[${character}]`,
            `[!${character}]`,
            `[a-c${character}]`,
            character,
          ),
        ),
      )
      .map((parts) => parts.join('')),
  }),
)

test('the matcher agrees with a naive one on any pattern and key', (t) => {
  fc.assert(
    fc.property(PATTERN, KEY, (pattern, key) => compileGlob(pattern)(key) === naiveGlob(pattern, key)),
    { numRuns: runs(5_000) },
  )
  t.pass()
})

test('the matcher agrees with a naive one on patterns made from the key', (t) => {
  fc.assert(
    fc.property(KEY_AND_LIKENESS, ({ key, pattern }) => compileGlob(pattern)(key) === naiveGlob(pattern, key)),
    { numRuns: runs(5_000) },
  )
  t.pass()
})

test('an escaped key matches itself and nothing else', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' }), (key, other) => {
      const matches = compileGlob(Array.from(key, (character) => `\\${character}`).join(''))
      return matches(key) && matches(other) === (key === other)
    }),
    { numRuns: runs(1_000) },
  )
  t.pass()
})
