import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { compileGlob } from '../../src/core/decide/glob.js'
import { naiveGlob } from '../helpers/properties/naive-glob.js'
import { holds } from '../helpers/property.js'

const PATTERN = fc
  .array(fc.constantFrom('*', '?', '[', ']', '!', '^', '\\', '-', 'a', 'b', 'c', '😀', '\ud83d', '\ude00', '^'), {
    maxLength: 12,
  })
  .map((parts) => parts.join(''))
const KEY = fc
  .array(fc.constantFrom('a', 'b', 'c', '[', ']', '!', '^', '\\', '-', '*', '?', '😀', '\ud83d', '\ude00'), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''))

/** A key, and a pattern made from it, which often matches; random patterns hardly ever do. */
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
            `[^${character}]`,
            `[a-c${character}]`,
            character,
          ),
        ),
      )
      .map((parts) => parts.join('')),
  }),
)

function agree(pattern: string, key: string): void {
  assert.equal(compileGlob(pattern)(key), naiveGlob(pattern, key))
}

test('the matcher agrees with a naive one on any pattern and key', (t) =>
  holds(t, fc.property(PATTERN, KEY, agree), 5_000))

test('the matcher agrees with a naive one on patterns made from the key', (t) =>
  holds(
    t,
    fc.property(KEY_AND_LIKENESS, ({ key, pattern }) => agree(pattern, key)),
    5_000,
  ))

test('an escaped key matches itself and nothing else', (t) =>
  holds(
    t,
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ unit: 'binary' }), (key, other) => {
      const matches = compileGlob(Array.from(key, (character) => `\\${character}`).join(''))
      assert.deepEqual([matches(key), matches(other)], [true, key === other])
    }),
    1_000,
  ))
