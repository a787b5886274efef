import test from 'ava'
import fc from 'fast-check'
import { Deadlines } from '../../../src/core/evolve/deadlines.js'
import type { Slot } from '../../../src/core/model/state.js'
import { runs } from '../../helpers/runs.js'

const NEVER = Number.POSITIVE_INFINITY

test('a cache without deadlines has no first one', (t) => {
  const deadlines = new Deadlines(16)
  t.is(deadlines.first, undefined)
  deadlines.set(3 as Slot, NEVER)
  t.is(deadlines.get(3 as Slot), NEVER)
  t.is(deadlines.count, 0)
})

test('the first is the earliest, whatever was set, changed and dropped before', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          slot: fc.integer({ min: 1, max: 30 }),
          deadlineMs: fc.oneof(fc.constant(NEVER), fc.integer({ min: -50, max: 50 }), fc.double({ noNaN: true })),
        }),
        { maxLength: 200 },
      ),
      (changes) => {
        const deadlines = new Deadlines(8)
        deadlines.grow(32)
        const naive = new Map<number, number>()
        for (const { slot, deadlineMs } of changes) {
          deadlines.set(slot as Slot, deadlineMs)
          if (deadlineMs === NEVER) naive.delete(slot)
          else naive.set(slot, deadlineMs)
          if (deadlines.count !== naive.size) return false
          for (let other = 1; other <= 30; other++) {
            if (!Object.is(deadlines.get(other as Slot), naive.get(other) ?? NEVER)) return false
          }
          const first = deadlines.first
          if (naive.size === 0) {
            if (first !== undefined) return false
          } else if (first === undefined || naive.get(first) !== Math.min(...naive.values())) return false
        }
        return true
      },
    ),
    { numRuns: runs(500) },
  )
  t.pass()
})

test('taken one after the other they come sorted, also after the columns grew', (t) => {
  fc.assert(
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
      for (let first = deadlines.first; first !== undefined; first = deadlines.first) {
        taken.push(deadlines.get(first))
        deadlines.set(first, NEVER)
      }
      return JSON.stringify(taken) === JSON.stringify([...moments].sort((a, b) => a - b))
    }),
    { numRuns: runs(300) },
  )
  t.pass()
})
