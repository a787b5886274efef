import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { evolve, evolveRow, recordHit, recordMiss, restoreRecency } from '../../../src/core/evolve/evolve.js'
import { Replacement } from '../../../src/core/evolve/replacement.js'
import type { State } from '../../../src/core/evolve/state.js'
import { NEVER, stateOf, T0, wasSet } from '../../helpers/given.js'
import { holds } from '../../helpers/property.js'

function rows(state: State): [string, unknown, number][] {
  return [...state.keysInOrder()].map((key) => {
    const slot = state.find(key)
    if (slot === undefined) throw new Error(`${key} is in the order of use, but not found`)
    return [key, state.valueAt(slot), state.deadlineAt(slot)]
  })
}

test('set events add entries, the last one as the most recently used', (t) => {
  const state = stateOf([wasSet('a', 1), wasSet('b', 2, T0)])
  t.deepEqual(rows(state), [
    ['a', 1, NEVER],
    ['b', 2, T0],
  ])
  t.is(state.size, 2)
  t.is(state.counters.sets, 2)
})

test('a set event replaces the value, the deadline and the place in the order of use', (t) => {
  const state = stateOf([wasSet('a', 1, T0), wasSet('b', 2), wasSet('a', 3)])
  t.deepEqual(rows(state), [
    ['b', 2, NEVER],
    ['a', 3, NEVER],
  ])
  t.is(state.expiryBoundMs, NEVER)
})

test('evolve decides nothing: neither limits nor the clock stop an event from taking effect', (t) => {
  const state = stateOf([wasSet('a', 1, 0), wasSet('b', 1, -1), wasSet('c')], { maxSize: 1, maxBytes: 1 })
  t.is(state.size, 3)
  t.like(state.counters, { evictions: 0, expirations: 0 })
})

for (const [type, counter] of [
  ['deleted', 'deletes'],
  ['expired', 'expirations'],
  ['evicted', 'evictions'],
] as const) {
  test(`${type} removes the entry and counts as one of ${counter}`, (t) => {
    const state = stateOf([wasSet('a', 1, T0), wasSet('b'), { type, key: 'a' }])
    t.deepEqual(
      rows(state).map(([key]) => key),
      ['b'],
    )
    t.is(state.counters[counter], 1)
    t.is(state.expiryBoundMs, NEVER)
  })
}

test('an event for a missing entry changes nothing', (t) => {
  const state = stateOf([wasSet('a'), { type: 'deleted', key: 'x' }, { type: 'rescheduled', key: 'x', expiresAtMs: 1 }])
  t.deepEqual(rows(state), [['a', 1, NEVER]])
})

test('rescheduled changes the deadline and nothing else', (t) => {
  const state = stateOf([wasSet('a'), wasSet('b'), { type: 'rescheduled', key: 'a', expiresAtMs: T0 }])
  t.deepEqual(rows(state), [
    ['a', 1, T0],
    ['b', 1, NEVER],
  ])
  evolve(state, { type: 'rescheduled', key: 'a', expiresAtMs: NEVER })
  t.is(state.expiryBoundMs, NEVER)
})

test('cleared removes everything and resets the counters', (t) => {
  const state = stateOf([wasSet('a', 'x', T0), { type: 'evicted', key: 'a' }, wasSet('b', 'x', T0)], { maxBytes: 100 })
  recordMiss(state)
  evolve(state, { type: 'cleared' })
  t.deepEqual(rows(state), [])
  t.is(state.bytes, 0)
  t.is(state.expiryBoundMs, NEVER)
  t.like(state.counters, { hits: 0, misses: 0, evictions: 0, expirations: 0, sets: 0, deletes: 0 })
})

test('loaded replaces the rows and the counters by those of the file', (t) => {
  const state = stateOf([wasSet('a'), wasSet('b')])
  const replacement = new Replacement(state)
  replacement.add('c', 1, T0)
  replacement.add('d', 2, NEVER)
  replacement.counters.hits = 7
  evolve(state, { type: 'loaded', file: 'f', checksum: 0, entries: 2 }, replacement)
  t.deepEqual(rows(state), [
    ['c', 1, T0],
    ['d', 2, NEVER],
  ])
  t.like(state.counters, { hits: 7, sets: 0 })
})

test('a hit makes an entry the most recently used', (t) => {
  const state = stateOf([wasSet('a'), wasSet('b'), wasSet('c')])
  for (const key of ['b', 'b', 'a', 'a']) {
    const slot = state.find(key)
    if (slot !== undefined) recordHit(state, slot)
  }
  t.deepEqual([...state.keysInOrder()], ['c', 'b', 'a'])
  t.is(state.counters.hits, 4)
})

test('keys of a restored order come after the keys that it does not name', (t) => {
  const state = stateOf([wasSet('a'), wasSet('b'), wasSet('c'), wasSet('d')])
  restoreRecency(state, ['c', 'missing', 'a', 'b'])
  t.deepEqual([...state.keysInOrder()], ['d', 'c', 'a', 'b'])
})

const KEYS = ['a', 'b', 'c', 'd', 'e', 'f', 'g']

test('restoring an order equals using each of its keys in turn, whatever the order was', (t) =>
  holds(
    t,
    fc.property(
      fc.shuffledSubarray(KEYS),
      fc.array(fc.constantFrom(...KEYS, 'missing'), { maxLength: 12 }),
      (before, order) => {
        const state = stateOf(before.map((key) => wasSet(key)))
        restoreRecency(state, order)
        const expected = new Set(before)
        for (const key of order) if (expected.delete(key)) expected.add(key)
        assert.deepEqual([...state.keysInOrder()], [...expected])
      },
    ),
    1_000,
  ))

test('a row of a snapshot is a set event, and evolveRow returns whether its key is new', (t) => {
  const state = stateOf([])
  t.true(evolveRow(state, 'a', 1, T0))
  t.true(evolveRow(state, 'b', 2, NEVER))
  t.deepEqual(rows(state), [
    ['a', 1, T0],
    ['b', 2, NEVER],
  ])
  t.false(evolveRow(state, 'a', 3, NEVER))
})

test('a removed slot is reused, without its old content', (t) => {
  const state = stateOf([wasSet('a', 'old', T0)], { maxBytes: 100 })
  const slot = state.find('a')
  evolve(state, { type: 'deleted', key: 'a' })
  evolve(state, wasSet('b', 'new'))
  t.is(state.find('b'), slot)
  t.is(state.find('a'), undefined)
  t.deepEqual(rows(state), [['b', 'new', NEVER]])
  t.is(state.bytes, 4)
})

test('growing columns lose nothing', (t) => {
  const state = stateOf([], { maxBytes: 1e9 })
  for (let index = 0; index < 10_000; index++) {
    evolve(state, wasSet(`k${index}`, index, index % 3 === 0 ? T0 + index : NEVER))
    if (index % 7 === 0) evolve(state, { type: 'deleted', key: `k${index / 2}` })
  }
  const expected = new Map<string, [string, number, number]>()
  for (let index = 0; index < 10_000; index++) {
    expected.set(`k${index}`, [`k${index}`, index, index % 3 === 0 ? T0 + index : NEVER])
    if (index % 7 === 0) expected.delete(`k${index / 2}`)
  }
  t.deepEqual(rows(state), [...expected.values()])
  t.is(
    state.bytes,
    [...expected.keys()].reduce((sum, key) => sum + key.length + 8, 0),
  )
})
