/** S3-FIFO beside a model of arrays that follows the paper's pseudo-code. */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { decide } from '../../../../src/core/decide/decide.js'
import { evolve, recordHit } from '../../../../src/core/evolve/evolve.js'
import type { State } from '../../../../src/core/evolve/state.js'
import { NEVER, stateOf, toSet, wasSet } from '../../../helpers/given.js'
import { holds } from '../../../helpers/property.js'

interface Entry {
  key: string
  uses: number
}

/** Arrays whose first element is the oldest. Reads, sets and evictions are those of the paper. */
class Model {
  readonly maxSize: number
  small: Entry[] = []
  main: Entry[] = []
  /** Keys that the small queue has evicted; `undefined` where one is no ghost any more. */
  readonly evicted: (string | undefined)[] = []

  constructor(maxSize: number) {
    this.maxSize = maxSize
  }

  get size(): number {
    return this.small.length + this.main.length
  }

  find(key: string): Entry | undefined {
    return [...this.small, ...this.main].find((entry) => entry.key === key)
  }

  use(key: string): void {
    const entry = this.find(key)
    if (entry !== undefined) entry.uses = Math.min(entry.uses + 1, 3)
  }

  set(key: string): void {
    if (this.find(key) !== undefined) {
      this.use(key)
      return
    }
    while (this.size >= this.maxSize) this.evict()
    if (this.#takeGhost(key)) this.main.push({ key, uses: 0 })
    else this.small.push({ key, uses: 0 })
  }

  delete(key: string): void {
    this.small = this.small.filter((entry) => entry.key !== key)
    this.main = this.main.filter((entry) => entry.key !== key)
  }

  evict(): void {
    for (let passed = 0; ; passed++) {
      const isLast = passed >= 32
      if (this.small.length >= 0.1 * this.size) {
        const entry = this.small.shift() as Entry
        if (entry.uses > 1 && !isLast) this.main.push({ key: entry.key, uses: 0 })
        else {
          this.evicted.push(entry.key)
          return
        }
      } else {
        const entry = this.main.shift() as Entry
        if (entry.uses > 0 && !isLast) this.main.push({ key: entry.key, uses: entry.uses - 1 })
        else return
      }
    }
  }

  /** As many keys are remembered as a full main queue has. */
  #takeGhost(key: string): boolean {
    const at = this.evicted.lastIndexOf(key)
    if (at === -1) return false
    this.evicted[at] = undefined
    return this.evicted.length - at <= this.size - Math.floor(this.size / 10)
  }
}

/** The queues of a state, which are its order. */
function queuesOf(state: State) {
  const entries = [...state.keysInOrder()].map((key) => {
    const standing = state.entries.order.standingOf(state.find(key) as never)
    return { key, uses: standing & 3, isSmall: (standing & 4) > 0, isMain: (standing & 8) > 0 }
  })
  for (const { isSmall, isMain } of entries) assert.notEqual(isSmall, isMain)
  const small = entries.filter((entry) => entry.isSmall)
  const main = entries.filter((entry) => entry.isMain)
  assert.deepEqual(entries, [...small, ...main], 'the small queue comes first')
  const plain = ({ key, uses }: Entry) => ({ key, uses })
  return { small: small.map(plain), main: main.map(plain) }
}

function set(state: State, key: string): void {
  for (const event of decide(state, toSet(key))) evolve(state, event)
}

function use(state: State, key: string): void {
  const slot = state.find(key)
  if (slot !== undefined) recordHit(state, slot)
}

const KEYS = Array.from({ length: 60 }, (_, index) => `key ${index}`)
/** A few keys are frequent, so that some are used often and others return as ghosts. */
const KEY = fc.oneof(fc.constantFrom(...KEYS.slice(0, 6)), fc.constantFrom(...KEYS))
const STEP = fc.record({
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constant('set' as const) },
    { weight: 6, arbitrary: fc.constant('use' as const) },
    { weight: 1, arbitrary: fc.constant('delete' as const) },
    { weight: 1, arbitrary: fc.constant('use all' as const) },
  ),
  key: KEY,
})
const HISTORY = fc.array(STEP, { maxLength: 200, size: 'max' })

