/**
 * The last look at a value that was read, before anyone else sees it. Last on the reader's path; before it: `actions`.
 *
 * One walk, depth first and without recursion, in time and memory linear in the value:
 * - what was an object and became a Map (see `containers`) is replaced wherever the object still stands;
 * - nesting is bounded: whoever walks the value in this order, as the structured clone does, gets no deeper, whether it
 *   remembers what it met or not;
 * - a class, a timezone or a timedelta, which only exist while reading, may not be left in it.
 *
 * Only what was fetched from the memo can be met twice, so only that is remembered: a large cache of small values, each
 * its own, needs no memory here.
 */
import { isReadingOnly } from './allow-list.js'
import { refusal } from './refusal.js'

export interface Unsettled {
  readonly value: unknown
  readonly moved: ReadonlyMap<object, object>
  /** Containers that more than one reference may lead to. */
  readonly shared: ReadonlySet<object>
  /** Levels of containers that the value may have. */
  readonly nestingMax: number
  /** Byte offset of the end, for errors. */
  readonly at: number
}

export function settle(unsettled: Unsettled): unknown {
  const { moved, shared, nestingMax, at } = unsettled
  /** From the value to where the walk is. */
  const path: Visit[] = []
  /** Of each shared container that was met: its height, and 0 while the walk is inside it (then it closes a cycle). */
  const heights = new Map<object, number>()

  /** Begins a visit, or returns the height of what needs none. */
  const enter = (container: object): number => {
    const isShared = shared.has(container)
    const known = isShared ? heights.get(container) : undefined
    if (known !== undefined) return known
    if (path.length >= nestingMax) throw refusal(tooDeep(nestingMax), at)
    const visit = visitOf(container)
    visit.advance(moved)
    if (isShared) heights.set(container, visit.child === undefined ? 1 : 0)
    if (visit.child === undefined) return 1
    path.push(visit)
    return 0
  }

  const value = replaced(unsettled.value, moved)
  if (isContainer(value)) enter(value)
  for (let visit = path.at(-1); visit; visit = path.at(-1)) {
    if (visit.child !== undefined) {
      const { child } = visit
      visit.advance(moved)
      visit.height = Math.max(visit.height, 1 + enter(child))
      continue
    }
    if (visit.height > nestingMax) throw refusal(tooDeep(nestingMax), at)
    path.pop()
    if (shared.has(visit.container)) heights.set(visit.container, visit.height)
    const parent = path.at(-1)
    if (parent) parent.height = Math.max(parent.height, 1 + visit.height)
  }
  return value
}

/** A walk over the containers directly inside one, whose moved ones are replaced on the way. */
abstract class Visit {
  abstract readonly container: object
  /** Levels below and including this container, as far as they are known. */
  height = 1
  /** The next container inside this one; undefined after the last. */
  child: object | undefined
  /** Looks for the next {@link child}. */
  abstract advance(moved: ReadonlyMap<object, object>): void
}

class ListVisit extends Visit {
  #index = 0
  readonly container: unknown[]
  constructor(container: unknown[]) {
    super()
    this.container = container
  }

  advance(moved: ReadonlyMap<object, object>): void {
    const list = this.container
    while (this.#index < list.length) {
      const index = this.#index++
      const item = replaced(list[index], moved)
      if (item !== list[index]) list[index] = item
      if (isContainer(item)) {
        this.child = item
        return
      }
    }
    this.child = undefined
  }
}

class ObjectVisit extends Visit {
  #index = 0
  readonly container: Record<string, unknown>
  readonly #keys: readonly string[]
  constructor(container: Record<string, unknown>) {
    super()
    this.container = container
    this.#keys = Object.keys(container)
  }

  advance(moved: ReadonlyMap<object, object>): void {
    while (this.#index < this.#keys.length) {
      const key = this.#keys[this.#index++]!
      const held = this.container[key]
      const value = replaced(held, moved)
      if (value !== held) Object.defineProperty(this.container, key, { value })
      if (isContainer(value)) {
        this.child = value
        return
      }
    }
    this.child = undefined
  }
}

/** A Map's keys may be containers too: tuples and frozensets, in which nothing can have moved. */
class MapVisit extends Visit {
  readonly container: Map<unknown, unknown>
  readonly #pairs: Iterator<[unknown, unknown]>
  #valueAfterKey: object | undefined
  constructor(container: Map<unknown, unknown>) {
    super()
    this.container = container
    this.#pairs = container.entries()
  }

  advance(moved: ReadonlyMap<object, object>): void {
    this.child = this.#valueAfterKey
    this.#valueAfterKey = undefined
    while (this.child === undefined) {
      const pair = this.#pairs.next()
      if (pair.done) return
      const [key, held] = pair.value
      const value = replaced(held, moved)
      if (value !== held) this.container.set(key, value)
      if (isContainer(value)) this.child = value
      if (isContainer(key)) {
        this.#valueAfterKey = this.child
        this.child = key
      }
    }
  }
}

class SetVisit extends Visit {
  readonly container: Set<unknown>
  readonly #items: Iterator<unknown>
  constructor(container: Set<unknown>) {
    super()
    this.container = container
    this.#items = container.values()
  }

  advance(): void {
    this.child = undefined
    for (let item = this.#items.next(); !item.done; item = this.#items.next()) {
      if (isContainer(item.value)) {
        this.child = item.value
        return
      }
    }
  }
}

function visitOf(container: object): Visit {
  if (Array.isArray(container)) return new ListVisit(container)
  if (container instanceof Map) return new MapVisit(container)
  if (container instanceof Set) return new SetVisit(container)
  return new ObjectVisit(container as Record<string, unknown>)
}

function replaced(value: unknown, moved: ReadonlyMap<object, object>): unknown {
  return moved.size > 0 && typeof value === 'object' && value !== null ? (moved.get(value) ?? value) : value
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) return true
  if (value instanceof Date || value instanceof Uint8Array) return false
  if (isReadingOnly(value)) throw refusal(`it holds ${value.name}, which has no JavaScript form`, value.at)
  return true
}

function tooDeep(nestingMax: number): string {
  return `its value is nested deeper than ${nestingMax} levels`
}
