import test from 'ava'
import { ValueError } from '../../../src/errors.js'
import { readCachePickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'

const STATS = { hits: 0, misses: 0, evictions: 0 }
const read = (document: unknown) => readCachePickle(pickleValue(document))

test('deadlines are seconds: whole milliseconds come back exactly, others to the precision of a double', (t) => {
  const deadline = (expiresAt: unknown) => [...read({ entries: { k: [1, expiresAt] } }).entries][0]?.[2]
  t.is(deadline(null), undefined)
  t.is(deadline(1_704_110_410), 1_704_110_410_000)
  t.is(deadline(1_704_110_410.123), 1_704_110_410_123)
  t.is(deadline(1_704_110_410.123456), 1_704_110_410.123456 * 1000)
  t.is(deadline(0), 0)
  t.is(deadline(-5.5), -5_500)
  t.is(deadline(Infinity), undefined)
  for (const none of [Number.NaN, -Infinity, -1e308, -(2n ** 2_000n), '1', true, [1]])
    t.throws(() => deadline(none), { instanceOf: ValueError, message: /expires_at of the entry 'k'/ })
  t.is(deadline(2n ** 70n), 2 ** 70 * 1000)
  for (let ms = 1_704_110_410_000; ms < 1_704_110_411_000; ms++) {
    const written = Buffer.concat([...writePickle({ entries: [['k', 1, ms]], stats: STATS })])
    if ([...readCachePickle(written).entries][0]?.[2] !== ms) t.fail(`${ms}`)
  }
})

test('an entry can be a tuple, a list or a dict, and None is a value', (t) => {
  const entries = { a: [null, null], b: { value: 2, expires_at: 3 }, c: { value: { value: 1 } } }
  t.deepEqual(
    [...read({ entries }).entries],
    [
      ['a', null, undefined],
      ['b', 2, 3_000],
      ['c', { value: 1 }, undefined],
    ],
  )
})

test('missing counters are 0, and unknown ones are ignored', (t) => {
  t.deepEqual(read({ entries: {} }).stats, STATS)
  t.deepEqual(read({ entries: {}, stats: null }).stats, STATS)
  t.deepEqual(read({ entries: {}, stats: { hits: 5, size: 3, misses: null } }).stats, { ...STATS, hits: 5 })
})

test('entries can be iterated more than once, in the order of the file', (t) => {
  const entries: [string, unknown, undefined][] = ['10', 'b', '9', '__proto__', '', 'a'].map((key) => [
    key,
    key,
    undefined,
  ])
  const document = readCachePickle(Buffer.concat([...writePickle({ entries, stats: STATS })]))
  t.deepEqual([...document.entries], entries)
  t.deepEqual([...document.entries], entries)
  t.is(document.entryCount, 6)
})

test('a single entry under the key entries holds an object, not a Map', (t) => {
  const entries: [string, unknown, undefined][] = [['entries', { entries: { a: { entries: {} } } }, undefined]]
  t.deepEqual([...readCachePickle(Buffer.concat([...writePickle({ entries, stats: STATS })])).entries], entries)
})

const pair = [1, null]
const FOREIGN: readonly (readonly [string, unknown, RegExp])[] = [
  ['a list', [], /no dict named 'entries'/],
  ['None', null, /no dict named 'entries'/],
  ['an empty dict', {}, /no dict named 'entries'/],
  ['entries that are a list', { entries: [] }, /no dict named 'entries'/],
  ['entries that are a set', { entries: new Set() }, /no dict named 'entries'/],
  ['an int as a key', { entries: new Map([[7, pair]]) }, /the key 7 is not a str/],
  ['bytes as a key', { entries: new Map([[new Uint8Array(1), pair]]) }, /is not a str/],
  ['an entry of three', { entries: { k: [1, null, 2] } }, /the entry 'k' is not a pair/],
  ['an entry of one', { entries: { k: [1] } }, /the entry 'k' is not a pair/],
  ['an entry without a pair', { entries: { k: 'ab' } }, /the entry 'k' is not a pair/],
  ['a dict without a value', { entries: { k: { expires_at: 1 } } }, /the entry 'k' is not a pair/],
  ['a deadline of text', { entries: { k: [1, '5'] } }, /expires_at of the entry 'k'/],
  ['a deadline of true', { entries: { k: [1, true] } }, /expires_at of the entry 'k'/],
  ['a deadline of nan', { entries: { k: [1, Number.NaN] } }, /expires_at of the entry 'k'/],
  ['a deadline that is a Date', { entries: { k: [1, new Date(5)] } }, /expires_at of the entry 'k'/],
  ['stats that are a list', { entries: {}, stats: [] }, /'stats' are not a dict/],
  ['a negative counter', { entries: {}, stats: { hits: -1 } }, /the counter 'hits'/],
  ['a counter with a fraction', { entries: {}, stats: { misses: 0.5 } }, /the counter 'misses'/],
  ['a counter above 2^53', { entries: {}, stats: { evictions: 2n ** 60n } }, /the counter 'evictions'/],
  ['a counter of text', { entries: {}, stats: { hits: '1' } }, /the counter 'hits'/],
]

for (const [name, document, message] of FOREIGN) {
  test(`a document that is not a cache is refused completely: ${name}`, (t) => {
    const error = t.throws(() => read(document), { instanceOf: ValueError, message })
    t.regex(error?.message ?? '', /Nothing was changed/)
  })
}

test('a bad last entry is refused before the first entry is returned', (t) => {
  const entries = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, index) => [`k${index}`, [index, index === 4_999 ? 'x' : null]]),
  )
  t.throws(() => read({ entries }), { instanceOf: ValueError, message: /'k4999'/ })
})

const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`
const pickle = (...parts: string[]) => Buffer.from(`}(${text('entries')}${parts.join('')}u.`, 'latin1')

test('entries after an empty dict are found, in the order of the file', (t) => {
  const entries = new Map([
    ['b', [1, null]],
    ['7', [{ list: [1] }, 5]],
    ['a', [[], null]],
  ])
  const document = readCachePickle(pickleValue({ stats: {}, entries }))
  t.deepEqual(
    [...document.entries],
    [
      ['b', 1, undefined],
      ['7', { list: [1] }, 5_000],
      ['a', [], undefined],
    ],
  )
})

test('a part shared by entries is in each of them', (t) => {
  const document = readCachePickle(pickle(`}(${text('a')}](K\x01eq\0N\x86${text('b')}]h\0aN\x86u`))
  t.deepEqual(
    [...document.entries],
    [
      ['a', [1], undefined],
      ['b', [[1]], undefined],
    ],
  )
})

const REFUSED: readonly (readonly [string, Buffer, RegExp])[] = [
  [
    'an entry that is changed after it was complete',
    pickle(`}(${text('a')}]q\0N\x86u`, text('x'), 'h\0Na'),
    /changes after it was complete/,
  ],
  ['an entry that holds all entries', pickle(`}q\0(${text('a')}h\0N\x86u`), /contains the dict of all entries/],
  [
    'two dicts of entries',
    pickle(`}(${text('a')}NN\x86u`, text('entries'), `}(${text('b')}NN\x86u`),
    /several dicts that could be the entries/,
  ],
]

for (const [name, bytes, message] of REFUSED) {
  test(`refused: ${name}`, (t) => {
    t.throws(() => readCachePickle(bytes), { instanceOf: ValueError, message })
  })
}
