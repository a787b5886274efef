/** Equality of values: what `util.isDeepStrictEqual` says, in bounded time whatever parts are shared. */
import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import test from 'ava'
import fc from 'fast-check'
import { isEqual } from '../../src/values/equal.js'
import { holds } from '../helpers/property.js'

const copy = <T>(value: T): T => deserialize(serialize(value)) as T

/** 40 levels of two references to the level below. */
function levels(leaf: unknown, wrap: (part: unknown) => unknown): unknown {
  let part = leaf
  for (let level = 0; level < 40; level++) part = wrap(part)
  return part
}

const WRAPS: Record<string, (part: unknown) => unknown> = {
  objects: (part) => ({ a: part, b: part }),
  arrays: (part) => [part, part, 1],
  'maps by text': (part) =>
    new Map([
      ['a', part],
      ['b', part],
    ]),
  'maps by object': (part) => new Map([[{ key: part }, part]]),
  sets: (part) => new Set([[part], { a: part }, 1]),
  errors: (part) => new Error('x', { cause: [part, part] }),
}

for (const [what, wrap] of Object.entries(WRAPS)) {
  test(`${what} whose parts are shared, 40 levels deep: equal to their copy, and to nothing that differs at the bottom`, (t) => {
    const value = levels({ n: 1, at: new Date(5) }, wrap)
    t.true(isEqual(value, copy(value)))
    t.false(isEqual(value, copy(levels({ n: 2, at: new Date(5) }, wrap))))
    t.false(isEqual(value, copy(levels({ n: 1, at: new Date(6) }, wrap))))
  })
}

test('what is shared here and not there is equal all the same, and the order of keys does not matter', (t) => {
  const shared = levels({ n: 1 }, (part) => ({ a: part, b: part }))
  let other: unknown = { n: 1 }
  for (let level = 0; level < 40; level++) other = { b: other, a: level % 8 === 0 ? copy(other) : other }
  t.true(isEqual(shared, other))
  t.false(isEqual({ x: shared, y: 1 }, { x: other, y: 2 }))
})

test('the items of sets and the keys of maps that are objects are found in any order', (t) => {
  const part = levels(1, (below) => [below, below])
  const items = [part, [part], { a: part }, 'text', 1]
  t.true(isEqual(new Set(items), copy(new Set(items.toReversed()))))
  t.false(isEqual(new Set(items), copy(new Set([...items.slice(1), [[part]]]))))
  const pairs = items.map((item, index) => [item, { index }] as const)
  t.true(isEqual(new Map(pairs), copy(new Map(pairs.toReversed()))))
  t.false(isEqual(new Map(pairs), copy(new Map(pairs.map(([key], index) => [key, { index: (index + 1) % 5 }])))))
})

test('a cycle at the bottom of shared parts ends', (t) => {
  const cyclic = (n: number) => {
    const bottom: { n: number; top?: unknown } = { n }
    bottom.top = levels(bottom, (part) => ({ a: part, b: part }))
    return bottom
  }
  t.true(isEqual(cyclic(1), copy(cyclic(1))))
  t.false(isEqual(cyclic(1), copy(cyclic(2))))
})

test('objects that all refer to one another end', (t) => {
  const clique = (last: number) => {
    const all: Record<string, unknown>[] = Array.from({ length: 14 }, (_, n) => ({ n: n === 13 ? last : n }))
    for (const one of all) Object.assign(one, Object.fromEntries(all.map((other, index) => [`to${index}`, other])))
    return all[0]
  }
  t.true(isEqual(clique(13), copy(clique(13))))
  t.false(isEqual(clique(13), copy(clique(14))))
})

test('two chains that take turns going on end', (t) => {
  const chain = (stays: string, goes: string) => {
    const end: Record<string, unknown> = {}
    end[stays] = end[goes] = end
    let node = end
    for (let length = 0; length < 30; length++) {
      const next: Record<string, unknown> = { [goes]: node }
      next[stays] = next
      node = next
    }
    return node
  }
  t.true(isEqual(chain('a', 'b'), chain('b', 'a')))
})

test('a large plain value is compared in full', (t) => {
  const rows = (last: number) =>
    Array.from({ length: 20_000 }, (_, n) => ({ n: n === 19_999 ? last : n, of: [new Date(n), `${n}`] }))
  t.true(isEqual(rows(1), rows(1)))
  t.false(isEqual(rows(1), rows(2)))
  t.false(isEqual([...rows(1), [-0]], [...rows(1), [0]]))
})

/** Values of a few parts, each of which may be in any other, itself too. */
const GRAPH = fc
  .array(
    fc.record({
      kind: fc.constantFrom('object', 'array', 'map', 'mapByObject', 'set', 'error'),
      to: fc.array(fc.nat(6), { maxLength: 3 }),
      leaf: fc.constantFrom(0, -0, Number.NaN, 'a', null, 5n),
    }),
    { minLength: 1, maxLength: 7 },
  )
  .map((nodes) => {
    const made = nodes.map(({ kind }): unknown => {
      if (kind === 'map' || kind === 'mapByObject') return new Map()
      if (kind === 'set') return new Set()
      if (kind === 'error') return new Error('x')
      return kind === 'array' ? [] : {}
    })
    nodes.forEach(({ kind, to, leaf }, index) => {
      const one = made[index]
      const parts = to.map((target) => made[target % made.length])
      parts.forEach((part, place) => {
        if (one instanceof Map) one.set(kind === 'map' ? `k${place}` : part, kind === 'map' ? part : leaf)
        else if (one instanceof Set) one.add(part)
        else if (one instanceof Error)
          one.cause = { leaf, place } // not a part: an error among its own causes cannot be read
        else (one as Record<string, unknown>)[place] = part
      })
      if (one instanceof Set) one.add(leaf)
      else if (kind === 'object') (one as Record<string, unknown>)['leaf'] = leaf
    })
    return made[0]
  })

test('small values, with whatever cycles, are as equal as isDeepStrictEqual says', (t) =>
  holds(
    t,
    fc.property(GRAPH, GRAPH, (made, alsoMade) => {
      const [a, b, copyOfA] = [copy(made), copy(alsoMade), copy(made)]
      assert.equal(isEqual(a, b), isDeepStrictEqual(a, b))
      assert.equal(isEqual(a, copyOfA), isDeepStrictEqual(a, copyOfA))
    }),
    500,
  ))
