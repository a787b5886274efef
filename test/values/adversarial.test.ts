/** A copy is exact: what structured cloning makes of a value, or a refusal where it refuses; at once and after each recovery. */
import test from 'ava'
import { ValueError } from '../../src/errors.js'
import { memoryJournal, openCache } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { countFrom } from '../helpers/runs.js'
import { KINDS, type Kind, make, REFUSED_KINDS } from '../helpers/values/adversarial.js'
import { picture } from '../helpers/values/picture.js'

const COUNT = countFrom('DAYBOOK_VALUES', 10_000)
const SEED = countFrom('DAYBOOK_VALUES_SEED', 1)
/** Values in one cache. */
const BATCH = 500

test('any value comes back as its structured clone, with the same calls of its getters, at once, from the journal and from a snapshot, or it is refused', async (t) => {
  const made = new Set<Kind>()
  const accepted = new Set<Kind>()
  for (let first = SEED; first < SEED + COUNT; first += BATCH) {
    const options = { journal: memoryJournal(), clock: new ManualClock(), compaction: false as const }
    let cache = await openCache(options)
    const expected = new Map<string, string>()
    for (let seed = first; seed < first + BATCH; seed++) {
      const [one, same] = [make(seed), make(seed)]
      const clone = outcome(() => structuredClone(same.value))
      const isRefused = outcome(() => cache.set(`${seed}`, one.value)) === REFUSED
      if (isRefused !== (clone === REFUSED)) t.fail(`seed ${seed}: ${isRefused ? '' : 'not '}refused`)
      for (const kind of one.kinds) made.add(kind)
      if (isRefused) continue
      t.deepEqual(one.calls, same.calls, `seed ${seed}`)
      for (const kind of one.kinds) accepted.add(kind)
      expected.set(`${seed}`, clone)
    }
    const compare = (when: string) => {
      for (const [key, clone] of expected) {
        // Twice, because the first use of a value that was recovered decodes it.
        for (let time = 1; time <= 2; time++) {
          const found = picture(cache.get(key))
          if (found !== clone) t.fail(`seed ${key}, ${when}: ${difference(found, clone)}`)
        }
      }
    }
    const reopen = async () => {
      await cache.close()
      cache = await openCache(options)
    }
    compare('at once')
    await reopen()
    compare('from the journal')
    await reopen() // so that the snapshot is written from values that were never used
    await cache.compact()
    compare('after the compaction')
    await reopen()
    await cache.compact()
    await reopen()
    compare('from a snapshot')
    await cache.close()
  }
  // A generator that makes no such values finds no differences either.
  t.deepEqual([...made].sort(), [...KINDS].sort())
  t.deepEqual(
    KINDS.filter((kind) => !accepted.has(kind) && !REFUSED_KINDS.includes(kind)),
    [],
  )
})

/** Where two pictures part, and how they go on. */
function difference(found: string, expected: string): string {
  let at = 0
  while (found[at] === expected[at]) at++
  return `…${expected.slice(Math.max(0, at - 100), at)} | found ${found.slice(at, at + 60)} | expected ${expected.slice(at, at + 60)}`
}

const REFUSED = 'refused'

function outcome(copy: () => unknown): string {
  let value: unknown
  try {
    value = copy()
  } catch (error) {
    if (
      error instanceof ValueError ||
      (error as Error).name === 'DataCloneError' ||
      (error as Error).message === 'mine'
    )
      return REFUSED
    throw error
  }
  return value === undefined ? REFUSED : picture(value) // at the top, undefined is refused
}
