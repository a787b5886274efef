import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { evolve, recordHit } from '../../../src/core/evolve/evolve.js'
import { FrozenRows } from '../../../src/core/evolve/frozen-rows.js'
import type { State } from '../../../src/core/evolve/state.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { NEVER, stateOf, wasSet } from '../../helpers/given.js'
import { holds } from '../../helpers/property.js'

function rowsOf(state: State) {
  return [...state.keysInOrder()].map((key) => {
    const slot = state.find(key)
    if (slot === undefined) throw new Error(key)
    return { key, value: state.valueAt(slot), expiresAtMs: state.deadlineAt(slot) }
  })
}

function readAll(frozen: FrozenRows) {
  const rows = []
  for (let row = frozen.read(); row !== undefined; row = frozen.read()) rows.push(row)
  return rows
}

type Step =
  | CacheEvent
  | { type: 'hit'; key: string }
  | { type: 'read'; rows: number }
  | { type: 'undone'; events: CacheEvent[] }

const key = fc.integer({ min: 0, max: 16 }).map((index) => `k${index}`)
const expiresAtMs = fc.constantFrom(NEVER, 5, 9)
const EVENT: fc.Arbitrary<CacheEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('set' as const), key, value: fc.integer(), expiresAtMs }) },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constantFrom('deleted' as const, 'expired' as const, 'evicted' as const), key }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rescheduled' as const), key, expiresAtMs }) },
  { weight: 1, arbitrary: fc.constant({ type: 'cleared' as const }) },
)
const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: EVENT },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('hit' as const), key }) },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('read' as const), rows: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('undone' as const), events: fc.array(EVENT, { maxLength: 8 }) }),
  },
)

function undo(state: State, events: readonly CacheEvent[]): void {
  const { mark } = state.undo
  state.undo.isRecording = true
  for (const event of events) evolve(state, event)
  state.undo.rollBack(state, mark)
  state.undo.end()
}

test('a view has the rows and counters of its moment, whatever changes or is undone while it is read', (t) =>
  holds(
    t,
    fc.property(fc.array(EVENT, { maxLength: 30 }), fc.array(STEP, { maxLength: 60 }), (before, steps) => {
      const state = stateOf(before)
      const expected = rowsOf(state)
      const counters = { ...state.counters }
      const frozen = new FrozenRows(state)
      const unread = new FrozenRows(state)
      const read: unknown[] = []
      for (const step of steps) {
        if (step.type === 'read') {
          for (let count = 0; count < step.rows; count++) {
            const row = frozen.read()
            if (row !== undefined) read.push(row)
          }
        } else if (step.type === 'hit') {
          const slot = state.find(step.key)
          if (slot !== undefined) recordHit(state, slot)
        } else if (step.type === 'undone') undo(state, step.events)
        else evolve(state, step)
      }
      read.push(...readAll(frozen))
      frozen.release()
      assert.deepEqual(read, expected)
      assert.deepEqual(readAll(unread), expected, 'a second view of the same moment')
      unread.release()
      assert.equal(frozen.count, expected.length)
      assert.deepEqual({ ...frozen.counters }, counters)
    }),
    3_000,
  ))

test('views of two moments can be read side by side', (t) => {
  const state = stateOf([wasSet('a', 1), wasSet('b', 2)])
  const first = new FrozenRows(state)
  evolve(state, wasSet('a', 3))
  const second = new FrozenRows(state)
  evolve(state, { type: 'deleted', key: 'b' })
  evolve(state, { type: 'cleared' })
  const values = (frozen: FrozenRows) => readAll(frozen).map(({ key, value }) => [key, value])
  t.deepEqual(values(second), [
    ['b', 2],
    ['a', 3],
  ])
  second.release()
  t.deepEqual(values(first), [
    ['a', 1],
    ['b', 2],
  ])
  first.release()
})

test('a view does not change when the columns grow', (t) => {
  const state = stateOf(Array.from({ length: 100 }, (_, index) => wasSet(`k${index}`, index)))
  const expected = rowsOf(state)
  const frozen = new FrozenRows(state)
  for (let index = 0; index < 5_000; index++) evolve(state, wasSet(`k${index}`, -index))
  t.deepEqual(readAll(frozen), expected)
  frozen.release()
})

test('a released view has no rows, and does not affect later views', (t) => {
  const state = stateOf(Array.from({ length: 3_000 }, (_, index) => wasSet(`k${index}`, index)))
  const first = new FrozenRows(state)
  first.release()
  const expected = rowsOf(state)
  const second = new FrozenRows(state)
  first.release()
  const third = new FrozenRows(state)
  t.is(first.read(), undefined)
  for (let index = 0; index < 5_000; index++) evolve(state, wasSet(`k${index}`, -index))
  t.deepEqual(readAll(second), expected)
  second.release()
  t.deepEqual(readAll(third), expected)
  third.release()
})
