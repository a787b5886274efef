import test from 'ava'
import { parseSet } from '../../../src/cli/shell/set-arguments.js'
import { UsageError } from '../../../src/cli/terminal/failures.js'

for (const [typed, value, ttl] of [
  ['k 5', 5, undefined],
  ['k 5 10', 5, 10],
  ['k 5 10s', 5, '10s'],
  ['k {"a": 1}', { a: 1 }, undefined],
  ['k {"a": 1} 10s', { a: 1 }, '10s'],
  ['k [1, 2] 0.5', [1, 2], 0.5],
  ['k   null   Infinity ', null, Number.POSITIVE_INFINITY],
  ['k hello', 'hello', undefined],
  ['k hello 250ms', 'hello', '250ms'],
  ['k hello -5', 'hello', -5], // the cache refuses it
  ["k 'hello world' 1h", 'hello world', '1h'],
  ['k "hello world"', 'hello world', undefined],
  ['k "5"', '5', undefined],
  ['k "5" 5', '5', 5],
  ["k '5'", 5, undefined], // single quotes only hold a word together
  ['k \'{"a": 1}\' 1m', { a: 1 }, '1m'],
  ['k ""', '', undefined],
  ["k ''", '', undefined],
  ['k 007', '007', undefined],
  ['k 10s', '10s', undefined], // the only word is the value
  ['k [x]', '[x]', undefined],
  ['k {a}', '{a}', undefined],
  ['"k"  true', true, undefined],
] as const) {
  test(`set ${typed}`, (t) => {
    t.deepEqual(parseSet(` ${typed}`), { key: 'k', value, ttl } as ReturnType<typeof parseSet>)
  })
}

for (const [typed, complaint] of [
  ['', /Usage: set KEY VALUE \[TTL\]/],
  ['k', /Usage: set KEY VALUE \[TTL\]/],
  ['k hello world', /"world" is not a valid TTL \(10, 10s, 5m, 1h\)\. .*in quotes: set KEY "hello world"/],
  ['k a "b" c', /in quotes: set KEY "a \\"b\\" c"/],
  ['k hello 10s 20s', /in quotes/],
  ['k {"a": 1', /looks like JSON but does not parse/],
  ['k {"a":1,}', /looks like JSON but does not parse/],
  ['k {a: 1} 10s', /looks like JSON but does not parse/],
  ["k it's", /single quote is not closed/],
  ['"k', /double quote is not closed|Usage/],
] as const) {
  test(`set ${typed} is refused with advice`, (t) => {
    t.throws(() => parseSet(` ${typed}`), { instanceOf: UsageError, message: complaint })
  })
}

// In quadratic time it would take so long that AVA would stop it.
test('a value of megabytes is parsed in linear time', (t) => {
  const text = `${'word '.repeat(1_000_000)}`
  t.is(parseSet(` k ${JSON.stringify(text)} 10s`).value, text)
  t.throws(() => parseSet(` k ${text}`))
})
