/** A copy is exact: what structured cloning makes of a value, or a refusal where it refuses; at once and after each recovery. */
import test, { type ExecutionContext } from 'ava'
import type { StoredValue } from '../../src/core/model/stored-value.js'
import { ValueError } from '../../src/errors.js'
import { memoryJournal, openCache } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { restoreValue, storeValue } from '../../src/values/encode.js'
import { countFrom } from '../helpers/runs.js'
import { KINDS, type Kind, make, REFUSED_KINDS } from '../helpers/values/adversarial.js'
import { picture } from '../helpers/values/picture.js'

const COUNT = countFrom('DAYBOOK_VALUES', 10_000)
const SEED = countFrom('DAYBOOK_VALUES_SEED', 1)
const PORTION = 10_000
/** Values in one cache. */
const BATCH = 500

// In portions, so that the test runner sees that there is progress.
for (let first = SEED; first < SEED + COUNT; first += PORTION) {
  const last = Math.min(first + PORTION, SEED + COUNT) - 1
  test.serial(
    `values ${first} to ${last} come back as their structured clones, with the same calls of their getters, at once, from the journal and from a snapshot, or are refused`,
    (t) => tryAll(t, first, last),
  )
}

async function tryAll(t: ExecutionContext, from: number, to: number): Promise<void> {
  const made = new Set<Kind>()
  const accepted = new Set<Kind>()
  for (let first = from; first <= to; first += BATCH) {
    const options = { journal: memoryJournal(), clock: new ManualClock(), compaction: false as const }
    let cache = await openCache(options)
    const expected = new Map<string, string>()
    for (let seed = first; seed < first + BATCH && seed <= to; seed++) {
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
        const found = picture(cache.get(key))
        if (found !== clone) t.fail(`seed ${key}, ${when}: ${difference(found, clone)}`)
      }
    }
    const reopen = async () => {
      await cache.close()
      cache = await openCache(options)
    }
    compare('at once')
    await reopen()
    compare('from the journal')
    await cache.compact() // writes what was decoded
    await reopen()
    await cache.compact() // writes what was not
    await reopen()
    compare('from a snapshot')
    compare('at the second use')
    await cache.close()
  }
  if (to - from + 1 < PORTION) return
  // A generator that makes no such values finds no differences either.
  t.deepEqual([...made].sort(), [...KINDS].sort())
  t.deepEqual(
    KINDS.filter((kind) => !accepted.has(kind) && !REFUSED_KINDS.includes(kind)),
    [],
  )
}

test('with a polluted Object.prototype and Array.prototype, values are copied as structured cloning copies them', (t) => {
  const differences: string[] = []
  const pollution: [object, PropertyKey, PropertyDescriptor][] = [
    [Object.prototype, 'polluted', { value: { a: 1 }, enumerable: true }],
    [Object.prototype, 'id', { value: 'inherited', writable: false }],
    [Object.prototype, 'name', { get: () => 'inherited', set: () => undefined, enumerable: true }],
    [Array.prototype, '1', { value: 'inherited', enumerable: true, writable: true }],
    [Array.prototype, 'extra', { value: 'inherited', enumerable: true }],
  ]
  for (let seed = SEED; seed < SEED + 2_000; seed++) {
    const [one, same] = [make(seed), make(seed)]
    let stored: StoredValue | undefined
    let clone: unknown = REFUSED
    let found: unknown = REFUSED
    for (const [object, key, descriptor] of pollution)
      Object.defineProperty(object, key, { ...descriptor, configurable: true })
    try {
      clone = structuredClone(same.value) ?? (same.value === undefined ? REFUSED : null)
    } catch {}
    try {
      stored = storeValue(one.value, 'copy')
      found = restoreValue(stored, 'copy')
    } catch {}
    for (const [object, key] of pollution) Reflect.deleteProperty(object, key)
    if (picture(found) !== picture(clone))
      differences.push(`seed ${seed}: ${difference(picture(found), picture(clone))}`)
    // And what was stored meanwhile is read afterwards.
    if (stored !== undefined && picture(restoreValue(stored, 'copy')) !== picture(clone))
      differences.push(`seed ${seed}`)
  }
  t.deepEqual(differences, [])
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
