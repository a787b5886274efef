import test from 'ava'
import { Entries } from '../../../src/core/evolve/entries.js'
import { Order } from '../../../src/core/evolve/eviction/order.js'

const NEVER = Number.POSITIVE_INFINITY

test.serial("columns never grow near a power of two, where V8's Map grows, so that no call does both", (t) => {
  const entries = new Entries(false)
  const grownAt: number[] = []
  const { grow } = Order.prototype
  Order.prototype.grow = function (capacity) {
    grownAt.push(entries.size)
    return grow.call(this, capacity)
  }
  t.teardown(() => {
    Order.prototype.grow = grow
  })
  for (let index = 0; index < 50_000; index++) entries.add(`key ${index}`, index, NEVER, 0)
  t.true(grownAt.length > 4)
  for (const size of grownAt) {
    const nearest = 2 ** Math.round(Math.log2(size))
    t.true(Math.abs(size - nearest) > size / 100, `grown at ${size}`)
  }
})

test('an entry without a deadline that comes after a growth stays without one', (t) => {
  const entries = new Entries(false)
  entries.add('first', 1, 5, 0)
  const slots = Array.from({ length: 5_000 }, (_, index) => entries.add(`key ${index}`, index, NEVER, 0))
  const timed = slots.map((slot, index) => (index % 2 === 0 ? undefined : slot)).filter((slot) => slot !== undefined)
  for (const slot of timed) entries.replace(slot, 0, 7, 0)
  for (const [index, slot] of slots.entries()) t.is(entries.deadlines.get(slot), index % 2 === 0 ? NEVER : 7)
  t.is(entries.deadlines.count, 2_501)
})

test('so it does if no other entry had one when it came', (t) => {
  const entries = new Entries(false)
  const first = entries.add('first', 1, 5, 0)
  entries.replace(first, 1, NEVER, 0)
  const slots = Array.from({ length: 5_000 }, (_, index) => entries.add(`key ${index}`, index, NEVER, 0))
  entries.replace(first, 1, 5, 0)
  for (const slot of slots) t.is(entries.deadlines.get(slot), NEVER)
})
