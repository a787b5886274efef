/** `decide` runs before the journal is written: whatever it returns, it changes nothing. */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { decide } from '../../../src/core/decide/decide.js'
import { Ghosts } from '../../../src/core/evolve/eviction/ghosts.js'
import type { EvictionPolicy } from '../../../src/core/evolve/eviction/policy.js'
import { evolve, recordHit } from '../../../src/core/evolve/evolve.js'
import type { State } from '../../../src/core/evolve/state.js'
import type { Command } from '../../../src/core/model/command.js'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { NEVER, stateOf } from '../../helpers/given.js'
import { privateFields } from '../../helpers/private-fields.js'
import { holds } from '../../helpers/property.js'

const KEY = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
const MOMENT = fc.oneof(fc.constant(NEVER), fc.integer({ min: 0, max: 20 }))
const VALUE = fc.constantFrom('x', 'xxxx', 7)
const TAGS = fc.subarray(['t', 'u', 'v'])
const EXTENSION = fc.oneof(
  fc.record({ freshUntilMs: fc.integer({ min: 0, max: 20 }), tags: TAGS }),
  fc.record({ freshUntilMs: fc.constant(NEVER), tags: fc.constantFrom(['t'], ['u', 't']) }),
)
const SET = fc.record(
  { type: fc.constant('set' as const), key: KEY, value: VALUE, expiresAtMs: MOMENT, extension: EXTENSION },
  { requiredKeys: ['type', 'key', 'value', 'expiresAtMs'] },
) as fc.Arbitrary<CacheEvent>
const NOW = { nowMs: fc.integer({ min: 0, max: 20 }) }
/** Limits that many of the states here reach or exceed. */
const LIMITS = { maxSize: 4, maxBytes: 18 }
const STORING = fc.oneof(
  fc.record({
    type: fc.constant('set' as const),
    key: KEY,
    value: VALUE,
    expiresAtMs: MOMENT,
    keepsDeadline: fc.boolean(),
    staleMs: fc.constantFrom(undefined, undefined, 0, 3, NEVER),
    tags: fc.option(TAGS, { nil: undefined }),
    only: fc.constantFrom(undefined, 'absent' as const, 'present' as const),
    ...NOW,
  }),
  fc.record({ type: fc.constant('increment' as const), key: KEY, by: fc.integer(), expiresAtMs: MOMENT, ...NOW }),
)
const COMMAND: fc.Arbitrary<Command> = fc.oneof(
  STORING,
  fc.record({ type: fc.constantFrom('delete' as const, 'persist' as const), key: KEY, ...NOW }),
  fc.record({
    type: fc.constantFrom('deleteTag' as const, 'expireTag' as const),
    tags: TAGS,
    prefix: fc.constantFrom('', 'a'),
    ...NOW,
  }),
  fc.record({ type: fc.constant('expire' as const), key: KEY, expiresAtMs: MOMENT, ...NOW }),
  fc.record({ type: fc.constant('cleanup' as const), limit: fc.integer({ min: 1, max: 4 }), ...NOW }),
  fc.record({
    type: fc.constant('limit' as const),
    maxSize: fc.integer({ min: 1, max: 4 }),
    maxBytes: fc.constantFrom(10, 30, Number.POSITIVE_INFINITY),
    atMost: fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
    ...NOW,
  }),
)

/** Changes of a state; a read among them, so that S3-FIFO has what to move. */
type Change = CacheEvent | { type: 'hit'; key: string }
const CHANGES: fc.Arbitrary<Change[]> = fc.array(
  fc.oneof(SET, fc.record({ type: fc.constant('hit' as const), key: KEY })),
  { maxLength: 40 },
)

function changed(changes: readonly Change[], eviction: EvictionPolicy): State {
  const state = stateOf([], { ...LIMITS, eviction })
  for (const change of changes) {
    if (change.type !== 'hit') for (const event of decide(state, commandFor(change))) evolve(state, event)
    else {
      const slot = state.find(change.key)
      if (slot !== undefined) recordHit(state, slot)
    }
  }
  return state
}

function commandFor(event: CacheEvent): Command {
  return { ...(event as Extract<CacheEvent, { type: 'set' }>), only: undefined, nowMs: 0 }
}

