import { deserialize, serialize } from 'node:v8'
import test from 'ava'
import { findUnstorable, NESTING_LEVELS_MAX } from '../../src/values/check.js'

function find(value: unknown): string | undefined {
  const bytes = serialize(value)
  return findUnstorable(bytes, () => deserialize(bytes))
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

for (const [where, value] of [
  ['an object', { a: undefined }],
  ['an array', [1, undefined]],
  ['a key of a Map', new Map([[undefined, 1]])],
  ['a value of a Map', new Map([[1, undefined]])],
  ['a Set', new Set([undefined])],
  ['the cause of an error', new Error('e', { cause: undefined })],
  ['a property of an array', Object.assign([1], { extra: undefined })],
  ['a deep level', [{ a: new Map([[1, { b: [undefined] }]]) }]],
] as const) {
  test(`undefined is found in ${where}`, (t) => {
    t.is(find(value), 'undefined')
  })
}

test('a hole in an array is not undefined, and neither is an underscore', (t) => {
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point
  for (const value of [[1, , 3], '_'.repeat(10), { _: ['_'] }]) t.is(find(value), undefined)
})

test(`${NESTING_LEVELS_MAX} levels are allowed, and one more is not`, (t) => {
  t.is(find(nested(NESTING_LEVELS_MAX)), undefined)
  t.is(find(nested(NESTING_LEVELS_MAX + 1)), `nesting deeper than ${NESTING_LEVELS_MAX} levels`)
})

test('cycles and shared references are allowed', (t) => {
  const cycle: Record<string, unknown> = { text: '_' } // the underscore makes it look closer
  cycle['self'] = [cycle, cycle]
  t.is(find(cycle), undefined)
})

test('an error with a circular cause is found, even where V8 cannot read it back', (t) => {
  const error = new Error('a')
  error.cause = { error }
  t.regex(find(error) ?? '', /cause/)
})

test('a value that cannot be read back is unstorable', (t) => {
  const deep = new Uint8Array(5_000).fill(0x6f)
  const failing = () => {
    throw new RangeError('Maximum call stack size exceeded')
  }
  t.regex(findUnstorable(deep, failing) ?? '', /nesting too deep to be read back/)
})

test('a value whose bytes show that there is nothing to find is not decoded', (t) => {
  const bytes = serialize({ a: [1, 'x', new Date(0)] })
  t.is(
    findUnstorable(bytes, () => t.fail()),
    undefined,
  )
})
