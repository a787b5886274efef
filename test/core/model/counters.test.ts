import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'

const NAMES = Object.keys(new Counters()) as (keyof Counters & string)[]

/** Each counter with a value of its own. */
function distinct(): Counters {
  return Object.assign(new Counters(), Object.fromEntries(NAMES.map((name, index) => [name, index + 1])))
}

test('counters are equal only if each of them is', (t) => {
  t.true(distinct().equals(distinct()))
  for (const name of NAMES) t.false(distinct().equals(Object.assign(distinct(), { [name]: 0 })), name)
})

test('a copy has every counter, and does not follow the original', (t) => {
  const original = distinct()
  const copy = new Counters()
  copy.copyFrom(original)
  t.deepEqual({ ...copy }, { ...original })
  original.reset()
  t.deepEqual({ ...copy }, { ...distinct() })
})

test('reset sets every counter to 0', (t) => {
  const counters = distinct()
  counters.reset()
  t.deepEqual(
    NAMES.map((name) => counters[name]),
    NAMES.map(() => 0),
  )
})
