import test from 'ava'
import { type JournaledEvent, Outbox } from '../../../src/cache/turns/outbox.js'
import { NEVER, stateOf, T0, wasSet } from '../../helpers/given.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { uncaughtErrors } from '../../helpers/uncaught-errors.js'

/** An outbox, and what it has delivered: keys by sequence. */
function recording(onEvent: (journaled: JournaledEvent) => void = () => undefined) {
  const delivered: JournaledEvent[] = []
  const outlet = {
    onObserved: undefined as (() => void) | undefined,
    isObserved: true,
    observesRemovals: false,
    deliver(journaled: JournaledEvent) {
      onEvent(journaled)
      delivered.push(journaled)
    },
  }
  const outbox = new Outbox(outlet, (task) => task())
  const seen = () => delivered.map(({ event, sequence }) => [sequence, 'key' in event ? event.key : event.type])
  return { outbox, delivered, seen }
}

/** Captures the events of one turn, and journals them from this sequence on. */
function turn(outbox: Outbox, first: number, ...keys: string[]): void {
  for (const [place, key] of keys.entries()) outbox.capture(wasSet(key), place, stateOf([]), T0)
  outbox.journaled(first)
}

test('events are delivered in order of sequence, once, when they are journaled', (t) => {
  const { outbox, seen } = recording()
  outbox.capture(wasSet('a'), 0, stateOf([]), T0)
  outbox.capture(wasSet('b'), 1, stateOf([]), T0)
  outbox.deliver()
  t.deepEqual(seen(), [])
  outbox.journaled(7)
  outbox.deliver()
  outbox.deliver()
  t.deepEqual(seen(), [
    [7, 'a'],
    [8, 'b'],
  ])
})

test('an event that removes an entry carries its value and deadline', (t) => {
  const { outbox, delivered } = recording()
  const state = stateOf([wasSet('expired', 'old', T0), wasSet('evicted', 'older')])
  outbox.capture({ type: 'expired', key: 'expired' }, 0, state, T0 + 5)
  outbox.capture({ type: 'evicted', key: 'evicted' }, 1, state, T0 + 5)
  outbox.capture({ type: 'deleted', key: 'evicted' }, 2, state, T0 + 5)
  outbox.journaled(1)
  outbox.deliver()
  t.deepEqual(
    delivered.map(({ oldValue, oldDeadlineMs, seenAtMs }) => [oldValue, oldDeadlineMs, seenAtMs]),
    [
      ['old', T0, T0 + 5],
      ['older', NEVER, T0 + 5],
      [undefined, NEVER, T0 + 5],
    ],
  )
})

test('undone events are not delivered', (t) => {
  const { outbox, seen } = recording()
  for (const [place, key] of ['a', 'b', 'c'].entries()) outbox.capture(wasSet(key), place, stateOf([]), T0)
  outbox.undo(1)
  outbox.capture(wasSet('d'), 1, stateOf([]), T0)
  outbox.journaled(1)
  outbox.deliver()
  t.deepEqual(seen(), [
    [1, 'a'],
    [2, 'd'],
  ])
})

test('events of turns made during a delivery are delivered after the current ones', (t) => {
  const { outbox, seen } = recording(({ event }) => {
    if (event.type !== 'set' || event.key !== 'a') return
    turn(outbox, 3, 'c')
    outbox.deliver() // the delivery that is running takes it
  })
  turn(outbox, 1, 'a', 'b')
  outbox.deliver()
  t.deepEqual(seen(), [
    [1, 'a'],
    [2, 'b'],
    [3, 'c'],
  ])
})

test.serial('an event that could not be delivered is delivered again on a later tick', async (t) => {
  const uncaught = uncaughtErrors(t)
  let failures = 1
  const { outbox, seen } = recording(() => {
    if (failures-- > 0) throw new RangeError('Maximum call stack size exceeded')
  })
  turn(outbox, 1, 'a', 'b')
  outbox.deliver()
  t.deepEqual(seen(), [])
  await until(() => seen().length === 2, 'the second delivery')
  t.deepEqual(seen(), [
    [1, 'a'],
    [2, 'b'],
  ])
  await loopTurn()
  t.deepEqual(uncaught, [])
})

test.serial('an event that cannot be delivered twice is skipped, and its error reported', async (t) => {
  const uncaught = uncaughtErrors(t)
  const { outbox, seen } = recording(({ event }) => {
    if (event.type === 'set' && event.key === 'a') throw new Error('unreadable')
  })
  turn(outbox, 1, 'a', 'b')
  outbox.deliver()
  await until(() => seen().length === 1 && uncaught.length === 1, 'the delivery of b and the report')
  t.deepEqual(seen(), [[2, 'b']])
  t.is(uncaught[0]?.message, 'unreadable')
})