test('the queues, the uses and the order are those of the model, in every history', (t) =>
  holds(
    t,
    fc.property(fc.constantFrom(1, 2, 5, 10, 20, 45), HISTORY, (maxSize, history) => {
      const state = stateOf([], { maxSize, eviction: 's3-fifo' })
      const model = new Model(maxSize)
      for (const { type, key } of history) {
        if (type === 'set') {
          set(state, key)
          model.set(key)
        } else if (type === 'use') {
          use(state, key)
          model.use(key)
        } else if (type === 'delete') {
          evolve(state, { type: 'deleted', key })
          model.delete(key)
        } else {
          for (const each of KEYS) {
            use(state, each)
            model.use(each)
          }
        }
        assert.deepEqual(queuesOf(state), { small: model.small, main: model.main })
      }
    }),
    300,
  ))

test('several evictions of one command are those of as many commands', (t) =>
  holds(
    t,
    fc.property(HISTORY, fc.integer({ min: 1, max: 20 }), (history, maxSize) => {
      const [atOnce, oneByOne] = [stateOf([], { eviction: 's3-fifo' }), stateOf([], { eviction: 's3-fifo' })]
      for (const state of [atOnce, oneByOne]) {
        for (const { type, key } of history) {
          if (type === 'set') set(state, key)
          else use(state, key)
        }
      }
      const limit = { type: 'limit', maxSize, maxBytes: NEVER, nowMs: 0 } as const
      for (const event of decide(atOnce, { ...limit, atMost: NEVER })) evolve(atOnce, event)
      while (oneByOne.maxSize !== maxSize)
        for (const event of decide(oneByOne, { ...limit, atMost: 1 })) evolve(oneByOne, event)
      assert.deepEqual(queuesOf(atOnce), queuesOf(oneByOne))
    }),
    200,
  ))

test('what was decided and not applied leaves no trace in what is decided and applied later', (t) =>
  holds(
    t,
    fc.property(HISTORY, fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), (history, dropped) => {
      const [state, straight] = [8, 8].map((maxSize) => stateOf([], { maxSize, eviction: 's3-fifo' })) as [State, State]
      for (const [at, { type, key }] of history.entries()) {
        if ((dropped[at] as number) % 3 === 0) decide(state, toSet('refused'))
        if ((dropped[at] as number) % 5 === 0) state.byEviction().next()
        for (const each of [state, straight]) {
          if (type === 'set') set(each, key)
          else if (type === 'delete') evolve(each, { type: 'deleted', key })
          else use(each, key)
        }
        assert.deepEqual(queuesOf(state), queuesOf(straight))
      }
    }),
    200,
  ))

test('a rollback restores the entries, and the queues and uses too unless something was evicted', (t) =>
  holds(
    t,
    fc.property(HISTORY, HISTORY, HISTORY, (before, undone, after) => {
      const state = stateOf([], { maxSize: 12, maxBytes: 1_000, eviction: 's3-fifo' })
      const run = (history: typeof before) => {
        for (const { type, key } of history) {
          if (type === 'set') set(state, key)
          else if (type === 'delete' && state.find(key) !== undefined) evolve(state, { type: 'deleted', key })
          else use(state, key)
        }
      }
      run(before)
      const queues = queuesOf(state)
      const { evictions } = state.counters
      const { undo } = state
      const mark = undo.mark
      undo.isRecording = true
      run(undone)
      const hasEvicted = state.counters.evictions > evictions
      undo.rollBack(state, mark)
      undo.end()
      const keys = ({ small, main }: ReturnType<typeof queuesOf>) => [...small, ...main].map(({ key }) => key).sort()
      if (hasEvicted) assert.deepEqual(keys(queuesOf(state)), keys(queues))
      else assert.deepEqual(queuesOf(state), queues)
      assert.equal(state.counters.evictions, evictions)
      run(after)
      queuesOf(state)
      assert.ok(state.size <= 12)
    }),
    500,
  ))

