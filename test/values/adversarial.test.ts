/** A copy is exact: what structured cloning makes of a value, or a refusal where it refuses. */
import assert from 'node:assert/strict'
import test from 'ava'
import { ValueError } from '../../src/errors.js'
import { restoreValue, storeValue } from '../../src/values/encode.js'
import { runs } from '../helpers/runs.js'
import { KINDS, type Kind, make, REFUSED_KINDS } from '../helpers/values/adversarial.js'
import { picture } from '../helpers/values/picture.js'

const COUNT = runs(10_000)
const SEED = Number(process.env['DAYBOOK_VALUES_SEED'] ?? 1)

test('any value is copied as structured cloning copies it, with the same calls of its getters, or is refused as it refuses it', (t) => {
  const made = new Set<Kind>()
  const accepted = new Set<Kind>()
  for (let seed = SEED; seed < SEED + COUNT; seed++) {
    const [one, same] = [make(seed), make(seed)]
    for (const kind of one.kinds) made.add(kind)
    const expected = outcome(() => structuredClone(same.value))
    const found = outcome(() => restoreValue(storeValue(one.value, 'copy'), 'copy'))
    if (found !== expected) t.fail(`seed ${seed}: ${difference(found, expected)}`)
    if (found === REFUSED) continue
    assert.deepEqual(one.calls, same.calls, `seed ${seed}`)
    for (const kind of one.kinds) accepted.add(kind)
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
