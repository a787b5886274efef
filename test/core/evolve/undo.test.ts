import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { evolve, recordHit, recordMiss } from '../../../src/core/evolve/evolve.js'
import { Replacement } from '../../../src/core/evolve/replacement.js'
import type { State } from '../../../src/core/evolve/state.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import type { Slot } from '../../../src/core/model/state.js'
import { NEVER, stateOf, wasSet } from '../../helpers/given.js'
import { holds } from '../../helpers/property.js'

/** A whole state: rows in order of use, counters, bytes, and the first deadline. */
function all(state: State) {
  const rows = [...state.keysInOrder()].map((key) => {
    const slot = state.find(key)
    if (slot === undefined) return key
    const times = [state.deadlineAt(slot), state.freshUntilAt(slot)]
    return [key, slot, state.valueAt(slot), times, state.tagsAt(slot), state.weightAt(slot)]
  })
  const tagged = TAGS.map((tag) =>
    state
      .slotsTagged(tag)
      .map((slot) => state.keyAt(slot))
      .sort(),
  )
  const extended = [state.entries.isExtended, state.entries.windows.count, state.entries.tags.count, state.tagCount]
  const next = state.expired(NEVER).next()
  const nextMs = next === undefined ? NEVER : state.deadlineAt(next)
  const { size, bytes, limits } = state
  return { rows, tagged, extended, size, bytes, limits, counters: { ...state.counters }, nextMs }
}

const KEY = fc.constantFrom('a', 'b', 'c', 'd', 'e', '__proto__')
const MOMENT = fc.oneof(fc.constant(NEVER), fc.integer({ min: 0, max: 20 }))
const TAGS = ['x', 'y', 'zz']
const EXTENSION = fc.oneof(
  fc.record({ freshUntilMs: fc.integer({ min: 0, max: 20 }), tags: fc.subarray(TAGS) }),
  fc.record({ freshUntilMs: fc.constant(NEVER), tags: fc.subarray(TAGS, { minLength: 1 }) }),
)
const CHANGE: fc.Arbitrary<CacheEvent | { type: 'hit'; key: string } | { type: 'miss' }> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record(
      {
        type: fc.constant('set'),
        key: KEY,
        value: fc.constantFrom('x', 'xx', 7),
        expiresAtMs: MOMENT,
        extension: EXTENSION,
      },
      { requiredKeys: ['type', 'key', 'value', 'expiresAtMs'] },
    ),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('deleted', 'expired', 'evicted'), key: KEY }) },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        type: fc.constant('rescheduled'),
        key: KEY,
        expiresAtMs: MOMENT,
        freshUntilMs: fc.integer({ min: 0, max: 20 }),
      },
      { requiredKeys: ['type', 'key', 'expiresAtMs'] },
    ),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('hit'), key: KEY }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('cleared', 'miss') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('limited'),
      maxSize: fc.integer({ min: 50, max: 60 }),
      maxBytes: fc.constantFrom(1_000, NEVER),
    }),
  },
) as never

function apply(state: State, change: CacheEvent | { type: 'hit'; key: string } | { type: 'miss' }): void {
  if (change.type === 'miss') recordMiss(state)
  else if (change.type === 'hit') {
    const slot = state.find(change.key)
    if (slot !== undefined) recordHit(state, slot)
  } else if (change.type === 'deleted' || change.type === 'expired' || change.type === 'evicted') {
    if (state.find(change.key) !== undefined) evolve(state, change) // nothing else is ever decided
  } else evolve(state, change)
}

const CHANGES = fc.array(CHANGE, { maxLength: 30 })

