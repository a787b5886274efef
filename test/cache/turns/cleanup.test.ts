import test from 'ava'
import { SLICE_ENTRIES } from '../../../src/cache/turns/cleanup.js'
import { turnParts } from '../../helpers/turn-parts.js'

/** Parts with `count` expired entries and one that is live. */
function expired(count: number) {
  const parts = turnParts()
  for (let at = 0; at < count; at++) parts.set(`k${at}`, 10)
  parts.set('live')
  parts.clock.jump(10)
  parts.appended.length = 0
  return parts
}

test('a cleanup removes everything that has expired, in turns of at most one slice', (t) => {
  const { cleanup, appended, state } = expired(2 * SLICE_ENTRIES + 1)
  t.is(cleanup.run(), 2 * SLICE_ENTRIES + 1)
  t.deepEqual(
    appended.map((events) => events.length),
    [SLICE_ENTRIES, SLICE_ENTRIES, 1],
  )
  t.deepEqual([...state.keysInOrder()], ['live'])
})

test('a cleanup with nothing to remove appends nothing', (t) => {
  const { cleanup, appended } = expired(0)
  t.is(cleanup.run(), 0)
  t.is(cleanup.runSlice(), 'done')
  t.deepEqual(appended, [])
})

test('a timer removes one slice, and learns whether there is more', (t) => {
  const { cleanup, state } = expired(SLICE_ENTRIES + 1)
  t.is(cleanup.runSlice(), 'more')
  t.is(state.size, 2)
  t.is(cleanup.runSlice(), 'done')
  t.is(state.size, 1)
})

test('while the journal cannot be written nothing is removed', (t) => {
  const { cleanup, turns, appended } = expired(3)
  turns.isWritable = false
  t.is(cleanup.run(), 0)
  t.is(cleanup.runSlice(), 'blocked')
  t.deepEqual(appended, [])
})

test('a slice that does not fit into one frame is halved until it does', (t) => {
  const { cleanup, journal, appended, state } = expired(100)
  const { append } = journal
  journal.append = (events) => {
    if (events.length > 30) throw new RangeError('larger than a frame')
    return append(events)
  }
  t.is(cleanup.run(), 100)
  t.true(appended.every((events) => events.length <= 30))
  t.deepEqual([...state.keysInOrder()], ['live'])
})

test('an entry that does not fit into a frame alone is an error, and stays', (t) => {
  const { cleanup, journal, state } = expired(3)
  journal.append = () => {
    throw new RangeError('larger than a frame')
  }
  t.throws(() => cleanup.run(), { message: 'larger than a frame' })
  t.is(cleanup.runSlice(), 'blocked')
  t.is(state.size, 4)
})

test('an error of the journal is thrown to the caller of a cleanup, not to a timer', (t) => {
  const { cleanup, journal, state } = expired(3)
  journal.append = () => {
    throw new Error('EIO')
  }
  t.throws(() => cleanup.run(), { message: 'EIO' })
  t.is(cleanup.runSlice(), 'blocked')
  t.is(state.size, 4)
})
