import test from 'ava'
import fc from 'fast-check'
import { Tags } from '../../../src/core/evolve/tags.js'
import { TAGS_MAX } from '../../../src/core/model/extension.js'
import type { Slot } from '../../../src/core/model/state.js'
import { holds } from '../../helpers/property.js'

const slot = (number: number) => number as Slot

test('every entry is found from each of its tags, and its tags from the entry, whatever is replaced and removed', async (t) => {
  const NAMES = ['a', 'b', 'c', '']
  // Two portions of slots.
  const slots = fc.constantFrom(...[2, 3, 4, 5, TAGS_MAX - 1, TAGS_MAX, 2 * TAGS_MAX + 1].map(slot))
  const changes = fc.array(fc.tuple(slots, fc.subarray(NAMES)), { maxLength: 60 })
  await holds(
    t,
    fc.property(changes, (list) => {
      const tags = new Tags()
      const naive = new Map<Slot, string[]>()
      for (const [at, names] of list) {
        tags.set(at, names)
        naive.set(at, names)
        for (const [each, expected] of naive) t.deepEqual(tags.of(each), expected)
        for (const name of NAMES) {
          const expected = [...naive].filter(([, own]) => own.includes(name)).map(([each]) => each)
          t.deepEqual(tags.slotsOf(name).sort(), expected.sort())
        }
        t.is(tags.count, [...naive.values()].filter(({ length }) => length > 0).length)
        t.is(tags.size, new Set([...naive.values()].flat()).size)
      }
    }),
    300,
  )
})

test('the tags of an entry keep their order', (t) => {
  const tags = new Tags()
  tags.set(slot(2), ['c', 'a', 'b'])
  t.deepEqual(tags.of(slot(2)), ['c', 'a', 'b'])
})

test('where no entry has tags, nothing is kept', (t) => {
  const tags = new Tags()
  tags.set(slot(2), [])
  t.deepEqual([tags.count, tags.size, tags.of(slot(2)), tags.slotsOf('a')], [0, 0, [], []])
  tags.set(slot(2), ['a'])
  tags.set(slot(2), [])
  t.deepEqual([tags.count, tags.size], [0, 0])
})
