import test from 'ava'
import fc from 'fast-check'
import { evolve, recordHit } from '../../../src/core/evolve/evolve.js'
import { FrozenRows } from '../../../src/core/evolve/frozen-rows.js'
import { State } from '../../../src/core/evolve/state.js'
import type { CacheEvent } from '../../../src/core/model/event.js'

const newState = () => new State({ maxSize: Infinity, maxBytes: Infinity, weigh: () => 1 })

function rowsOf(state: State): string[] {
  const rows: string[] = []
  const cursor = state.byEviction()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next())
    rows.push(`${state.keyAt(slot)}=${state.valueAt(slot)}@${state.deadlineAt(slot)}`)
  return rows
}

type Step =
  | CacheEvent
  | { type: 'hit'; key: string }
  | { type: 'read'; rows: number }
  | { type: 'undone'; events: CacheEvent[] }

const key = fc.integer({ min: 0, max: 12 }).map((number) => `k${number}`)
const expiresAtMs = fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 100 }))
const event: fc.Arbitrary<CacheEvent> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('set' as const), key, value: fc.integer(), expiresAtMs }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constantFrom('deleted' as const, 'expired' as const, 'evicted' as const), key }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('rescheduled' as const), key, expiresAtMs }) },
  { weight: 1, arbitrary: fc.constant({ type: 'cleared' as const }) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: event },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('hit' as const), key }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('read' as const), rows: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('undone' as const), events: fc.array(event, { maxLength: 5 }) }),
  },
)

function play(state: State, events: readonly CacheEvent[]): void {
  for (const one of events) evolve(state, one)
}

test('whatever happens while they are read, the rows are those of the moment', (t) => {
  const counts = { runs: 0, rows: 0 }
  fc.assert(
    fc.property(
      fc.array(event, { maxLength: 30 }),
      fc.array(step, { maxLength: 40 }),
      fc.boolean(),
      (before, steps, isTwo) => {
        const state = newState()
        play(state, before)
        const expected = rowsOf(state)
        const counters = { ...state.counters }
        const frozen = new FrozenRows(state)
        const other = isTwo ? new FrozenRows(state) : undefined
        const seen: string[] = []
        const take = (rows: number) => {
          for (; rows > 0; rows--) {
            const row = frozen.read()
            if (row !== undefined) seen.push(`${row.key}=${row.value}@${row.expiresAtMs}`)
          }
        }
        for (const one of steps) {
          switch (one.type) {
            case 'read':
              take(one.rows)
              break
            case 'hit': {
              const slot = state.find(one.key)
              if (slot !== undefined) recordHit(state, slot)
              break
            }
            case 'undone': {
              const { mark } = state.undo
              state.undo.isRecording = true
              play(state, one.events)
              state.undo.rollBack(state, mark)
              break
            }
            default:
              evolve(state, one)
          }
        }
        take(expected.length + 1)
        frozen.release()
        const others: string[] = []
        for (let row = other?.read(); row !== undefined; row = other?.read())
          others.push(`${row.key}=${row.value}@${row.expiresAtMs}`)
        other?.release()
        counts.runs++
        counts.rows += seen.length
        const isSame = (rows: string[]) =>
          rows.length === expected.length && rows.every((row, at) => row === expected[at])
        return (
          isSame(seen) &&
          (!isTwo || isSame(others)) &&
          frozen.count === expected.length &&
          JSON.stringify({ ...frozen.counters }) === JSON.stringify(counters)
        )
      },
    ),
    { numRuns: Number(process.env['DAYBOOK_FROZEN_RUNS'] ?? 3_000) },
  )
  t.log(counts)
  t.pass()
})

test('rows stay while the columns grow', (t) => {
  const state = newState()
  for (let at = 0; at < 1_000; at++) evolve(state, { type: 'set', key: `k${at}`, value: at, expiresAtMs: at })
  const expected = rowsOf(state)
  const frozen = new FrozenRows(state)
  for (let at = 0; at < 10_000; at++) evolve(state, { type: 'set', key: `k${at}`, value: -1, expiresAtMs: Infinity })
  const seen: string[] = []
  for (let row = frozen.read(); row !== undefined; row = frozen.read())
    seen.push(`${row.key}=${row.value}@${row.expiresAtMs}`)
  frozen.release()
  t.deepEqual(seen, expected)
})

test('after its release a view costs nothing', (t) => {
  const state = newState()
  evolve(state, { type: 'set', key: 'a', value: 1, expiresAtMs: Infinity })
  const frozen = new FrozenRows(state)
  frozen.release()
  evolve(state, { type: 'deleted', key: 'a' })
  t.notThrows(() => new FrozenRows(state).release())
})
