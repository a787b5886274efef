import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { Deadlines } from '../../../src/core/evolve/deadlines.js'
import type { Slot } from '../../../src/core/model/state.js'
import { holds } from '../../helpers/property.js'

const NEVER = Number.POSITIVE_INFINITY

test('a cache without deadlines has no first one', (t) => {
  const deadlines = new Deadlines(16)
  t.is(deadlines.first, undefined)
  deadlines.set(3 as Slot, NEVER)
  t.is(deadlines.get(3 as Slot), NEVER)
  t.is(deadlines.count, 0)
})

const SLOTS = 30
const CHANGES = fc.array(
  fc.record({
    slot: fc.integer({ min: 1, max: SLOTS }),
    deadlineMs: fc.oneof(fc.constant(NEVER), fc.integer({ min: -50, max: 50 }), fc.double({ noNaN: true })),
  }),
  { maxLength: 200 },
)

test('the first deadline is the earliest, whatever was set, changed and dropped before', (t) =>
  holds(
    t,
    fc.property(CHANGES, (changes) => {
      const deadlines = new Deadlines(8)
      deadlines.grow(SLOTS + 2)
      const naive = new Map<number, number>()
      for (const { slot, deadlineMs } of changes) {
        deadlines.set(slot as Slot, deadlineMs)
        if (deadlineMs === NEVER) naive.delete(slot)
        else naive.set(slot, deadlineMs)
        assert.equal(deadlines.count, naive.size)
        for (let other = 1; other <= SLOTS; other++)
          assert.equal(deadlines.get(other as Slot), naive.get(other) ?? NEVER, `slot ${other}`)
        const { first } = deadlines
        const firstMs = first === undefined ? NEVER : naive.get(first)
        assert.ok(firstMs === Math.min(...naive.values()), `slot ${first} with ${firstMs} of ${[...naive]}`) // 0 and -0 are equal
      }
    }),
    500,
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
      const taken: number[] = []
      for (let { first } = deadlines; first !== undefined; first = deadlines.first) {
        taken.push(deadlines.get(first))
        deadlines.set(first, NEVER)
      }
      assert.deepEqual(
        taken,
        moments.toSorted((a, b) => a - b),
      )
    }),
    300,
  ))
