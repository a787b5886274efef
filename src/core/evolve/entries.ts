/** Where entries are kept. Before: `evolve.ts`. After: `key-map.ts`, `eviction/`, `deadlines.ts`. */

import { type Extension, extensionOf, NO_TAGS } from '../model/extension.js'
import type { Slot } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import { Births } from './births.js'
import { Deadlines } from './deadlines.js'
import { Lru } from './eviction/lru.js'
import { ANCHOR, FIRST_SLOT, MARK, type Order } from './eviction/order.js'
import type { Policy } from './eviction/policy.js'
import { KeyMap } from './key-map.js'
import { Tags } from './tags.js'
import { Windows } from './windows.js'

/** Called before the row of a slot changes, so that a snapshot that is being written can keep the old row. */
export type RowWatcher = (slot: Slot) => void

/** Returns a policy that continues an order. */
export type StartPolicy = (capacity: number, before: Order) => Policy

/** Since an order of use was written. */
export interface UseMark {
  /** Births until then. */
  readonly born: number
  /** The births of entries that were there then and have been removed. */
  readonly gone: number[]
}

/**
 * It doubles. Less than a power of two, at which V8's Map doubles: with a million entries each of the two takes tens of milliseconds,
 * so they must not come together. But hardly less, because many caches have round sizes.
 */
const INITIAL_CAPACITY = 1008

/**
 * The entries in columns: one array for keys, one for values, one for deadlines and so on, all indexed by slot. An object
 * per entry would cost twice as much at a million keys, because each is one more CPU cache miss.
 *
 * Only `evolve.ts`, `undo.ts` and `replacement.ts` call the methods that change it.
 */
export class Entries {
  readonly #slots = new KeyMap()
  /** Those of {@link #slots}: each object on the way to a key costs a read about a nanosecond. */
  #first = this.#slots.first
  #second = this.#slots.second
  readonly #keys: (string | undefined)[]
  readonly #values: (StoredValue | undefined)[]
  /** Encoded bytes by slot; only if there is a limit on bytes. */
  #weights: Float64Array | undefined
  /** The order of the entries, and which of them to evict. Until the cache is open, that of use ({@link evictBy}). */
  order: Policy
  readonly deadlines: Deadlines
  readonly births: Births
  readonly windows: Windows
  readonly tags = new Tags()
  /** Whether any entry can become stale or has tags. If not, no change looks at {@link windows} and {@link tags}. */
  isExtended = false
  /** Whether any entry ever could expire or become stale. Until then nobody need look at {@link deadlines} and {@link windows}. */
  hasBeenTimed = false
  /** Whether any value ever was an object. Until then nobody need look at a value, which may not be in the processor's cache. */
  hasHeldObjects = false
  /** Free slots, last in first out: undoing a removal gets the old slot back. */
  readonly #free: Slot[] = []
  #capacity = INITIAL_CAPACITY
  #nextSlot = FIRST_SLOT
  bytes = 0
  /** All watchers as one function; `undefined` if there are none. */
  #watcher: RowWatcher | undefined
  readonly #watchers = new Set<RowWatcher>()
  #mark: UseMark | undefined

  constructor(weighed: boolean) {
    // `undefined` first, so that V8 does not specialize the columns to small integers or doubles.
    this.#keys = [undefined, undefined]
    this.#values = [undefined, undefined]
    this.order = new Lru(INITIAL_CAPACITY)
    this.deadlines = new Deadlines(INITIAL_CAPACITY)
    this.births = new Births(INITIAL_CAPACITY)
    this.windows = new Windows(INITIAL_CAPACITY)
    this.#weights = weighed ? new Float64Array(INITIAL_CAPACITY) : undefined
  }

  get isWeighed(): boolean {
    return this.#weights !== undefined
  }

  /** From now on the policy that `start` returns keeps the order, beginning with the current one. */
  evictBy(start: StartPolicy): void {
    this.order = start(this.#capacity, this.order)
    this.order.begin(this.size)
  }

  /** Weighs all entries, or stops weighing them. */
  weighAll(weigh: ((key: string, value: StoredValue, tags?: readonly string[]) => number) | undefined): void {
    this.bytes = 0
    this.#weights = weigh === undefined ? undefined : new Float64Array(this.#capacity)
    if (weigh === undefined) return
    const cursor = this.order.cursor()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next())
      if (slot !== MARK) this.#weigh(slot, weigh(this.keyAt(slot), this.valueAt(slot), this.tags.of(slot)))
  }

  get size(): number {
    return this.#slots.size
  }

  find(key: string): Slot | undefined {
    const slot = this.#first.get(key)
    return slot === undefined && this.#second !== undefined ? this.#second.get(key) : slot
  }

  keyAt(slot: Slot): string {
    return this.#keys[slot] as string // a slot that is in use has a key
  }

  /** The key of any slot below {@link endOfSlots}; `undefined` if the slot is free. */
  keyIn(slot: Slot): string | undefined {
    return this.#keys[slot]
  }

  /** Every slot that was ever used is below this, from {@link FIRST_SLOT} on. */
  get endOfSlots(): number {
    return this.#nextSlot
  }

  valueAt(slot: Slot): StoredValue {
    return this.#values[slot] as StoredValue // and a value
  }

  weightAt(slot: Slot): number {
    return this.#weights === undefined ? 0 : (this.#weights[slot] as number)
  }

