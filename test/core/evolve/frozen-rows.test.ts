import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import { evolve, recordHit } from '../../../src/core/evolve/evolve.js'
import { FrozenRows } from '../../../src/core/evolve/frozen-rows.js'
import type { State } from '../../../src/core/evolve/state.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { NEVER, stateOf, wasSet } from '../../helpers/given.js'
import { runs } from '../../helpers/runs.js'

function rowsOf(state: State) {
  return [...state.keysByUse()].map((key) => {
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

const KEY = fc.integer({ min: 0, max: 20 }).map((index) => `k${index}`)
const EVENT: fc.Arbitrary<
  CacheEvent | { type: 'hit'; key: string } | { type: 'read' } | { type: 'undone'; events: CacheEvent[] }
> = fc.letrec((tie) => ({
  event: fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('set'),
        key: KEY,
        value: fc.integer(),
        expiresAtMs: fc.constantFrom(NEVER, 5),
      }),
    },
    { weight: 4, arbitrary: fc.record({ type: fc.constant('deleted'), key: KEY }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('rescheduled'), key: KEY, expiresAtMs: fc.constantFrom(NEVER, 9) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('cleared') }) },
  ),
  step: fc.oneof(
    { weight: 8, arbitrary: tie('event') },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('hit'), key: KEY }) },
    { weight: 6, arbitrary: fc.record({ type: fc.constant('read') }) },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('undone'), events: fc.array(tie('event') as never, { maxLength: 8 }) }),
    },
  ),
})).step as never

test('what is read is the moment of freezing, however much changes, or is undone, meanwhile', (t) => {
  fc.assert(
    fc.property(fc.array(KEY, { maxLength: 30 }), fc.array(EVENT, { maxLength: 60 }), (keys, steps) => {
      const state = stateOf(keys.map((key, index) => wasSet(key, index, index % 3 === 0 ? index : NEVER)))
      const expected = rowsOf(state)
      const counters = { ...state.counters }
      const frozen = new FrozenRows(state)
      const read = []
      for (const step of steps) {
        if (step.type === 'read') {
          const row = frozen.read()
          if (row !== undefined) read.push(row)
        } else if (step.type === 'hit') {
          const slot = state.find(step.key)
          if (slot !== undefined) recordHit(state, slot)
        } else if (step.type === 'undone') {
          const { mark } = state.undo
          state.undo.isRecording = true
          for (const event of step.events) evolve(state, event)
          state.undo.rollBack(state, mark)
          state.undo.forget()
        } else evolve(state, step)
      }
      read.push(...readAll(frozen))
      frozen.release()
      return (
        frozen.count === expected.length &&
        isDeepStrictEqual(read, expected) &&
        isDeepStrictEqual({ ...frozen.counters }, counters)
      )
    }),
    { numRuns: runs(1_000) },
  )
  t.pass()
})

test('two views of two moments are read side by side', (t) => {
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

test('columns that grow after freezing change nothing of it', (t) => {
  const state = stateOf(Array.from({ length: 100 }, (_, index) => wasSet(`k${index}`, index)))
  const expected = rowsOf(state)
  const frozen = new FrozenRows(state)
  for (let index = 0; index < 5_000; index++) evolve(state, wasSet(`k${index}`, -index))
  t.deepEqual(readAll(frozen), expected)
  frozen.release()
})

test('a view that was released has no rows any more, and leaves those of the next one alone', (t) => {
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
