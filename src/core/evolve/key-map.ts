import type { Slot } from '../model/state.js'

/**
 * Places in the table of V8's Map (`OrderedHashMap`). A removed key keeps its place until V8 rebuilds the table, which it does
 * when the table is full: at the same size if at least half of the places are removed keys, otherwise at twice the size; if
 * that is too large, it throws. So with one Map, a cache of 10 million entries would fail after 7 million evictions.
 */
const PLACES = 2 ** 24

/**
 * From keys to slots: a Map, and a second one once the first is full of removed keys. With up to `places - 1` keys one of the
 * two always has a free place, or can be rebuilt because at least half of its keys were removed.
 */
export class KeyMap {
  readonly #places: number
  /** The Maps, each of which may have a key. Adding a key may replace them. */
  first = new Map<string, Slot>()
  second: Map<string, Slot> | undefined
  /** Keys removed since the Map was built: an upper bound of those that still have a place in it. */
  #removedFromFirst = 0
  #removedFromSecond = 0

  /** @param places Fewer in tests. */
  constructor(places = PLACES) {
    this.#places = places
  }

  get size(): number {
    return this.second === undefined ? this.first.size : this.first.size + this.second.size
  }

  /** The key must be new. */
  add(key: string, slot: Slot): void {
    if (this.first.size + this.#removedFromFirst < this.#places) this.first.set(key, slot)
    else this.#addToFull(key, slot)
  }

  #addToFull(key: string, slot: Slot): void {
    const half = this.#places / 2
    if (this.#removedFromFirst >= half) {
      this.first = addToFullMap(this.first, key, slot)
      this.#removedFromFirst = 0
    } else if (this.second === undefined) {
      this.second = new Map([[key, slot]])
    } else if (this.second.size + this.#removedFromSecond < this.#places || this.#removedFromSecond < half) {
      this.second.set(key, slot)
    } else {
      this.second = addToFullMap(this.second, key, slot)
      this.#removedFromSecond = 0
    }
  }

  delete(key: string): void {
    if (this.first.delete(key)) this.#removedFromFirst++
    else if (this.second?.delete(key) === true) this.#removedFromSecond++
  }
}

/** V8 rebuilds the table itself, unless fewer keys have a place than were counted. */
function addToFullMap(map: Map<string, Slot>, key: string, slot: Slot): Map<string, Slot> {
  try {
    return map.set(key, slot)
  } catch {
    return new Map(map).set(key, slot)
  }
}

/** How many keys a {@link KeyMap} can hold. */
export const KEYS_MAX = PLACES - 1