  /** Undefined for an entry that never becomes stale and has no tags. */
  extensionAt(slot: Slot): Extension | undefined {
    return this.isExtended ? extensionOf(this.windows.get(slot), this.tags.of(slot)) : undefined
  }

  /** `successor`, `standing`: its place in the order, if a removal is undone. Then it gets its old slot back, too. */
  add(
    key: string,
    value: StoredValue,
    deadlineMs: number,
    weight: number,
    extension?: Extension,
    successor?: number,
    standing = 0,
  ): Slot {
    const slot = this.#free.pop() ?? this.#newSlot()
    this.#slots.add(key, slot)
    this.#first = this.#slots.first
    this.#second = this.#slots.second
    this.births.add(slot)
    this.#keys[slot] = key
    this.#values[slot] = value
    if (typeof value === 'object') this.hasHeldObjects = true
    if (successor === undefined) this.order.add(slot, key)
    else this.order.putBack(slot, successor, standing)
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.hasBeenTimed = true
    if (this.hasBeenTimed) this.deadlines.set(slot, deadlineMs)
    if (extension !== undefined) this.#extend(slot, extension)
    if (this.#weights !== undefined) this.#weigh(slot, weight)
    return slot
  }

  replace(slot: Slot, value: StoredValue, deadlineMs: number, weight: number, extension?: Extension): void {
    this.#watcher?.(slot)
    this.#values[slot] = value
    if (typeof value === 'object') this.hasHeldObjects = true
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.hasBeenTimed = true
    if (this.hasBeenTimed) this.deadlines.set(slot, deadlineMs)
    if (extension !== undefined || this.isExtended) this.#extend(slot, extension)
    if (this.#weights !== undefined) this.#weigh(slot, weight)
  }

  reschedule(slot: Slot, deadlineMs: number, freshUntilMs: number): void {
    this.#watcher?.(slot)
    this.hasBeenTimed = true
    this.deadlines.set(slot, deadlineMs)
    this.windows.set(slot, freshUntilMs)
    this.#noteExtended()
  }

  #extend(slot: Slot, extension: Extension | undefined): void {
    this.hasBeenTimed = true
    this.windows.set(slot, extension?.freshUntilMs ?? Number.POSITIVE_INFINITY)
    this.tags.set(slot, extension?.tags ?? NO_TAGS)
    this.#noteExtended()
  }

  #noteExtended(): void {
    this.isExtended = this.windows.count > 0 || this.tags.count > 0
  }

  remove(slot: Slot): void {
    this.order.remove(slot)
    this.#drop(slot)
  }

  /** Removes an entry to make room. */
  evict(slot: Slot): void {
    this.order.evict(slot, this.keyAt(slot))
    this.#drop(slot)
  }

  #drop(slot: Slot): void {
    this.#watcher?.(slot)
    if (this.#mark !== undefined && this.births.get(slot) <= this.#mark.born)
      this.#mark.gone.push(this.births.get(slot))
    this.#slots.delete(this.keyAt(slot))
    this.#keys[slot] = undefined
    this.#values[slot] = undefined
    if (this.hasBeenTimed) this.deadlines.set(slot, Number.POSITIVE_INFINITY)
    if (this.isExtended) this.#extend(slot, undefined)
    if (this.#weights !== undefined) this.#weigh(slot, 0)
    this.#free.push(slot)
  }

  /** During recovery: an order of use was written here, of which `use-order.ts` restores the last one. */
  markUse(): void {
    if (this.#mark !== undefined) this.order.unlink(MARK)
    this.order.insertBefore(ANCHOR, MARK)
    this.#mark = { born: this.births.count, gone: [] }
  }

  /** What has happened since {@link markUse}. The mark stays in the order of use until its taker unlinks it. */
  takeMark(): UseMark | undefined {
    const mark = this.#mark
    this.#mark = undefined
    return mark
  }

  /** Calls `watcher` before each change of a row. Returns the function that stops it. */
  watch(watcher: RowWatcher): () => void {
    this.#watchers.add(watcher)
    this.#composeWatchers()
    return () => {
      this.#watchers.delete(watcher)
      this.#composeWatchers()
    }
  }

  #composeWatchers(): void {
    const [first, ...others] = this.#watchers
    this.#watcher =
      others.length === 0
        ? first
        : (slot) => {
            for (const watcher of this.#watchers) watcher(slot)
          }
  }

  #weigh(slot: Slot, weight: number): void {
    const weights = this.#weights as Float64Array // callers check
    this.bytes += weight - (weights[slot] as number)
    weights[slot] = weight
  }

  /** Ensures that the columns have room for one more entry. */
  reserve(): void {
    if (this.#free.length === 0 && this.#nextSlot >= this.#capacity) this.#grow()
  }

  #newSlot(): Slot {
    const slot = this.#nextSlot++ as Slot
    if (slot >= this.#capacity) this.#grow()
    this.order.prepareCopy(slot)
    return slot
  }

  #grow(): void {
    const capacity = this.#capacity * 2
    this.order.grow(capacity)
    this.deadlines.grow(capacity)
    this.births.grow(capacity)
    this.windows.grow(capacity)
    if (this.#weights !== undefined) {
      const weights = new Float64Array(capacity)
      weights.set(this.#weights)
      this.#weights = weights
    }
    this.#capacity = capacity // last, so that running out of memory above leaves it to be tried again
  }
}
