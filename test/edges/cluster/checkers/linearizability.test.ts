/** The checker of linearizability refuses every history that no order of its calls explains, and accepts the others. */
import test from 'ava'
import type { Call, Step } from '../../../helpers/cluster/checkers/history.js'
import { notLinearizable } from '../../../helpers/cluster/checkers/linearizability.js'

const NEVER = Number.POSITIVE_INFINITY
const get: Step = { do: 'get', key: 'k' }
const remove: Step = { do: 'delete', key: 'k' }
const clear: Step = { do: 'clear' }
const set = (value: number, only?: 'absent' | 'present'): Step => ({
  do: 'set',
  key: 'k',
  value,
  ...(only && { only }),
})
const tagged = (value: number, ...tags: string[]): Step => ({ do: 'set', key: 'k', value, tags })
const removeTag: Step = { do: 'deleteTag', tag: 't' }
const expireTag: Step = { do: 'expireTag', tag: 't' }
const load = (rows: Record<string, number>): Step => ({ do: 'load', rows })
const add = (by: number): Step => ({ do: 'increment', key: 'k', by })

/** `client: from–to step → result`, with several steps in lists. */
type Row = [client: string, from: number, to: number, step: Step | Step[], result?: unknown]

function calls(...rows: Row[]): Call[] {
  return rows.map(([client, invokedAt, returnedAt, step, result]) => {
    const call = { client, invokedAt, returnedAt, steps: Array.isArray(step) ? step : [step] }
    return returnedAt === NEVER ? call : { ...call, results: Array.isArray(step) ? (result as unknown[]) : [result] }
  })
}

const REFUSED: Record<string, Row[]> = {
  'a read that misses what was acknowledged before it': [
    ['a', 1, 2, set(1), true],
    ['b', 3, 4, get, undefined],
  ],
  'a read of an older value, after a newer one was read': [
    ['a', 1, 2, set(1), true],
    ['a', 3, 9, set(2), true],
    ['b', 4, 5, get, 2],
    ['c', 6, 7, get, 1],
  ],
  'a read of what nobody has set': [['a', 1, 2, get, 7]],
  'a read of what is only set later': [
    ['a', 1, 2, get, 1],
    ['b', 3, 4, set(1), true],
  ],
  'two increments with the same result': [
    ['a', 1, 4, add(1), 1],
    ['b', 2, 3, add(1), 1],
  ],
  'an increment that is lost': [
    ['a', 1, 2, add(1), 1],
    ['a', 3, 4, add(2), 2],
  ],
  'an increment that counted twice': [
    ['a', 1, 2, add(1), 1],
    ['b', 3, 4, get, 2],
  ],
  'an increment of unknown outcome that counted twice': [
    ['a', 1, NEVER, add(1)],
    ['b', 3, 4, get, 2],
  ],
  'an increment of unknown outcome that was seen, and then not': [
    ['a', 1, NEVER, add(1)],
    ['b', 3, 4, get, 1],
    ['b', 5, 6, get, undefined],
  ],
  'two deletions of one entry': [
    ['a', 1, 2, set(1), true],
    ['a', 3, 6, remove, true],
    ['b', 4, 5, remove, true],
  ],
  'an entry that was added twice': [
    ['a', 1, 3, set(1, 'absent'), true],
    ['b', 2, 4, set(2, 'absent'), true],
  ],
  'an entry that outlives a clear': [
    ['a', 1, 2, set(1), true],
    ['a', 3, 4, clear, 1],
    ['b', 5, 6, get, 1],
  ],
  'an entry that outlives its tag': [
    ['a', 1, 2, tagged(1, 's', 't'), true],
    ['a', 3, 4, removeTag, 1],
    ['b', 5, 6, get, 1],
  ],
  'an entry that is removed with a tag that it no longer has': [
    ['a', 1, 2, tagged(1, 't'), true],
    ['a', 3, 4, set(2), true],
    ['a', 5, 6, expireTag, 0],
    ['b', 7, 8, get, undefined],
  ],
  'a tag that an increment has lost': [
    ['a', 1, 2, tagged(1, 't'), true],
    ['a', 3, 4, add(2), 3],
    ['a', 5, 6, removeTag, 1],
    ['b', 7, 8, get, 3],
  ],
  'an entry that outlives a loaded file': [
    ['a', 1, 2, set(1), true],
    ['a', 3, 4, load({ other: 2 }), true],
    ['b', 5, 6, get, 1],
  ],
  'a loaded entry that is not there': [
    ['a', 1, 2, load({ k: 2 }), true],
    ['b', 3, 4, get, undefined],
  ],
  'a file that was not loaded, and is there': [
    ['a', 1, 2, load({ k: 2 }), false],
    ['b', 3, 4, get, 2],
  ],
  'a transaction whose read is not of its moment': [
    ['a', 1, 2, set(1), true],
    ['a', 3, 4, set(2), true],
    ['b', 5, 6, [get, set(3)], [1, true]],
  ],
  "a client's read that misses its own earlier change, though neither was answered when the other was asked": [
    ['a', 1, 4, set(1), true],
    ['a', 2, 3, get, undefined],
  ],
  "a client's two changes the other way round": [
    ['a', 1, 4, set(1), true],
    ['a', 2, 3, set(2), true],
    ['b', 5, 6, get, 1],
  ],
  "a client's change of unknown outcome behind a later one": [
    ['a', 1, NEVER, set(1)],
    ['a', 2, 3, set(2), true],
    ['b', 4, 5, get, 2],
    ['b', 6, 7, get, 1],
  ],
}

