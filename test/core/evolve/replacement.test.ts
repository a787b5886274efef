import test from 'ava'
import { Replacement } from '../../../src/core/evolve/replacement.js'
import { NEVER, stateOf } from '../../helpers/given.js'

test('rows are weighed as the first was, whatever becomes of the limits of the cache meanwhile', (t) => {
  const state = stateOf([], { maxBytes: 100 })
  const replacement = new Replacement(state)
  replacement.add('a', 1, NEVER)
  state.limit({ maxSize: NEVER, maxBytes: NEVER })
  replacement.add('b', 2, NEVER)
  state.limit({ maxSize: NEVER, maxBytes: 100 })
  t.is(replacement.entries.bytes, 18) // a key weighs its characters, a number 8
})
