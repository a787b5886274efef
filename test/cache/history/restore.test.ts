/** When `restore` is refused by what it shares with every change, and what it does to loads. */
import test from 'ava'
import { emptyState } from '../../../src/cache/history/past-state.js'
import { restorePast } from '../../../src/cache/history/restore.js'
import { evolve } from '../../../src/core/evolve/evolve.js'
import { TAGS_MAX } from '../../../src/core/model/extension.js'
import { turnParts } from '../../helpers/turn-parts.js'

/** A cache with `now`, and a past in which there was `then` with a tag instead. */
function parts() {
  const made = turnParts()
  made.set('now')
  const past = emptyState()
  const extension = { freshUntilMs: Number.POSITIVE_INFINITY, tags: ['x'] }
  evolve(past, { type: 'set', key: 'then', value: 1, expiresAtMs: Number.POSITIVE_INFINITY, extension })
  return { ...made, moment: { past, pastMs: 0, matches: () => true, nowMs: 0 } }
}

test('restore of more different tags than a cache can hold is a RangeError that names the counts and changes nothing', (t) => {
  const { state, turns, appended, moment } = parts()
  const full = Object.create(state, { tagCount: { value: TAGS_MAX } })
  for (const isDryRun of [true, false])
    t.throws(() => restorePast({ state: full, turns, loading: () => [] }, moment, isDryRun), {
      instanceOf: RangeError,
      message: /would set 1 entries, delete 1 and leave 0 as they are\. .*Nothing was changed\. Use fewer tags/,
    })
  t.deepEqual([...state.keysInOrder()], ['now'])
  t.is(appended.length, 1)
})

test('restore of more than a frame holds is a RangeError that names the counts and changes nothing', (t) => {
  const { state, turns, journal, moment } = parts()
  journal.append = () => {
    throw new RangeError('A frame holds at most 256 MiB. Nothing was changed.')
  }
  t.throws(() => restorePast({ state, turns, loading: () => [] }, moment, false), {
    instanceOf: RangeError,
    message: /would set 1 entries, delete 1 and leave 0 as they are\. A frame holds at most/,
  })
  t.deepEqual([...state.keysInOrder()], ['now'])
})
