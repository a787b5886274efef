import test from 'ava'
import {
  FIRST_SEQUENCE,
  LAST_SEQUENCE,
  NO_SEQUENCE,
  type Sequence,
  sequenceAfter,
} from '../../../src/core/model/sequence.js'

test('the first event follows the position before all events', (t) => {
  t.is(sequenceAfter(NO_SEQUENCE), FIRST_SEQUENCE)
  t.is(sequenceAfter(FIRST_SEQUENCE, -1), NO_SEQUENCE)
  t.is(sequenceAfter(FIRST_SEQUENCE, 41), 42 as Sequence)
})

test('every sequence is a safe integer', (t) => {
  t.true(Number.isSafeInteger(LAST_SEQUENCE))
  t.false(Number.isSafeInteger(sequenceAfter(LAST_SEQUENCE)))
})
