/** Work is counted, not timed: a set that evicts many entries looks at each of them once, and weighs none of them again. */
import test from 'ava'
import { decide } from '../../../src/core/decide/decide.js'
import { evolve } from '../../../src/core/evolve/evolve.js'
import { State } from '../../../src/core/evolve/state.js'
import type { ReadableState } from '../../../src/core/model/state.js'

const NEVER = Number.POSITIVE_INFINITY

/** Evicts `count` entries with one set, half of which have a deadline. Returns how often the state was asked for what. */
function callsToEvict(count: number): Record<string, number> {
  const calls: Record<string, number> = {}
  const called = (name: string) => {
    calls[name] = (calls[name] ?? 0) + 1
  }
  const weigh = (key: string) => {
    called('weighed')
    return key === 'large' ? count : 1
  }
  const state = new State({ maxSize: NEVER, maxBytes: count, weigh })
  for (let at = 0; at < count; at++)
    evolve(state, { type: 'set', key: `k${at}`, value: at, expiresAtMs: at % 2 === 0 ? NEVER : 9 })
  calls['weighed'] = 0
  const counting = new Proxy<ReadableState>(state, {
    get(_, name) {
      const member: unknown = Reflect.get(state, name)
      if (typeof member !== 'function') return member
      called(String(name))
      return member.bind(state)
    },
  })
  const events = decide(counting, {
    type: 'set',
    key: 'large',
    value: 1,
    expiresAtMs: NEVER,
    only: undefined,
    nowMs: 1,
  })
  for (const event of events) evolve(state, event)
  return { ...calls, events: events.length, left: state.size }
}

test('a set that evicts twice as many entries takes twice as many steps, and weighs only the new one', (t) => {
  const small = callsToEvict(1_000)
  const large = callsToEvict(2_000)
  t.like(small, { events: 1_001, left: 1, weighed: 2, keyAt: 1_000, weightAt: 1_000, deadlineAt: 1_000 })
  t.like(large, { events: 2_001, left: 1, weighed: 2, keyAt: 2_000, weightAt: 2_000, deadlineAt: 2_000 })
  t.deepEqual(Object.keys(large), Object.keys(small))
})
