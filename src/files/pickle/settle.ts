/**
 * The last check of a value that was read. On the reader's path before it: `actions`; after it: `cache-document`.
 *
 * One walk, depth first and without recursion, in time and memory linear in the value:
 * - objects that became a Map (see `containers`) are replaced wherever they still occur;
 * - nesting is limited: any walk in this order, such as a structured clone, gets no deeper, whether or not it keeps track of
 *   what it has visited;
 * - classes, timezones and timedeltas, which only exist while reading, are refused.
 *
 * Only what is fetched from the memo can be visited twice, so only that is tracked: a large cache of small, separate values
 * takes no memory here.
 */
import { isReadingOnly } from './allow-list.js'
import type { Containers } from './containers.js'
import { refusal } from './refusal.js'
import { Slice } from './slices.js'

export interface Bounds {
  /** Levels of containers that the value may have. */
  readonly nestingMax: number
  /** Characters of text that it may contain, counted once for each reference, because a copy of the value has that many. */
  readonly textMax: number
  /** A container that it must not contain. */
  readonly without?: object | undefined
}

/** Settles several values one after the other. What they share is visited once. */
export class Settling {
  readonly #moved: ReadonlyMap<object, object>
  readonly #shared: ReadonlySet<object>
  /** The height of each shared container that was visited; 0 while the walk is inside it, so that reaching it closes a cycle. */
  readonly #heights: Map<object, number>

  constructor(containers: Pick<Containers, 'moved' | 'shared' | 'heights'>) {
    this.#moved = containers.moved
    this.#shared = containers.shared
    this.#heights = containers.heights
  }

  /** Returns the settled value. `at`: the byte offset for errors, also yielded between slices. */
  *settle(unsettled: unknown, bounds: Bounds, at: number): Generator<number, unknown, void> {
    const { nestingMax } = bounds
    const items = new Items(this.#moved, bounds, at)
    const value = items.now(unsettled)
    if (!items.isContainer(value)) return value
    const shared = this.#shared
    const heights = this.#heights
    /** From the value to the walk's position. */
    const path: Visit[] = []

    /** Begins a visit and returns 0, or returns the height of a container that needs no visit. */
    const enter = (container: object): number => {
      const isShared = shared.has(container)
      const known = isShared ? heights.get(container) : undefined
      if (known !== undefined) return known
      if (path.length >= nestingMax) throw refusal(tooDeep(nestingMax), at)
      const visit = visitOf(container, items)
      visit.advance(items)
      if (isShared) heights.set(container, visit.child === undefined ? 1 : 0)
      if (visit.child === undefined) return 1
      path.push(visit)
      return 0
    }

    enter(value)
    const slice = path.length === 0 ? undefined : new Slice()
    for (let visit = path.at(-1); visit; visit = path.at(-1)) {
      if (slice?.isOver()) {
        yield at
        slice.begin()
      }
      if (visit.child !== undefined) {
        const { child } = visit
        visit.advance(items)
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
}

/** Checks each item of the walk. */
class Items {
  readonly #moved: ReadonlyMap<object, object>
  readonly #bounds: Bounds
  readonly #at: number
  #text = 0

  constructor(moved: ReadonlyMap<object, object>, bounds: Bounds, at: number) {
    this.#moved = moved
    this.#bounds = bounds
    this.#at = at
  }

  /** The value, or the Map that it has become. */
  now(value: unknown): unknown {
    return this.#moved.size > 0 && typeof value === 'object' && value !== null
      ? (this.#moved.get(value) ?? value)
      : value
  }

  isContainer(value: unknown): value is object {
    if (typeof value === 'string') this.count(value.length)
    else if (typeof value === 'bigint') this.count(isLong(value) ? value.toString(16).length : 0)
    if (typeof value !== 'object' || value === null) return false
    if (value === this.#bounds.without)
      throw refusal('an entry of the cache contains the dict of all entries', this.#at)
    if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) return true
    if (value instanceof Date || value instanceof Uint8Array) return false
    if (isReadingOnly(value)) throw refusal(`it contains ${value.name}, which has no JavaScript form`, value.at)
    return true
  }

  count(text: number): void {
    this.#text += text
    if (this.#text > this.#bounds.textMax)
      throw refusal(`a value of more than ${this.#bounds.textMax} characters of text`, this.#at)
  }
}

const LONG = 2n ** 8_192n
function isLong(value: bigint): boolean {
  return value > LONG || value < -LONG
}

/** Iterates over the containers directly inside a container, and replaces those that have become a Map. */
abstract class Visit {
  abstract readonly container: object
  /** Levels of this container and those inside it, as far as known. */
  height = 1
  /** The next container inside this one; undefined after the last. */
  child: object | undefined
  /** Finds the next {@link child}. */
  abstract advance(items: Items): void
}

class ListVisit extends Visit {
  #index = 0
  readonly container: unknown[]
  constructor(container: unknown[]) {
    super()
    this.container = container
  }

  advance(items: Items): void {
    const list = this.container
    while (this.#index < list.length) {
      const index = this.#index++
      const item = items.now(list[index])
      if (item !== list[index]) list[index] = item
      if (items.isContainer(item)) {
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
  constructor(container: Record<string, unknown>, items: Items) {
    super()
    this.container = container
    this.#keys = Object.keys(container)
    for (const key of this.#keys) items.count(key.length)
  }

  advance(items: Items): void {
    while (this.#index < this.#keys.length) {
      const key = this.#keys[this.#index++]!
      const held = this.container[key]
      const value = items.now(held)
      if (value !== held) Object.defineProperty(this.container, key, { value })
      if (items.isContainer(value)) {
        this.child = value
        return
      }
    }
    this.child = undefined
  }
}

/** A Map's keys may be containers, too: tuples and frozensets, which contain no dicts. */
class MapVisit extends Visit {
  readonly container: Map<unknown, unknown>
  readonly #pairs: Iterator<[unknown, unknown]>
  #valueAfterKey: object | undefined
  constructor(container: Map<unknown, unknown>) {
    super()
    this.container = container
    this.#pairs = container.entries()
  }

  advance(items: Items): void {
    this.child = this.#valueAfterKey
    this.#valueAfterKey = undefined
    while (this.child === undefined) {
      const pair = this.#pairs.next()
      if (pair.done) return
      const [key, held] = pair.value
      const value = items.now(held)
      if (value !== held) this.container.set(key, value)
      if (items.isContainer(value)) this.child = value
      if (items.isContainer(key)) {
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

  advance(items: Items): void {
    this.child = undefined
    for (let item = this.#items.next(); !item.done; item = this.#items.next()) {
      if (items.isContainer(item.value)) {
        this.child = item.value
        return
      }
    }
  }
}

function visitOf(container: object, items: Items): Visit {
  if (Array.isArray(container)) return new ListVisit(container)
  if (container instanceof Map) return new MapVisit(container)
  if (container instanceof Set) return new SetVisit(container)
  return new ObjectVisit(container as Record<string, unknown>, items)
}

function tooDeep(nestingMax: number): string {
  return `its value is nested deeper than ${nestingMax} levels`
}
