import test from 'ava'
import { given, NEVER, T0, to, toIncrement, toSet, wasExtended, wasSet } from '../../helpers/given.js'

/** Fresh for 10 ms from T0 on, then stale for 20 ms. */
const extended = wasExtended('a', T0 + 30, T0 + 10, ['t'])
const [FRESH, STALE, EXPIRED] = [T0 + 9, T0 + 10, T0 + 30]

test('a set with a stale window is a set event with both times and the tags', (t) => {
  given([])
    .when(toSet('a', 1, { expiresAtMs: T0 + 10, staleMs: 20, tags: ['t'] }))
    .then(t, extended)
})

test('a window of 0 ms is none, and an endless one has no deadline', (t) => {
  given([])
    .when(toSet('a', 1, { expiresAtMs: T0 + 10, staleMs: 0 }))
    .then(t, wasSet('a', 1, T0 + 10))
  given([])
    .when(toSet('a', 1, { expiresAtMs: T0 + 10, staleMs: NEVER }))
    .then(t, wasExtended('a', NEVER, T0 + 10))
})

test('a window needs a ttl that ends, also if the entry keeps its own', (t) => {
  given([])
    .when(toSet('a', 1, { staleMs: 5 }))
    .throws(t, 'RangeError', /stale needs a ttl that ends/)
  given([wasSet('a')])
    .when(toSet('a', 1, { expiresAtMs: T0 + 5, keepsDeadline: true, staleMs: 5 }))
    .throws(t, 'RangeError', /stale needs a ttl that ends/)
})

test('what is kept is both times; a window that is given begins at the end of the kept ttl', (t) => {
  const keep = { keepsDeadline: true, nowMs: FRESH }
  given([extended])
    .when(toSet('a', 1, keep))
    .then(t, wasExtended('a', T0 + 30, T0 + 10))
  given([extended])
    .when(toSet('a', 1, { ...keep, staleMs: 1 }))
    .then(t, wasExtended('a', T0 + 11, T0 + 10))
  given([wasSet('a', 1, T0 + 40)])
    .when(toSet('a', 1, { ...keep, staleMs: 1 }))
    .then(t, wasExtended('a', T0 + 41, T0 + 40))
  given([extended])
    .when(toSet('a', 1, { ...keep, nowMs: STALE, expiresAtMs: T0 + 50 }))
    .then(t, wasSet('a', 1, T0 + 50))
})

test('an increment keeps both times and the tags; of a stale entry it begins anew', (t) => {
  given([extended])
    .when(toIncrement('a', 2, { nowMs: FRESH }))
    .then(t, { ...extended, value: 3 } as never)
  given([extended])
    .when(toIncrement('a', 2, { nowMs: STALE, expiresAtMs: T0 + 99 }))
    .then(t, wasSet('a', 2, T0 + 99))
})

test('a set replaces a stale entry without another event', (t) => {
  given([extended])
    .when(toSet('a', 2, { nowMs: STALE, only: 'absent' }))
    .then(t, wasSet('a', 2))
  given([extended])
    .when(toSet('a', 2, { nowMs: STALE, only: 'present' }))
    .then(t)
  given([extended])
    .when(toSet('a', 2, { nowMs: EXPIRED }))
    .then(t, { type: 'expired', key: 'a' }, wasSet('a', 2))
})

test('a stale entry is deleted, but neither rescheduled nor persisted', (t) => {
  given([extended])
    .when(to('delete', 'a', STALE))
    .then(t, { type: 'deleted', key: 'a' })
  given([extended])
    .when(to('persist', 'a', STALE))
    .then(t)
  given([extended])
    .when({ type: 'expire', key: 'a', expiresAtMs: T0 + 99, nowMs: STALE })
    .then(t)
})

test('expire moves both ends; without an end, and with persist, there is neither', (t) => {
  given([extended])
    .when({ type: 'expire', key: 'a', expiresAtMs: T0 + 100, nowMs: FRESH })
    .then(t, { type: 'rescheduled', key: 'a', expiresAtMs: T0 + 120, freshUntilMs: T0 + 100 })
  given([wasExtended('a', NEVER, T0 + 10)])
    .when({ type: 'expire', key: 'a', expiresAtMs: T0 + 100, nowMs: FRESH })
    .then(t, { type: 'rescheduled', key: 'a', expiresAtMs: NEVER, freshUntilMs: T0 + 100 })
  const gone = { type: 'rescheduled', key: 'a', expiresAtMs: NEVER } as const
  given([extended]).when({ type: 'expire', key: 'a', expiresAtMs: NEVER, nowMs: FRESH }).then(t, gone)
  given([extended])
    .when(to('persist', 'a', FRESH))
    .then(t, gone)
  given([wasExtended('a', NEVER, T0 + 10)])
    .when(to('persist', 'a', FRESH))
    .then(t, gone)
})

test('a full cache evicts a stale entry like any other, and removes expired ones first', (t) => {
  given([extended, wasSet('b')], { maxSize: 2 })
    .when(toSet('c', 1, { nowMs: STALE }))
    .then(t, { type: 'evicted', key: 'a' }, wasSet('c'))
  given([extended, wasSet('b', 1, T0 + 5)], { maxSize: 2 })
    .when(toSet('c', 1, { nowMs: STALE }))
    .then(t, { type: 'expired', key: 'b' }, wasSet('c'))
})
