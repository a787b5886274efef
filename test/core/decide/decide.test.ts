import test from 'ava'
import { decide } from '../../../src/core/decide/decide.js'
import { EncodedValue, type StoredValue } from '../../../src/core/model/stored-value.js'
import { given, NEVER, stateOf, T0, to, toIncrement, toSet, wasSet } from '../../helpers/given.js'

test('set of a new key is a set event with an absolute deadline', (t) => {
  given([])
    .when(toSet('a', 7, { expiresAtMs: T0 + 5 }))
    .then(t, { type: 'set', key: 'a', value: 7, expiresAtMs: T0 + 5 })
})

test('set without a deadline removes the old one', (t) => {
  given([wasSet('a', 1, T0 + 100)])
    .when(toSet('a', 2))
    .then(t, wasSet('a', 2, NEVER))
})

test('set of an expired key is an expired event, then a set event', (t) => {
  given([wasSet('a', 1, T0)])
    .when(toSet('a', 2))
    .then(t, { type: 'expired', key: 'a' }, wasSet('a', 2))
})

test("only: 'absent' does not replace a live entry", (t) => {
  given([wasSet('a')])
    .when(toSet('a', 2, { only: 'absent' }))
    .then(t)
})

test("only: 'absent' replaces an expired entry", (t) => {
  given([wasSet('a', 1, T0)])
    .when(toSet('a', 2, { only: 'absent' }))
    .then(t, { type: 'expired', key: 'a' }, wasSet('a', 2))
})

test("only: 'present' stores nothing under a missing key", (t) => {
  given([])
    .when(toSet('a', 2, { only: 'present' }))
    .then(t)
})

test("only: 'present' does not replace an expired entry, which is removed", (t) => {
  given([wasSet('a', 1, T0)])
    .when(toSet('a', 2, { only: 'present' }))
    .then(t, { type: 'expired', key: 'a' })
})

test('a set that does not store evicts nothing', (t) => {
  given([wasSet('a'), wasSet('b')], { maxSize: 2 })
    .when(toSet('c', 1, { only: 'present' }))
    .then(t)
})

test('a full cache evicts the least recently used for a new key', (t) => {
  given([wasSet('a'), wasSet('b')], { maxSize: 2 })
    .when(toSet('c'))
    .then(t, { type: 'evicted', key: 'a' }, wasSet('c'))
})

test('replacing a value makes its entry the most recently used', (t) => {
  given([wasSet('a'), wasSet('b'), wasSet('a', 2)], { maxSize: 2 })
    .when(toSet('c'))
    .then(t, { type: 'evicted', key: 'b' }, wasSet('c'))
})

test('updating an existing key in a full cache evicts nothing', (t) => {
  given([wasSet('a'), wasSet('b')], { maxSize: 2 })
    .when(toSet('a', 9))
    .then(t, wasSet('a', 9))
})

test('no live entry is evicted while there is an expired one, however recently that was used', (t) => {
  given([wasSet('old'), wasSet('expired', 1, T0)], { maxSize: 2 })
    .when(toSet('c'))
    .then(t, { type: 'expired', key: 'expired' }, wasSet('c'))
})

test('a maxSize of 1 keeps the last entry set', (t) => {
  given([wasSet('a')], { maxSize: 1 })
    .when(toSet('b'))
    .then(t, { type: 'evicted', key: 'a' }, wasSet('b'))
})

test('clear is one event, without expirations or evictions', (t) => {
  given([wasSet('a', 1, T0), wasSet('b')])
    .when({ type: 'clear', nowMs: T0 })
    .then(t, { type: 'cleared' })
})

test('delete of a live entry is a deleted event', (t) => {
  given([wasSet('a')])
    .when(to('delete', 'a'))
    .then(t, { type: 'deleted', key: 'a' })
})

test('delete of a missing entry is not an event', (t) => {
  given([]).when(to('delete', 'a')).then(t)
})

