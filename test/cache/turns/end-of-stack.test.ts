/**
 * What follows a check of the stack must fit into the stack that it checked for. Each call is made at every depth near the end of
 * the stack, over a journal that takes no stack of its own, so that only these checks protect what comes after the append.
 */
import test from 'ava'
import { rehearse } from '../../../src/cache/rehearsal.js'
import { recordHit } from '../../../src/core/evolve/evolve.js'
import { turnParts } from '../../helpers/turn-parts.js'

/** Calls `attempt` at each of the last levels of the stack, and again with a few words less. What it throws is not looked at. */
function nearTheEnd(attempt: () => void): void {
  attempt() // to compile what it calls
  let level = 0
  const descend = (): void => {
    try {
      descend()
    } catch {
      // The end of the stack.
    }
    if (level++ > 400) return
    try {
      attempt()
    } catch {
      // The attempt had too little.
    }
  }
  const pad = (..._words: number[]): void => {
    level = 0
    descend()
  }
  for (let words = 0; words < 40; words++) pad(...new Array<number>(words).fill(0))
}

for (const eviction of ['lru', 's3-fifo'] as const) rehearse(eviction) // as before every cache

/** Three entries. */
function parts() {
  const made = turnParts()
  for (const key of ['a', 'b', 'c']) made.set(key)
  made.appended.length = 0
  let count = 0
  made.journal.append = () => ++count
  return { ...made, appends: () => count }
}

for (const isNew of [true, false]) {
  test(`a change of ${isNew ? 'a new key' : 'a key'} that is appended is made, at every depth`, (t) => {
    const { turns, state, appends } = parts()
    const event = { type: 'set', key: 'a', value: 1, expiresAtMs: 9 } as const
    const removal = { type: 'deleted', key: 'a' } as const
    const events = isNew ? [removal, event] : [event]
    const { sets } = state.counters
    let cut = 0
    nearTheEnd(() => {
      if (state.isWhole) turns.record(events, 0)
      if (!state.isWhole) cut++
    })
    t.deepEqual([cut, state.isWhole], [0, true])
    t.true(appends() > 100)
    t.is(state.counters.sets - sets, appends())
  })
}

const KEYS = Array.from({ length: 25 }, (_, index) => `${index}`)

for (const eviction of ['lru', 's3-fifo'] as const) {
  test(`an eviction by ${eviction} that is appended is made, at every depth`, (t) => {
    const { turns, state, set, journal } = turnParts(eviction, 20)
    journal.append = () => 1
    for (let index = 0; index < 40; index++) {
      for (const key of state.keysInOrder()) recordHit(state, state.find(key) as never)
      set(`${index % 25}`)
    }
    let next = 0
    nearTheEnd(() => {
      const command = { key: KEYS[next++ % 25] as string, value: 1, expiresAtMs: 9, only: undefined, nowMs: 0 }
      if (state.isWhole) turns.run({ type: 'set', ...command })
    })
    t.true(state.isWhole)
    t.true(state.counters.evictions > 100)
    t.is([...state.keysInOrder()].length, 20)
  })
}

test('a change of tags and of a stale window that is appended is made, at every depth', (t) => {
  const { turns, state, appends } = parts()
  const extended = (tags: string[]) => ({
    type: 'set' as const,
    key: 'a',
    value: 1,
    expiresAtMs: 9,
    extension: { freshUntilMs: 5, tags },
  })
  const turn = [
    extended(['x', 'y']),
    extended(['y', 'z']),
    { type: 'rescheduled' as const, key: 'a', expiresAtMs: 8, freshUntilMs: 4 },
    { type: 'deleted' as const, key: 'a' },
    extended(['x', 'y']),
  ]
  let cut = 0
  nearTheEnd(() => {
    if (state.isWhole) turns.record(turn, 0)
    if (!state.isWhole) cut++
  })
  t.deepEqual([cut, state.isWhole], [0, true])
  t.true(appends() > 100)
  t.deepEqual([state.tagCount, state.entries.tags.count], [2, 1])
})

test('a step of a transaction is made or not, at every depth', (t) => {
  const { turns, state } = parts()
  const event = { type: 'set', key: 'a', value: 1, expiresAtMs: 9 } as const
  turns.transact(() => {
    nearTheEnd(() => turns.record([event], 0))
    t.true(state.isWhole)
  })
})

test('a transaction is complete or undone, at every depth', (t) => {
  const { turns, reads, state } = parts()
  let calls = 0
  // With so many arguments the function that is called needs more stack to begin than what is called before it.
  const steps = () => Math.max(calls++, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
  nearTheEnd(() => turns.transact(steps))
  t.true(calls > 100)
  t.deepEqual([state.isWhole, state.undo.isRecording, turns.isOpen], [true, false, false])
  t.is(reads.get('a'), 'a')
})

for (const key of ['a', 'missing']) {
  test(`a ${key === 'a' ? 'hit' : 'miss'} inside a transaction is undone, at whatever depth it was`, (t) => {
    const { turns, reads, state } = parts()
    const before = { order: [...state.keysInOrder()], ...state.counters }
    const error = t.throws(() =>
      turns.transact(() => {
        nearTheEnd(() => {
          if (key === 'a') reads.get('b') // so that the order changes
          reads.get(key)
        })
        t.true(state.counters.hits + state.counters.misses > 100)
        throw new Error('undo')
      }),
    )
    t.is(error?.message, 'undo')
    t.deepEqual({ order: [...state.keysInOrder()], ...state.counters }, before)
  })
}

test('getMany counts all of its keys or none, at every depth', (t) => {
  const { reads, state } = parts()
  nearTheEnd(() => void reads.getMany(['missing', 'a']))
  t.true(state.counters.hits > 100)
  t.is(state.counters.hits, state.counters.misses)
})
