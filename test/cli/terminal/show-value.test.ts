import test from 'ava'
import { showBytes, showCountOf, showMilliseconds, showPercent } from '../../../src/cli/terminal/quantities.js'
import { shorten, showValue, toJson } from '../../../src/cli/terminal/show-value.js'

test('a value that JSON can express exactly is shown as JSON on one line', (t) => {
  for (const value of [
    null,
    true,
    0,
    -1.5,
    '',
    'é\n',
    [],
    [1, [2]],
    {},
    { a: { b: null } },
    JSON.parse('{"__proto__":1}'),
  ]) {
    t.is(showValue(value), JSON.stringify(value))
  }
})

test('a value that JSON would change is not shown as JSON', (t) => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  const holes = new Array(3)
  const withProperty = Object.assign([1], { name: 'x' })
  for (const value of [
    Number.NaN,
    -0,
    1n,
    new Date(0),
    new Map(),
    new Set([1]),
    new Uint8Array(2),
    cycle,
    holes,
    withProperty,
    [{ a: -0 }],
    Infinity,
  ]) {
    t.is(toJson(value), undefined)
    t.true(showValue(value).length > 0)
  }
})

test('an object that occurs twice is not a cycle', (t) => {
  const shared = { a: 1 }
  t.is(toJson([shared, shared]), '[{"a":1},{"a":1}]')
})

test('a long text is shortened, with its length', (t) => {
  t.is(shorten('abc', 3), 'abc')
  t.is(shorten('abcd', 3), 'abc… (4 characters)')
})

test('counts, bytes, durations and ratios are readable', (t) => {
  t.is(showCountOf(1, 'entry', 'entries'), '1 entry')
  t.is(showCountOf(3214, 'entry', 'entries'), '3,214 entries')
  t.deepEqual([1, 999, 1000, 999_949, 999_950, 1.5e9].map(showBytes), [
    '1 byte',
    '999 bytes',
    '1.0 kB',
    '999.9 kB',
    '1.0 MB',
    '1.5 GB',
  ])
  t.deepEqual([0.2, 999.4, 1234, 59_990, 61_000, 3_700_000].map(showMilliseconds), [
    '1 ms',
    '999 ms',
    '1.23 s',
    '60.0 s',
    '1 min 1 s',
    '1 h 1 min',
  ])
  t.deepEqual([0, 0.05, 0.5, 0.999, 1].map(showPercent), ['0%', '5.0%', '50%', '99.90%', '100%'])
})

/** 40 levels of `{ a: part, b: part }`: written out it would have 2^40 parts. */
function doubling(wrap: (part: unknown) => unknown = (part) => part): unknown {
  let part: unknown = { end: 'x'.repeat(10) }
  for (let level = 0; level < 40; level++) part = wrap({ a: part, b: part })
  return part
}

for (const [name, value] of [
  ['objects', doubling()],
  ['arrays', doubling((part) => [part, part])],
  ['a Map', new Map([['key', doubling()]])],
  ['Sets and Maps', doubling((part) => new Map([[1, new Set([part])]]))],
  ['an error', new Error('shared', { cause: doubling() })],
] as const) {
  test(`parts that occur many times are written once: ${name}`, (t) => {
    t.is(toJson(value), undefined)
    for (const isFull of [false, true]) {
      const text = showValue(value, { isFull })
      t.true(text.length < 10_000, `${text.length} characters`)
    }
  })
}

test('parts that occur a few times are written each time', (t) => {
  const part = { name: 'Ada' }
  t.is(showValue({ createdBy: part, changedBy: part }), '{"createdBy":{"name":"Ada"},"changedBy":{"name":"Ada"}}')
  t.is(showValue(new Set([[part, part]])), "Set(1) { [ { name: 'Ada' }, { name: 'Ada' } ] }")
})

test('a long value without repeated parts is JSON in full', (t) => {
  const value = Array.from({ length: 300_000 }, (_, number) => ({ number }))
  t.is(showValue(value), JSON.stringify(value))
})

test('--full shows long arrays and deep levels of values that are not JSON', (t) => {
  const value = new Set(Array.from({ length: 200 }, (_, number) => number))
  t.regex(showValue(value), /100 more items/)
  t.regex(showValue(value, { isFull: true }), / 199 }$/)
})

/** Twelve objects that all refer to one another: there are 12! ways through them. */
function clique(): unknown {
  const all: Record<string, unknown>[] = Array.from({ length: 12 }, (_, n) => ({ n }))
  for (const one of all) Object.assign(one, Object.fromEntries(all.map((other, index) => [`to${index}`, other])))
  return all[0]
}

/** Fifty chains of 900 levels, each of which ends in the one before: no way is longer in the order in which it is stored. */
function longWays(): unknown {
  let part: unknown = 'end'
  return Array.from({ length: 50 }, () => {
    for (let level = 0; level < 900; level++) part = [part]
    return part
  })
}

const bytes = new Uint8Array(1_000_000)
const longKey = { ['k'.repeat(100_000)]: 1 }

for (const [name, value, lengthMax] of [
  ['objects that all refer to one another', clique(), 10_000],
  ['ways that are longer than a value is deep', longWays(), 200_000],
  ['bytes', Array.from({ length: 1_000 }, () => bytes), 4_000_000],
  ['long names', Array.from({ length: 1_000 }, () => longKey), 200_000],
  ['an array with a hole of millions', [Object.assign([], { length: 4_000_000_000 }), doubling()], 10_000],
] as const) {
  test(`what occurs many times in a small value is written once: ${name}`, (t) => {
    t.true(showValue(value, { isFull: true }).length < lengthMax)
    t.true((toJson(value) ?? '').length < lengthMax)
  })
}
