/**
 * Whether two values are equal, as `util.isDeepStrictEqual` says. That one compares a shared part again for each way that leads
 * to it: 40 levels of `{ a: part, b: part }` would take it 2^40 steps. So where it would take many, two parts are compared once,
 * and whatever was found equal to one of them is taken for equal to the other (Hopcroft and Karp's test of automata).
 */
import { isDeepStrictEqual } from 'node:util'

export function isEqual(a: unknown, b: unknown): boolean {
  return takesFewSteps(a, b) ? isDeepStrictEqual(a, b) : new Comparison().isEqual(a, b)
}

const STEPS_MAX = 10_000
const LEVELS_MAX = 1_000

/** Walks the pairs that `isDeepStrictEqual` compares. It takes a pair for equal when it is inside both parts already. */
function takesFewSteps(a: unknown, b: unknown): boolean {
  let steps = 0
  const inside = new Set<unknown>()
  const isFew = (x: unknown, y: unknown, level: number): boolean => {
    if (++steps > STEPS_MAX || level > LEVELS_MAX) return false
    if (!isContainer(x) || !isContainer(y)) return true
    const { size } = inside
    inside.add(x).add(y)
    if (inside.size === size) return true
    for (const [part, other] of pairsOf(x, y)) if (!isFew(part, other, level + 1)) return false
    inside.delete(x)
    inside.delete(y)
    return true
  }
  return isFew(a, b, 1)
}

function* pairsOf(x: object, y: object): Iterable<[unknown, unknown]> {
  for (const key of x instanceof Error ? [...OF_ERRORS, ...Object.keys(x)] : Object.keys(x))
    yield [get(x, key), get(y, key)]
  if (x instanceof Map && y instanceof Map)
    for (const [key, value] of x) {
      if (!isObject(key)) yield [value, y.get(key)]
      else
        for (const [otherKey, other] of y) {
          yield [key, otherKey]
          yield [value, other]
        }
    }
  if (x instanceof Set && y instanceof Set)
    for (const item of x) if (isObject(item)) for (const other of y) yield [item, other]
}

/** What is compared of an error beside its own enumerable properties. */
const OF_ERRORS = ['message', 'name', 'cause', 'errors']

class Comparison {
  /** Parts that are taken for equal are one tree: from each to another one of them, up to the root, which is in no pair. */
  readonly #parents = new Map<object, object>()
  readonly #sizes = new Map<object, number>()
  /** In the order in which they got a parent. */
  readonly #joined: object[] = []
  readonly #different = new Map<object, Set<object>>()

  isEqual(x: unknown, y: unknown): boolean {
    if (!isContainer(x) || !isContainer(y)) return Object.is(x, y) || isDeepStrictEqual(x, y)
    if (this.#rootOf(x) === this.#rootOf(y)) return true
    if (this.#different.get(x)?.has(y) === true) return false
    const before = this.#joined.length
    this.#join(this.#rootOf(x), this.#rootOf(y)) // until the contrary is found
    if (this.#haveEqualParts(x, y)) return true
    while (this.#joined.length > before) this.#separate()
    const different = this.#different.get(x)
    if (different === undefined) this.#different.set(x, new Set([y]))
    else different.add(y)
    return false
  }

  #haveEqualParts(x: object, y: object): boolean {
    if (Object.getPrototypeOf(x) !== Object.getPrototypeOf(y)) return false
    if (Array.isArray(x) && x.length !== (y as unknown[]).length) return false
    const hasEqual = (key: string) => this.isEqual(get(x, key), get(y, key))
    if (x instanceof Error && !OF_ERRORS.every(hasEqual)) return false
    const keys = Object.keys(x)
    if (keys.length !== Object.keys(y).length) return false
    if (!keys.every((key) => Object.hasOwn(y, key) && hasEqual(key))) return false
    if (x instanceof Map) return this.#haveEqualItems(x, y as Map<unknown, unknown>)
    if (x instanceof Set) return this.#haveEqualItems(new Map(x.entries()), new Map((y as Set<unknown>).entries()))
    return true
  }

  /** The order does not matter, so a key that is an object is looked for among all others. */
  #haveEqualItems(x: Map<unknown, unknown>, y: Map<unknown, unknown>): boolean {
    if (x.size !== y.size) return false
    const others = new Set([...y.keys()].filter(isObject))
    for (const [key, value] of x) {
      if (isObject(key)) {
        const found = [...others].find((other) => this.isEqual(key, other) && this.isEqual(value, y.get(other)))
        if (found === undefined) return false
        others.delete(found)
      } else if (!y.has(key) || !this.isEqual(value, y.get(key))) return false
    }
    return true
  }

  #rootOf(part: object): object {
    let root = part
    for (let parent = this.#parents.get(root); parent !== undefined; parent = this.#parents.get(root)) root = parent
    return root
  }

  #join(one: object, other: object): void {
    const [oneSize, otherSize] = [this.#sizes.get(one) ?? 1, this.#sizes.get(other) ?? 1]
    const [child, parent] = oneSize < otherSize ? [one, other] : [other, one]
    this.#parents.set(child, parent)
    this.#sizes.set(parent, oneSize + otherSize)
    this.#joined.push(child)
  }

  #separate(): void {
    const child = this.#joined.pop() as object // the caller looks at the length
    const parent = this.#parents.get(child) as object // it got one
    this.#parents.delete(child)
    this.#sizes.set(parent, (this.#sizes.get(parent) as number) - (this.#sizes.get(child) ?? 1))
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** Whether other objects may be inside. What is no container is compared at once. */
function isContainer(value: unknown): value is object {
  if (!isObject(value)) return false
  if (Array.isArray(value) || value instanceof Map || value instanceof Set || value instanceof Error) return true
  return Object.prototype.toString.call(value) === '[object Object]'
}

function get(object: object, key: string): unknown {
  return (object as Record<string, unknown>)[key]
}