test('rolling back to a mark restores the state of that mark, including slots', (t) =>
  holds(
    t,
    fc.property(CHANGES, CHANGES, CHANGES, (before, outer, inner) => {
      const state = stateOf([], { maxBytes: 1_000 })
      for (const change of before) apply(state, change)
      const atBegin = all(state)
      const { undo } = state
      const begin = undo.mark
      undo.isRecording = true
      for (const change of outer) apply(state, change)
      const atSavepoint = all(state)
      const savepoint = undo.mark
      for (const change of inner) apply(state, change)
      undo.rollBack(state, savepoint)
      assert.deepEqual(all(state), atSavepoint)
      for (const change of inner) apply(state, change)
      undo.rollBack(state, begin)
      undo.end()
      assert.deepEqual(all(state), atBegin)
    }),
    1_000,
  ))

test('after a rollback later changes have the same effect as if nothing had been undone', (t) =>
  holds(
    t,
    fc.property(CHANGES, CHANGES, CHANGES, (before, undone, after) => {
      const state = stateOf([], { maxBytes: 1_000 })
      const straight = stateOf([], { maxBytes: 1_000 })
      for (const change of before) {
        apply(state, change)
        apply(straight, change)
      }
      const { undo } = state
      const mark = undo.mark
      undo.isRecording = true
      for (const change of undone) apply(state, change)
      undo.rollBack(state, mark)
      undo.end()
      for (const change of after) {
        apply(state, change)
        apply(straight, change)
      }
      const withoutSlots = (whole: ReturnType<typeof all>) => ({
        ...whole,
        rows: whole.rows.map((row) => (Array.isArray(row) ? row.toSpliced(1, 1) : row)),
      })
      assert.deepEqual(withoutSlots(all(state)), withoutSlots(all(straight)))
    }),
    1_000,
  ))

test('the bytes of a state are always the sum of its entries', (t) =>
  holds(
    t,
    fc.property(CHANGES, (changes) => {
      const state = stateOf([], { maxBytes: 1_000 })
      for (const change of changes) {
        apply(state, change)
        let sum = 0
        for (const key of state.keysInOrder()) {
          const slot = state.find(key)
          if (slot !== undefined) sum += state.weigh(key, state.valueAt(slot), state.tagsAt(slot))
        }
        assert.equal(state.bytes, sum)
      }
    }),
    500,
  ))

test('after a turn the undo log is empty and does not record', (t) => {
  const state = stateOf([])
  const { undo } = state
  undo.isRecording = true
  for (let index = 0; index < 1_000; index++) evolve(state, { type: 'set', key: 'a', value: index, expiresAtMs: NEVER })
  undo.end()
  t.is(undo.mark, 0)
  t.false(undo.isRecording)
})

test('until a turn is committed its inverse is kept, and no longer', (t) => {
  const state = stateOf([])
  const { undo } = state
  undo.isSpeculative = true
  for (let sequence = 1; sequence <= 1_000; sequence++) {
    undo.appended(sequence)
    evolve(state, wasSet(`${sequence % 7}`, sequence))
    undo.commit(sequence - 3)
    t.is([...undo.uncommitted()].length, Math.min(sequence, 3))
  }
  undo.revert(state)
  t.deepEqual(
    [...state.keysInOrder()].map((key) => state.valueAt(state.find(key) as Slot)).sort(),
    [991, 992, 993, 994, 995, 996, 997],
  )
  t.false(undo.hasUncommitted)
})

test('a load and a clear that are taken back leave the entries and counters of before, with the reads since', (t) => {
  for (const event of [{ type: 'loaded', file: '', checksum: 0, entries: 1 }, { type: 'cleared' }] as const) {
    const state = stateOf([wasSet('a')])
    state.counters.hits = 10
    const { undo } = state
    undo.isSpeculative = true
    const loaded = new Replacement(state)
    loaded.add('b', 1, NEVER)
    loaded.counters.hits = 50
    undo.appended(2)
    evolve(state, event, loaded)
    recordMiss(state)
    state.counters.hits++
    undo.revert(state)
    t.deepEqual([...state.keysInOrder()], ['a'])
    t.deepEqual({ ...state.counters }, { ...state.counters, hits: 11, misses: 1, sets: 1 })
  }
})
