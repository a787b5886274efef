/**
 * Fills lists, dicts and sets while a pickle is read.
 *
 * A dict is an object until its first key that is not a str; then it becomes a Map. By then the memo, and in a cycle other
 * containers, may refer to the object: `moved` maps it to the Map, and `settle` replaces the remaining references.
 */
import { ALIKE_KEYS_MAX, type Allowance, cost, ITEMS_MAX, KEYS_MAX, PROPERTIES_MAX } from './limits.js'
import { refusal } from './refusal.js'

export type Dict = Record<string, unknown> | Map<unknown, unknown>

/** Receives the items of a dict as they come, instead of the dict. */
type Receiver = (key: unknown, value: unknown) => void

/** With more keys, V8 stores an object as a hash table. */
const FEW_KEYS = 12

/** Python's picklers write at most this many keys at once. A dict's keys are counted from its second batch on. */
const BATCH_KEYS = 1_000

export class Containers {
  /** Dicts that were an object and are now a Map. */
  readonly moved = new Map<object, Map<unknown, unknown>>()
  /** Containers that may have several references: fetched from the memo, or duplicated. */
  readonly shared = new Set<object>()
  /** The heights of the shared containers that `settle` has visited. They must not change any more. */
  readonly heights = new Map<object, number>()
  /** The dict whose items go to `#receive`. It stays empty. */
  handedOver: Map<unknown, unknown> | undefined
  #receive: Receiver | undefined
  readonly #allowance: Allowance
  /** For each dict and set, how many bigint keys have the same lowest 64 bits. */
  readonly #alike = new Map<object, Map<bigint, number>>()
  /** Keys set so far in dicts with more than one batch, because an object's size is expensive to determine. */
  readonly #keysSet = new Map<object, number>()

  constructor(allowance: Allowance) {
    this.#allowance = allowance
  }

  /** Appends `from[start]` up to `from[end]`. */
  append(list: unknown, from: readonly unknown[], start: number, end: number, at: number): void {
    if (!Array.isArray(list)) throw refusal('items for something that is not a list', at)
    this.#refuseSettled(list, at)
    const count = end - start
    this.#allowance.take(list.length === 0 ? Math.max(cost.firstItems, cost.item * count) : cost.item * count, at)
    if (list.length + count > ITEMS_MAX) throw refusal(`a list of more than ${ITEMS_MAX} items`, at)
    for (let i = start; i < end; i++) list.push(from[i])
  }

  /**
   * Sets the pairs from `from[start]` up to `from[end]`, which alternate keys and values. Returns `dict`, or the Map that it
   * has become.
   */
  setPairs(dict: unknown, from: readonly unknown[], start: number, end: number, at: number): Dict {
    if (!isDict(dict)) throw refusal('keys for something that is not a dict', at)
    if ((end - start) % 2 !== 0) throw refusal('a key without a value', at)
    const now = this.moved.get(dict) ?? dict
    if (now === this.handedOver) return this.#handItems(now, from, start, end)
    this.#refuseSettled(now, at)
    if (now instanceof Map) return this.#fillMap(now, from, start, end, at)
    if (areTexts(from, start, end)) return this.#fillObject(now, from, start, end, at)
    return this.#fillMap(this.#toMap(now, at), from, start, end, at)
  }

  addAll(set: unknown, from: readonly unknown[], start: number, end: number, at: number): void {
    if (!(set instanceof Set)) throw refusal('items for something that is not a set', at)
    this.#refuseSettled(set, at)
    this.#allowance.take(cost.member * (end - start), at)
    for (let i = start; i < end; i++) {
      this.#checkKey(set, from[i], at)
      set.add(from[i])
    }
  }

  /** Notes that `value` may have several references. */
  share(value: unknown, at: number): void {
    if (typeof value !== 'object' || value === null) return
    const now = this.moved.get(value) ?? value
    if (this.shared.has(now)) return
    this.#allowance.take(cost.member, at)
    this.shared.add(now)
  }

  /** `value`, or the Map that it has become. */
  fetch(value: unknown): unknown {
    return typeof value === 'object' && value !== null ? (this.moved.get(value) ?? value) : value
  }