test('delete of an expired entry is an expired event', (t) => {
  given([wasSet('a', 1, T0)])
    .when(to('delete', 'a'))
    .then(t, { type: 'expired', key: 'a' })
})

test('an entry is live until exactly its deadline', (t) => {
  const deadlineMs = 1_700_000_000_000.5
  given([wasSet('a', 1, deadlineMs)])
    .when(to('delete', 'a', deadlineMs - 2 ** -12))
    .then(t, { type: 'deleted', key: 'a' })
  given([wasSet('a', 1, deadlineMs)])
    .when(to('delete', 'a', deadlineMs))
    .then(t, { type: 'expired', key: 'a' })
})

test('expire changes the deadline', (t) => {
  given([wasSet('a')])
    .when({ type: 'expire', key: 'a', expiresAtMs: T0 + 3, nowMs: T0 })
    .then(t, { type: 'rescheduled', key: 'a', expiresAtMs: T0 + 3 })
})

test('expire of a missing or expired entry changes no deadline', (t) => {
  const command = { type: 'expire', key: 'a', expiresAtMs: T0 + 3, nowMs: T0 } as const
  given([]).when(command).then(t)
  given([wasSet('a', 1, T0)])
    .when(command)
    .then(t, { type: 'expired', key: 'a' })
})

test('persist removes the deadline', (t) => {
  given([wasSet('a', 1, T0 + 3)])
    .when(to('persist', 'a'))
    .then(t, { type: 'rescheduled', key: 'a', expiresAtMs: NEVER })
})

test('persist of an entry without a deadline is not an event', (t) => {
  given([wasSet('a')])
    .when(to('persist', 'a'))
    .then(t)
})

test('persist of an entry at its deadline is an expired event', (t) => {
  given([wasSet('a', 1, T0)])
    .when(to('persist', 'a'))
    .then(t, { type: 'expired', key: 'a' })
})

// ── increment ──

test('increment of a missing entry stores the amount, with the deadline of the command', (t) => {
  given([])
    .when(toIncrement('n', 5, { expiresAtMs: T0 + 9 }))
    .then(t, wasSet('n', 5, T0 + 9))
})

test('increment is a set event with the sum and the old deadline', (t) => {
  given([wasSet('n', 5, T0 + 3)])
    .when(toIncrement('n', 2, { expiresAtMs: T0 + 9 }))
    .then(t, wasSet('n', 7, T0 + 3))
})

test('increment of an expired entry starts at the amount', (t) => {
  given([wasSet('n', 5, T0)])
    .when(toIncrement('n', 2, { expiresAtMs: T0 + 9 }))
    .then(t, { type: 'expired', key: 'n' }, wasSet('n', 2, T0 + 9))
})

test('increment of a new key in a full cache makes room like set', (t) => {
  given([wasSet('a'), wasSet('b', 1, T0)], { maxSize: 2 })
    .when(toIncrement('n'))
    .then(t, { type: 'expired', key: 'b' }, wasSet('n', 1))
})

test('increment of an existing key evicts nothing', (t) => {
  given([wasSet('n'), wasSet('b')], { maxSize: 2 })
    .when(toIncrement('n'))
    .then(t, wasSet('n', 2))
})