test('an entry that was used once is evicted before one that was used twice, though it is newer', (t) => {
  const state = stateOf(
    ['a', 'b', 'c'].map((key) => wasSet(key)),
    { maxSize: 3, eviction: 's3-fifo' },
  )
  for (const key of ['a', 'a', 'b']) use(state, key)
  set(state, 'd')
  t.deepEqual([...state.keysInOrder()], ['c', 'd', 'a'])
})

test('a ghost that is set again goes to the main queue, where a scan does not push it out', (t) => {
  const state = stateOf([], { maxSize: 10, eviction: 's3-fifo' })
  for (let index = 0; index < 12; index++) set(state, `${index}`)
  set(state, '0')
  t.deepEqual(queuesOf(state).main, [{ key: '0', uses: 0 }])
  for (let index = 0; index < 1_000; index++) set(state, `scan ${index}`)
  t.not(state.find('0'), undefined)
})

test('an entry that a rollback has put back is a ghost under its own key once it is evicted', (t) => {
  const state = stateOf([], { maxSize: 10, eviction: 's3-fifo' })
  for (let index = 0; index < 12; index++) set(state, `${index}`) // the oldest is 2
  const { undo } = state
  undo.isRecording = true
  const mark = undo.mark
  set(state, 'undone') // in the place of 2
  undo.rollBack(state, mark)
  undo.end()
  set(state, 'other')
  t.is(state.find('2'), undefined)
  set(state, 'undone')
  t.is(queuesOf(state).main.length, 0)
  set(state, '2')
  t.deepEqual(queuesOf(state).main, [{ key: '2', uses: 0 }])
})

test('an expired entry is removed before any live one, whichever queue it is in', (t) => {
  const expiring = ['a', 'b', 'c', 'd'].map((key) => wasSet(key, 1, 10))
  const state = stateOf([...expiring, wasSet('live')], { maxSize: 5, eviction: 's3-fifo' })
  for (const key of ['a', 'a', 'b', 'b']) use(state, key) // would move to the main queue
  const events = decide(state, { type: 'limit', maxSize: 1, maxBytes: NEVER, atMost: NEVER, nowMs: 20 })
  t.deepEqual(
    events.map(({ type }) => type),
    ['limited', 'expired', 'expired', 'expired', 'expired'],
  )
  set(state, 'other')
  const mixed = decide(state, { type: 'limit', maxSize: 1, maxBytes: NEVER, atMost: NEVER, nowMs: 20 })
  for (const event of mixed) evolve(state, event)
  t.deepEqual([...state.keysInOrder()], ['other'])
  queuesOf(state)
})

test('the entry that a set replaces is not evicted to make room for itself', (t) => {
  const state = stateOf([wasSet('a'), wasSet('b'), wasSet('c')], { maxBytes: 27, eviction: 's3-fifo' })
  for (const event of decide(state, toSet('a', 'x'.repeat(20)))) evolve(state, event)
  t.deepEqual([...state.keysInOrder()], ['a'])
  t.deepEqual(queuesOf(state).small, [{ key: 'a', uses: 1 }])
})

test('new limits and a rollback leave the queues whole when all entries have gone and come again', (t) => {
  const state = stateOf([wasSet('a'), wasSet('b')], { maxSize: 4, eviction: 's3-fifo' })
  for (const key of ['a', 'b']) evolve(state, { type: 'deleted', key })
  t.is(state.byEviction().next(), undefined)
  for (const key of 'abcdefgh') set(state, key)
  t.is(state.size, 4)
  evolve(state, { type: 'cleared' })
  t.is(state.byEviction().next(), undefined)
  for (const key of 'abcdefgh') set(state, key)
  t.deepEqual([...state.keysInOrder()], ['e', 'f', 'g', 'h'])
})

test('the columns grow with their queues', (t) => {
  const state = stateOf([], { maxSize: 5_000, eviction: 's3-fifo' })
  for (let index = 0; index < 3_000; index++) set(state, `${index}`)
  for (let index = 0; index < 600; index++) {
    use(state, `${index}`)
    use(state, `${index}`)
  }
  for (let index = 3_000; index < 6_000; index++) set(state, `${index}`)
  const { small, main } = queuesOf(state)
  t.is(small.length + main.length, 5_000)
  t.true(main.length > 550, `${main.length}`) // an eviction passes 32 entries at most
})