  /** Passes the items of `dict` to `receive` from now on. Works for one dict; a second one is filled as usual. */
  handOver(dict: Map<unknown, unknown>, receive: Receiver): void {
    if (this.handedOver !== undefined) return
    this.handedOver = dict
    this.#receive = receive
  }

  #handItems(dict: Dict, from: readonly unknown[], start: number, end: number): Dict {
    for (let i = start; i < end; i += 2) this.#receive?.(from[i], from[i + 1])
    this.#allowance.release()
    return dict
  }

  /** Only shared containers can be reached again. Python never adds to a container that is complete. */
  #refuseSettled(container: object, at: number): void {
    if (this.heights.size > 0 && this.heights.has(container))
      throw refusal('an entry of the cache changes after it was complete', at)
  }

  #fillMap(map: Map<unknown, unknown>, from: readonly unknown[], start: number, end: number, at: number): Dict {
    this.#allowance.take((cost.pair * (end - start)) / 2, at)
    for (let i = start; i < end; i += 2) {
      this.#checkKey(map, from[i], at)
      map.set(from[i], from[i + 1])
    }
    return map
  }

  #fillObject(object: Record<string, unknown>, from: readonly unknown[], start: number, end: number, at: number): Dict {
    this.#checkSize(object, (end - start) / 2, at)
    for (let i = start; i < end; i += 2) {
      const key = from[i] as string
      const value = from[i + 1]
      if (key === '__proto__') {
        Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
      } else object[key] = value
    }
    return object
  }

  #toMap(dict: Record<string, unknown>, at: number): Map<unknown, unknown> {
    const keys = Object.keys(dict)
    this.#allowance.take(cost.map + cost.pair * (1 + keys.length), at) // and its place in `moved`
    const map = new Map<unknown, unknown>()
    for (const key of keys) map.set(key, dict[key])
    this.moved.set(dict, map)
    if (this.shared.has(dict)) this.shared.add(map)
    return map
  }

  /** Charges the keys, and counts them from a dict's second batch on. */
  #checkSize(object: Record<string, unknown>, keys: number, at: number): void {
    const isFirst = isEmpty(object)
    this.#allowance.take((isFirst && keys <= FEW_KEYS ? cost.smallProperty : cost.property) * keys, at)
    if (isFirst && keys <= BATCH_KEYS) return
    const before = this.#keysSet.get(object)
    if (before === undefined) this.#allowance.take(cost.pair, at)
    const after = (before ?? BATCH_KEYS) + keys
    if (after > PROPERTIES_MAX) throw refusal(`a dict of more than ${PROPERTIES_MAX} str keys`, at)
    this.#keysSet.set(object, after)
  }

  #checkKey(container: Map<unknown, unknown> | Set<unknown>, key: unknown, at: number): void {
    if (container.size >= KEYS_MAX) throw refusal(`a dict or set of more than ${KEYS_MAX} keys`, at)
    if (typeof key === 'number' && Number.isNaN(key) && container.has(key)) {
      throw refusal('a second nan among the keys of a dict or set: to JavaScript it equals the first', at)
    }
    if (typeof key === 'bigint') this.#checkAlike(container, key, at)
    if (isDict(key)) throw refusal('a dict as a key, which Python cannot hash', at)
  }

  /** V8 hashes only the lowest 64 bits of a bigint: filling a dict with 30,000 keys that share them takes seconds. */
  #checkAlike(container: object, key: bigint, at: number): void {
    let counts = this.#alike.get(container)
    if (!counts) this.#alike.set(container, (counts = new Map()))
    const lowest = BigInt.asUintN(64, key < 0n ? -key : key)
    const count = (counts.get(lowest) ?? 0) + 1
    if (count > ALIKE_KEYS_MAX) {
      throw refusal(`more than ${ALIKE_KEYS_MAX} keys of a dict or set that differ only above their lowest 64 bits`, at)
    }
    this.#allowance.take(cost.pair + cost.integer, at)
    counts.set(lowest, count)
  }
}

export function isDict(value: unknown): value is Dict {
  if (value instanceof Map) return true
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

function areTexts(from: readonly unknown[], start: number, end: number): boolean {
  for (let i = start; i < end; i += 2) if (typeof from[i] !== 'string') return false
  return true
}

export function isEmpty(dict: Dict): boolean {
  if (dict instanceof Map) return dict.size === 0
  for (const _ in dict) return false
  return true
}
