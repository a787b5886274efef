import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { Deadlines } from '../../../src/core/evolve/deadlines.js'
import type { Slot } from '../../../src/core/model/state.js'
import { holds } from '../../helpers/property.js'

const NEVER = Number.POSITIVE_INFINITY

function taken(deadlines: Deadlines, nowMs: number, looksMax?: number): Slot[] {
  const slots: Slot[] = []
  const expired = deadlines.expired(nowMs, looksMax)
  for (let slot = expired.next(); slot !== undefined; slot = expired.next()) slots.push(slot)
  return slots
}

/** A cache of `count` entries, all of which had the deadline 1 and have been moved to later ones, in no order. */
function allMoved(count: number): Deadlines {
  const deadlines = new Deadlines(count)
  for (let slot = 0; slot < count; slot++) deadlines.set(slot as Slot, 1)
  for (let slot = 0; slot < count; slot++) deadlines.set(slot as Slot, 1_000 + ((slot * 7_919) % count))
  return deadlines
}

test('without deadlines nothing expires', (t) => {
  const deadlines = new Deadlines(16)
  deadlines.set(3 as Slot, NEVER)
  t.is(deadlines.get(3 as Slot), NEVER)
  t.is(deadlines.boundMs, NEVER)
  t.is(deadlines.count, 0)
  t.deepEqual(taken(deadlines, NEVER), [])
})

const SLOTS = 30
const SLOT = fc.integer({ min: 1, max: SLOTS })
const MOMENT = fc.oneof(fc.integer({ min: -50, max: 50 }), fc.double({ noNaN: true, noDefaultInfinity: true }))
const STEPS = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ slot: SLOT, deadlineMs: MOMENT }) },
    { weight: 4, arbitrary: fc.record({ slot: SLOT, laterMs: fc.integer({ min: 0, max: 40 }) }) },
    { weight: 1, arbitrary: fc.record({ slot: SLOT }) },
    { weight: 1, arbitrary: fc.record({ nowMs: MOMENT, looksMax: fc.constantFrom(1, 3, NEVER) }) },
  ),
  { maxLength: 200 },
)

test('what has expired comes in the order of the deadlines, whatever was set, moved, removed and looked at before', (t) =>
  holds(
    t,
    fc.property(STEPS, (steps) => {
      const deadlines = new Deadlines(8)
      const naive = new Map<number, number>()
      deadlines.grow(SLOTS + 2)
      for (const step of steps) {
        if ('nowMs' in step) check(step.nowMs, step.looksMax)
        else {
          const { slot } = step
          const before = naive.get(slot)
          const deadlineMs =
            'deadlineMs' in step ? step.deadlineMs : 'laterMs' in step ? (before ?? 0) + step.laterMs : NEVER
          deadlines.set(slot as Slot, deadlineMs)
          if (deadlineMs === NEVER) naive.delete(slot)
          else naive.set(slot, deadlineMs)
        }
        assert.equal(deadlines.count, naive.size)
        for (let slot = 1; slot <= SLOTS; slot++)
          assert.equal(deadlines.get(slot as Slot), naive.get(slot) ?? NEVER, `slot ${slot}`)
        const { boundMs } = deadlines
        assert.ok(boundMs <= Math.min(...naive.values()), `the bound ${boundMs} of ${[...naive]}`)
      }
      check(NEVER, NEVER)

      function check(nowMs: number, looksMax: number): void {
        const sorted = [...naive.values()].filter((atMs) => atMs <= nowMs).sort((a, b) => a - b)
        const slots = taken(deadlines, nowMs, looksMax)
        assert.equal(new Set(slots).size, slots.length)
        const found = slots.map((slot) => naive.get(slot) as number)
        const wanted = sorted.slice(0, looksMax === NEVER ? sorted.length : found.length)
        assert.ok(found.length === wanted.length && found.every((atMs, place) => atMs === wanted[place])) // 0 and -0 are equal
        assert.ok(found.length <= looksMax)
      }
    }),
    1_000,
  ))

test('deadlines taken one after the other come sorted, also after the columns grew', (t) =>
  holds(
    t,
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 300 }), (moments) => {
      const deadlines = new Deadlines(4)
      let capacity = 4
      moments.forEach((moment, index) => {
        while (index + 1 >= capacity) {
          capacity *= 2
          deadlines.grow(capacity)
        }
        deadlines.set((index + 1) as Slot, moment)
      })
      const found: number[] = []
      for (let [first] = taken(deadlines, NEVER, 1); first !== undefined; [first] = taken(deadlines, NEVER, 1)) {
        found.push(deadlines.get(first))
        deadlines.set(first, NEVER)
      }
      assert.deepEqual(
        found,
        moments.toSorted((a, b) => a - b),
      )
    }),
    300,
  ))

test('a deadline that moves later costs no more than being stored, and is settled once', (t) => {
  const deadlines = allMoved(1_000)
  t.is(deadlines.boundMs, 1) // not looked at yet
  let looks = 0
  for (; deadlines.boundMs <= 999; looks++) taken(deadlines, 999, 1)
  t.is(looks, 1_000)
  t.is(deadlines.boundMs, 1_000)
})

test('however many deadlines have moved, a search with a limit looks at no more than that, and the next one continues', (t) => {
  const deadlines = allMoved(1_000)
  let searches = 0
  for (; deadlines.boundMs <= 999; searches++) t.deepEqual(taken(deadlines, 999, 100), [])
  t.is(searches, 10)
  t.deepEqual(
    taken(deadlines, 1_009, 100).map((slot) => deadlines.get(slot)),
    [1_000, 1_001, 1_002, 1_003, 1_004, 1_005, 1_006, 1_007, 1_008, 1_009],
  )
})
