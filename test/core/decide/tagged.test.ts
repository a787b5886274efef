import test from 'ava'
import { decide } from '../../../src/core/decide/decide.js'
import type { TagCommand } from '../../../src/core/model/command.js'
import { TAGS_MAX } from '../../../src/core/model/extension.js'
import type { ReadableState } from '../../../src/core/model/state.js'
import { given, NEVER, stateOf, T0, toSet, wasExtended, wasSet } from '../../helpers/given.js'

function toTag(type: TagCommand['type'], tags: string[], prefix = ''): TagCommand {
  return { type, tags, prefix, nowMs: T0 }
}

const PLAIN = wasExtended('a', NEVER, NEVER, ['x', 'y'])
const OTHER = wasExtended('b', T0 + 5, NEVER, ['y'])
const WINDOW = wasExtended('c', T0 + 30, T0 + 10, ['x'])
const STALE = wasExtended('d', T0 + 30, T0 - 10, ['x'])
const GONE = wasExtended('e', T0, T0 - 10, ['x'])

test('deleteTag deletes the entries with the tag, stale or not, and none without it', (t) => {
  given([PLAIN, OTHER, WINDOW, STALE, wasSet('f')])
    .when(toTag('deleteTag', ['x']))
    .then(t, { type: 'deleted', key: 'a' }, { type: 'deleted', key: 'c' }, { type: 'deleted', key: 'd' })
})

test('an entry with several of the tags is deleted once', (t) => {
  given([PLAIN, OTHER])
    .when(toTag('deleteTag', ['x', 'y', 'none']))
    .then(t, { type: 'deleted', key: 'a' }, { type: 'deleted', key: 'b' })
})

test('expireTag ends the fresh time of entries with a stale window, and deletes the others', (t) => {
  given([PLAIN, WINDOW, STALE])
    .when(toTag('expireTag', ['x']))
    .then(t, { type: 'deleted', key: 'a' }, { type: 'rescheduled', key: 'c', expiresAtMs: T0 + 30, freshUntilMs: T0 })
})

test('what has expired is an expired event, and what begins with another prefix stays', (t) => {
  for (const type of ['deleteTag', 'expireTag'] as const) {
    given([GONE])
      .when(toTag(type, ['x']))
      .then(t, { type: 'expired', key: 'e' })
    given([PLAIN])
      .when(toTag(type, ['x'], 'b'))
      .then(t)
    given([PLAIN])
      .when(toTag(type, ['x'], 'a'))
      .then(t, { type: 'deleted', key: 'a' })
    given([PLAIN]).when(toTag(type, [])).then(t)
  }
})

test('the entries without the tag are not looked at', (t) => {
  const state = stateOf([...Array.from({ length: 500 }, (_, index) => wasSet(`k${index}`)), PLAIN])
  const looked = new Set<unknown>()
  const keyAt: ReadableState['keyAt'] = (slot) => {
    looked.add(slot)
    return state.keyAt(slot)
  }
  const deadlineAt: ReadableState['deadlineAt'] = (slot) => {
    looked.add(slot)
    return state.deadlineAt(slot)
  }
  const watched: ReadableState = Object.create(state, { keyAt: { value: keyAt }, deadlineAt: { value: deadlineAt } })
  t.is(decide(watched, toTag('deleteTag', ['x'])).length, 1)
  t.is(looked.size, 1)
})

test('more different tags than a Map surely holds are refused', (t) => {
  const state = stateOf([])
  const full: ReadableState = Object.create(state, { tagCount: { value: TAGS_MAX - 1 } })
  t.is(decide(full, toSet('a', 1, { tags: ['x'] })).length, 1)
  t.throws(() => decide(full, toSet('a', 1, { tags: ['x', 'y'] })), {
    instanceOf: RangeError,
    message: /Use fewer tags/,
  })
})