for (const [what, rows] of Object.entries(REFUSED)) {
  test(`refused: ${what}`, (t) => {
    const found = notLinearizable(calls(...rows))
    t.is(found.length, 1)
    t.regex(String(found[0]), /^no order of these calls explains the results on k:\n/)
  })
}

const ACCEPTED: Record<string, Row[]> = {
  'a file whose rows come before a change that its client asked for later': [
    ['a', 1, 6, load({ k: 1 }), true],
    ['a', 2, 3, set(2), true],
    ['b', 4, 5, get, 2],
    ['b', 7, 8, get, 1],
  ],
  'a file of unknown outcome that was never loaded': [
    ['a', 1, NEVER, load({ k: 1 })],
    ['a', 2, 3, tagged(2, 't'), true],
    ['b', 4, 5, get, 2],
    ['b', 6, 7, removeTag, 1],
    ['b', 8, 9, get, undefined],
  ],
  'overlapping calls in either order': [
    ['a', 1, 5, set(1), true],
    ['b', 2, 6, set(2), true],
    ['c', 3, 4, get, 2],
    ['c', 7, 8, get, 1],
  ],
  'a read during a set, of the value before': [
    ['a', 1, 4, set(1), true],
    ['b', 2, 3, get, undefined],
  ],
  'a change of unknown outcome that takes effect much later': [
    ['a', 1, NEVER, set(1)],
    ['b', 2, 3, get, undefined],
    ['b', 4, 5, get, 1],
  ],
  'a change of unknown outcome that never takes effect': [
    ['a', 1, NEVER, add(1)],
    ['b', 2, 3, add(2), 2],
  ],
  'two increments of unknown outcome, of which one took effect': [
    ['a', 1, NEVER, add(1)],
    ['b', 2, NEVER, add(2)],
    ['c', 3, 4, add(4), 6],
  ],
  'a transaction as one moment': [
    ['a', 1, 2, [set(1), get, remove, get], [true, 1, true, undefined]],
    ['b', 3, 4, set(2, 'present'), false],
  ],
  'other keys': [
    ['a', 1, 2, set(1), true],
    ['b', 3, 4, { do: 'get', key: 'other' }, undefined],
  ],
}

for (const [what, rows] of Object.entries(ACCEPTED))
  test(`accepted: ${what}`, (t) => t.deepEqual(notLinearizable(calls(...rows)), []))

test('many open calls at once are judged in time', (t) => {
  const open: Row[] = Array.from({ length: 12 }, (_, at) => [`c${at}`, at, NEVER, set(at)])
  const answered: Row[] = Array.from({ length: 40 }, (_, at) => [
    `d${at % 4}`,
    20 + at,
    100 + at,
    add(2 ** at),
    undefined,
  ])
  const sums = answered.map(([client, from, to, step], at): Row => [client, from, to, step, 2 ** (at + 1) - 1])
  t.deepEqual(notLinearizable(calls(...sums, ...open)), [])
})