for (const [what, value] of [
  ['text', '5'],
  ['null', null],
  ['a boolean', true],
  ['a bigint', 5n],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['an object', new EncodedValue('structured', new Uint8Array())],
] as const) {
  test(`increment of ${what} is a ValueError that names the key`, (t) => {
    given([wasSet('the key', value)])
      .when(toIncrement('the key'))
      .throws(t, 'ValueError', /'?the key/)
  })
}

test('increment adds fractions', (t) => {
  given([wasSet('n', 1)])
    .when(toIncrement('n', 0.5))
    .then(t, wasSet('n', 1.5))
})

test('2^53 − 1 is the largest integer that increment reaches', (t) => {
  given([wasSet('n', Number.MAX_SAFE_INTEGER - 1)])
    .when(toIncrement('n'))
    .then(t, wasSet('n', Number.MAX_SAFE_INTEGER))
  given([wasSet('n', Number.MAX_SAFE_INTEGER)])
    .when(toIncrement('n'))
    .throws(t, 'RangeError', /2\^53/)
  given([wasSet('n', -Number.MAX_SAFE_INTEGER)])
    .when(toIncrement('n', -1))
    .throws(t, 'RangeError', /2\^53/)
  given([])
    .when(toIncrement('n', 2 ** 53))
    .throws(t, 'RangeError', /2\^53/)
})

test('a sum beyond the largest double is a RangeError', (t) => {
  given([wasSet('n', 1.7e308)])
    .when(toIncrement('n', 1.7e308))
    .throws(t, 'RangeError', /Nothing was changed/)
})

// ── maxBytes ──

test('as many entries as needed are evicted, the least recently used first', (t) => {
  given([wasSet('a', 'xxx'), wasSet('b', 'xxx'), wasSet('c', 'xxx')], { maxBytes: 12 })
    .when(toSet('d', 'xxxxx'))
    .then(t, { type: 'evicted', key: 'a' }, { type: 'evicted', key: 'b' }, wasSet('d', 'xxxxx'))
})

test('expired entries make room in bytes before live ones do', (t) => {
  given([wasSet('a', 'xxx'), wasSet('b', 'xxx', T0), wasSet('c', 'xxx')], { maxBytes: 12 })
    .when(toSet('d', 'xxx'))
    .then(t, { type: 'expired', key: 'b' }, wasSet('d', 'xxx'))
})

test('an entry larger than maxBytes is a RangeError', (t) => {
  given([wasSet('a', 'xxx')], { maxBytes: 12 })
    .when(toSet('b', 'x'.repeat(12)))
    .throws(t, 'RangeError', /13 bytes.*maxBytes/s)
})

test('an entry of exactly maxBytes fits', (t) => {
  given([wasSet('a', 'xxx')], { maxBytes: 12 })
    .when(toSet('b', 'x'.repeat(11)))
    .then(t, { type: 'evicted', key: 'a' }, wasSet('b', 'x'.repeat(11)))
})

test('a replaced value counts once', (t) => {
  given([wasSet('a', 'xxx'), wasSet('b', 'xxx')], { maxBytes: 8 })
    .when(toSet('a', 'yyy'))
    .then(t, wasSet('a', 'yyy'))
})

test('an update that exceeds maxBytes evicts other entries', (t) => {
  given([wasSet('a', 'xxx'), wasSet('b', 'xxx')], { maxBytes: 8 })
    .when(toSet('a', 'yyyyyy'))
    .then(t, { type: 'evicted', key: 'b' }, wasSet('a', 'yyyyyy'))
})

// ── order and limits ──

test('several expired entries make room in the order of their deadlines, then the least recently used', (t) => {
  given(
    [wasSet('a', 'x'), wasSet('late', 'x', T0 - 1), wasSet('b', 'x'), wasSet('early', 'x', T0 - 9), wasSet('c', 'x')],
    { maxBytes: 17 },
  )
    .when(toSet('d', 'x'.repeat(12)))
    .then(
      t,
      { type: 'expired', key: 'early' },
      { type: 'expired', key: 'late' },
      { type: 'evicted', key: 'a' },
      wasSet('d', 'x'.repeat(12)),
    )
})

test('cleanup removes expired entries in the order of their deadlines, up to its limit', (t) => {
  const events = [5, 3, 9, 1, 7, 2, 8].map((deadline) => wasSet(`k${deadline}`, 1, T0 + deadline))
  given(events)
    .when({ type: 'cleanup', limit: 3, nowMs: T0 + 7 })
    .then(t, ...['k1', 'k2', 'k3'].map((key) => ({ type: 'expired' as const, key })))
  given(events)
    .when({ type: 'cleanup', limit: 99, nowMs: T0 + 7 })
    .then(t, ...['k1', 'k2', 'k3', 'k5', 'k7'].map((key) => ({ type: 'expired' as const, key })))
})

// ── limits ──

const limitTo = (maxSize: number, maxBytes = Number.POSITIVE_INFINITY, atMost = Number.POSITIVE_INFINITY) =>
  ({ type: 'limit', maxSize, maxBytes, atMost, nowMs: T0 }) as const
const limited = (maxSize: number, maxBytes = Number.POSITIVE_INFINITY) =>
  ({ type: 'limited', maxSize, maxBytes }) as const

test('smaller limits remove what exceeds them: expired entries first, then the least recently used', (t) => {
  const events = [wasSet('a'), wasSet('b', 1, T0), wasSet('c'), wasSet('d')]
  const evicted = (key: string) => ({ type: 'evicted', key }) as const
  given(events).when(limitTo(2)).then(t, limited(2), { type: 'expired', key: 'b' }, evicted('a'))
  // Each weighs 9 here.
  given(events).when(limitTo(3, 18)).then(t, limited(3, 18), { type: 'expired', key: 'b' }, evicted('a'))
  given(events, { maxBytes: 100 })
    .when(limitTo(4, 9))
    .then(t, limited(4, 9), { type: 'expired', key: 'b' }, evicted('a'), evicted('c'))
})

test('limits that nothing exceeds are one event, and those that are there already are none', (t) => {
  const events = [wasSet('a'), wasSet('b')]
  given(events).when(limitTo(2)).then(t, limited(2))
  given(events, { maxSize: 2 }).when(limitTo(Number.POSITIVE_INFINITY)).then(t, limited(Number.POSITIVE_INFINITY))
  given(events, { maxSize: 2, maxBytes: 50 }).when(limitTo(2, 50)).then(t)
})

test('removals that are too many for one turn come first, and the limits change with the last of them', (t) => {
  const events = [wasSet('a'), wasSet('b'), wasSet('c'), wasSet('d')]
  const evicted = (key: string) => ({ type: 'evicted', key }) as const
  given(events)
    .when(limitTo(1, undefined, 2))
    .then(t, evicted('a'), evicted('b'))
  given(events.slice(2))
    .when(limitTo(1, undefined, 2))
    .then(t, limited(1), evicted('c'))
})

test("a new key beyond the limit of V8's Map is a RangeError, unless it replaces an entry or makes room", (t) => {
  const events = [wasSet('a', 1, T0), wasSet('b')]
  given([wasSet('a'), wasSet('b')], { entriesMax: 2 })
    .when(toSet('c'))
    .throws(t, 'RangeError', /2 entries.*Nothing was changed/s)
  given([wasSet('a'), wasSet('b')], { entriesMax: 2 })
    .when(toSet('a', 2))
    .then(t, wasSet('a', 2))
  given(events, { entriesMax: 2 }).when(toSet('a', 2)).then(t, { type: 'expired', key: 'a' }, wasSet('a', 2))
  given([wasSet('a'), wasSet('b')], { entriesMax: 2, maxSize: 2 })
    .when(toSet('c'))
    .then(t, { type: 'evicted', key: 'a' }, wasSet('c'))
})

test('a value is weighed once, however many entries make room for it', (t) => {
  const events = Array.from({ length: 100 }, (_, index) => wasSet(`k${index}`, 'x'))
  const state = stateOf(events, { maxBytes: 400 })
  const { weigh } = state
  let weighed = 0
  Object.assign(state, {
    weigh: (key: string, value: StoredValue) => {
      weighed++
      return weigh.call(state, key, value)
    },
  })
  const decided = decide(state, toSet('long', 'x'.repeat(390)))
  t.is(decided.length, 99 + 1)
  t.is(weighed, 1)
})
