/** `decide` is asked before the journal is: whatever it answers, the state is as it was. */
import test from 'ava'
import fc from 'fast-check'
import { decide } from '../../../src/core/decide/decide.js'
import { evolve } from '../../../src/core/evolve/evolve.js'
import type { State } from '../../../src/core/evolve/state.js'
import type { Command } from '../../../src/core/model/command.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { NEVER, stateOf } from '../../helpers/given.js'
import { runs } from '../../helpers/runs.js'

const KEY = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const MOMENT = fc.oneof(fc.constant(NEVER), fc.integer({ min: 0, max: 20 }))
const VALUE = fc.constantFrom('x', 'xxxx', 7)
const SET: fc.Arbitrary<CacheEvent> = fc.record({
  type: fc.constant('set'),
  key: KEY,
  value: VALUE,
  expiresAtMs: MOMENT,
})
const NOW = { nowMs: fc.integer({ min: 0, max: 20 }) }
const COMMAND: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    type: fc.constant('set' as const),
    key: KEY,
    value: VALUE,
    expiresAtMs: MOMENT,
    only: fc.constantFrom(undefined, 'absent' as const, 'present' as const),
    ...NOW,
  }),
  fc.record({ type: fc.constant('increment' as const), key: KEY, by: fc.integer(), expiresAtMs: MOMENT, ...NOW }),
  fc.record({ type: fc.constantFrom('delete' as const, 'persist' as const), key: KEY, ...NOW }),
  fc.record({ type: fc.constant('expire' as const), key: KEY, expiresAtMs: MOMENT, ...NOW }),
  fc.record({
    type: fc.constantFrom('cleanup' as const, 'trim' as const),
    limit: fc.integer({ min: 1, max: 4 }),
    ...NOW,
  }),
)

/** All of a state, the order of use and the deadlines in their order included. */
function all(state: State) {
  const byDeadline: unknown[] = []
  const cursor = state.byDeadline()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next())
    byDeadline.push([state.keyAt(slot), state.deadlineAt(slot), slot])
  const rows = [...state.keysByUse()].map((key) => {
    const slot = state.find(key)
    return [key, slot, slot === undefined ? undefined : [state.valueAt(slot), state.weightAt(slot)]]
  })
  return {
    rows,
    byDeadline,
    size: state.size,
    bytes: state.bytes,
    counters: { ...state.counters },
    undo: state.undo.mark,
  }
}

test('decide changes nothing, whether it returns or throws; its events keep the limits', (t) => {
  fc.assert(
    fc.property(fc.array(SET, { maxLength: 12 }), COMMAND, (events, command) => {
      const state = stateOf(events, { maxSize: 4, maxBytes: 18 })
      const before = all(state)
      let decided: CacheEvent[]
      try {
        decided = decide(state, command)
      } catch {
        decided = []
      }
      t.deepEqual(all(state), before)
      if (command.type !== 'set' && command.type !== 'increment') return
      const set = decided.at(-1)
      if (set?.type !== 'set') return
      for (const event of decided) evolve(state, event)
      t.true(state.size <= 4 && state.bytes <= 18)
      t.is(state.find(command.key) === undefined, false)
    }),
    { numRuns: runs(2_000) },
  )
})

test('the cursor by deadline gives every entry with a deadline once, in order', (t) => {
  fc.assert(
    fc.property(fc.array(SET, { maxLength: 40 }), (events) => {
      const state = stateOf(events)
      const { byDeadline } = all(state)
      const deadlines = byDeadline.map((row) => (row as [string, number])[1])
      t.deepEqual(
        deadlines,
        [...deadlines].sort((a, b) => a - b),
      )
      const withDeadline = [...state.keysByUse()].filter((key) => state.deadlineAt(state.find(key) as never) !== NEVER)
      t.deepEqual(byDeadline.map((row) => (row as [string])[0]).sort(), withDeadline.sort())
    }),
    { numRuns: runs(500) },
  )
})