/** Everything that the policy of eviction has: all of its columns. Only its search is left out, which keeps aside what it moves. */
function columnsOf(policy: object): unknown {
  const fields = [...privateFields(policy)].filter(([name]) => name !== '#search')
  return fields.map(([name, value]) => [name, isOurs(value) ? columnsOf(value) : structuredClone(value)])
}

const isOurs = (value: unknown): value is object => value instanceof Ghosts

/** Every entry with a deadline, earliest first. */
function byDeadline(state: State): [key: string, deadlineMs: number][] {
  const rows: [string, number][] = []
  const cursor = state.expired(NEVER)
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next())
    rows.push([state.keyAt(slot), state.deadlineAt(slot)])
  return rows
}

/** A whole state, including the order of its entries and the order of deadlines, in which equal ones have none. */
function all(state: State) {
  const rows = [...state.keysInOrder()].map((key) => {
    const slot = state.find(key)
    if (slot === undefined) return [key]
    const extension = [state.freshUntilAt(slot), state.tagsAt(slot)]
    return [key, slot, state.valueAt(slot), state.weightAt(slot), ...extension, state.entries.order.standingOf(slot)]
  })
  return {
    rows,
    deadlines: byDeadline(state).sort(([a, aMs], [b, bMs]) => aMs - bMs || a.localeCompare(b)),
    tagged: ['t', 'u', 'v'].map((tag) => state.slotsTagged(tag)),
    size: state.size,
    bytes: state.bytes,
    limits: state.limits,
    counters: { ...state.counters },
    undo: state.undo.mark,
  }
}

for (const eviction of ['lru', 's3-fifo'] as const) {
  test(`decide changes nothing, whether it returns or throws: ${eviction}`, (t) =>
    holds(
      t,
      fc.property(fc.oneof(CHANGES, fc.array(SET, { maxLength: 12 })), COMMAND, (changes, command) => {
        const state = changed(changes, eviction)
        const before = all(state)
        try {
          decide(state, command)
        } catch {
          // A refusal, which changes nothing either.
        }
        assert.deepEqual(all(state), before)
      }),
      2_000,
    ))

  test(`decide changes no column of the policy: ${eviction}`, (t) =>
    holds(
      t,
      fc.property(CHANGES, COMMAND, (changes, command) => {
        const state = changed(changes, eviction)
        const { order } = state.entries
        const before = columnsOf(order)
        assert.deepEqual(
          (before as [string][]).map(([name]) => name).filter((name) => name === '#links' || name === '#marks'),
          eviction === 'lru' ? ['#links'] : ['#links', '#marks'],
        )
        try {
          decide(state, command)
        } catch {
          // A refusal.
        }
        assert.deepEqual(columnsOf(order), before)
      }),
      200,
    ))
}

test('the events of a command that stores keep the limits, and store', (t) =>
  holds(
    t,
    fc.property(fc.array(SET, { maxLength: 12 }), STORING, (events, command) => {
      const state = stateOf(events, LIMITS)
      let decided: CacheEvent[]
      try {
        decided = decide(state, command)
      } catch {
        return // refused
      }
      if (decided.at(-1)?.type !== 'set') return // `only`
      for (const event of decided) evolve(state, event)
      assert.ok(state.size <= LIMITS.maxSize, `${state.size} entries`)
      assert.ok(state.bytes <= LIMITS.maxBytes, `${state.bytes} bytes`)
      assert.notEqual(state.find(command.key), undefined)
    }),
    2_000,
  ))

test('the cursor of what has expired visits every entry that has a deadline, in order', (t) =>
  holds(
    t,
    fc.property(fc.array(SET, { maxLength: 40 }), (events) => {
      const state = stateOf(events)
      const rows = byDeadline(state)
      const deadlines = rows.map(([, deadlineMs]) => deadlineMs)
      assert.deepEqual(
        deadlines,
        deadlines.toSorted((a, b) => a - b),
      )
      const withDeadline = [...state.keysInOrder()].filter(
        (key) => state.deadlineAt(state.find(key) as never) !== NEVER,
      )
      assert.deepEqual(rows.map(([key]) => key).sort(), withDeadline.sort())
    }),
    500,
  ))
