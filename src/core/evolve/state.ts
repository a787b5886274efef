import { CacheError } from '../../errors.js'
import { Counters } from '../model/counters.js'
import type { CacheEvent } from '../model/event.js'
import type { Limits } from '../model/limits.js'
import type { ReadableState, Slot, SlotCursor } from '../model/state.js'
import type { StoredValue } from '../model/stored-value.js'
import { Answers } from './answers.js'
import { Entries, type StartPolicy } from './entries.js'
import type { EvictionPolicy } from './eviction/policy.js'
import { S3Fifo } from './eviction/s3-fifo.js'
import { KEYS_MAX } from './key-map.js'
import { UndoLog } from './undo.js'

export interface StateOptions extends Limits {
  /** Entries that one `Map` can hold; lower only in tests. */
  entriesMax?: number | undefined
  /** Default `'lru'`. */
  eviction?: EvictionPolicy | undefined
  /** The size of an entry in encoded bytes. Called only for a `maxBytes` that is finite. */
  weigh: (key: string, value: StoredValue, tags?: readonly string[]) => number
}

/** Why a call must take the long way. */
export const GATE = {
  notOpen: 1,
  notWhole: 2,
  /** Changes may be undone, and a `set` is a step. */
  inTurn: 4,
  isInspected: 8,
  /** Only reads are possible. */
  readOnly: 16,
  /** Events must be made, for a listener. */
  isHeard: 32,
  /** Or for subscribers. */
  isObserved: 64,
  /** There is a limit on bytes. */
  isWeighed: 128,
  /** The reasons that concern a read. */
  ofReads: 15,
} as const

/** All state of a cache. Only the functions of this folder write it. */
export class State implements ReadableState {
  entries: Entries
  readonly counters = new Counters()
  readonly undo = new UndoLog()
  readonly answers = new Answers()
  /** What keeps a call from the short way: a sum of {@link GATE}. One field, so that most calls check nothing else. */
  gate: number = GATE.notOpen | GATE.readOnly
  readonly eviction: EvictionPolicy
  /** What keeps the order instead of LRU, which it is at first. */
  #policy: StartPolicy | undefined
  /** The count of what changes the order, when the journal last led to the present one. */
  #countOfOrder = 0
  /** Whether the journal says what the limits are. One of version 1 does not. */
  areLimitsJournaled = false
  maxSize: number
  maxBytes: number
  readonly entriesMax: number
  readonly #weigh: StateOptions['weigh']

  constructor(options: StateOptions) {
    this.maxSize = options.maxSize
    this.entriesMax = options.entriesMax ?? KEYS_MAX
    this.maxBytes = options.maxBytes
    this.eviction = options.eviction ?? 'lru'
    this.#weigh = options.weigh
    this.entries = this.emptyEntries()
    this.close(GATE.isWeighed, this.entries.isWeighed)
  }

  /** Whether the cache is open: recovered, and not closing. */
  get isOpen(): boolean {
    return (this.gate & GATE.notOpen) === 0
  }

  set isOpen(isOpen: boolean) {
    this.close(GATE.notOpen, !isOpen)
  }

  /**
   * False while a change is being made. If it is false at any other time, an error has cut a change short, and the state
   * cannot be trusted.
   */
  get isWhole(): boolean {
    return (this.gate & GATE.notWhole) === 0
  }

  set isWhole(isWhole: boolean) {
    this.close(GATE.notWhole, !isWhole)
  }

  /** Closes or opens the short way for one reason. */
  close(reason: number, isClosed: boolean): void {
    this.gate = isClosed ? this.gate | reason : this.gate & ~reason
  }

  /** Whether a read is only a lookup: nothing can have expired, and nothing is recorded to be undone. */
  get isReadPlain(): boolean {
    return (this.gate & GATE.ofReads) === 0 && !this.entries.hasBeenTimed
  }

  emptyEntries(): Entries {
    const entries = new Entries(this.maxBytes !== Number.POSITIVE_INFINITY)
    if (this.#policy !== undefined) entries.evictBy(this.#policy)
    return entries
  }

  /** Recovery, which needs no policy, has ended. From now on the policy keeps the order, beginning with that of the journal. */
  startEvicting(): void {
    this.#policy = POLICIES[this.eviction]
    if (this.#policy === undefined) return
    this.entries.evictBy(this.#policy)
    this.#countOfOrder = this.#orderChanges
  }

  evict(slot: Slot): void {
    this.entries.evict(slot)
    if (this.#policy !== undefined) this.reordered()
  }

  /** Makes these the limits. Whether entries are weighed depends on them. */
  limit({ maxSize, maxBytes }: Limits): void {
    this.maxSize = maxSize
    this.maxBytes = maxBytes
    this.replaceEntries(this.entries)
  }

  /** Makes these the entries. They are weighed if there is a limit on bytes. */
  replaceEntries(entries: Entries): void {
    const isWeighed = this.maxBytes !== Number.POSITIVE_INFINITY
    if (entries.isWeighed !== isWeighed) entries.weighAll(isWeighed ? this.#weigh : undefined)
    this.entries = entries
    this.close(GATE.isWeighed, isWeighed)
  }

  /** Replaces the counters by those that came with an order of use. */
  recount(counters: Readonly<Counters>): void {
    this.counters.copyFrom(counters)
    this.#countOfOrder = this.#orderChanges
  }

  /** The order has changed without a hit. */
  reordered(): void {
    this.#countOfOrder = Number.NaN // equals no count
  }

  /** Whether replaying the journal would lead to the present order. */
  get isOrderJournaled(): boolean {
    return this.#orderChanges === this.#countOfOrder
  }

  /**
   * Replaying the journal moves an entry to the end when it is set. With LRU only reads lead to another order. With S3-FIFO a read
   * moves nothing, but a `set` leads to another order.
   */
  get #orderChanges(): number {
    return this.#policy === undefined ? this.counters.hits : this.counters.sets
  }

  /** `decide` prevents this. But a journal may have been written by another program, or on a V8 whose Map can hold more. */
  refuseBeyondMap({ size }: Entries): void {
    if (size < this.entriesMax) return
    throw new CacheError(
      'JOURNAL_UNREADABLE',
      `The journal holds more than ${this.entriesMax} entries, the most that a cache can hold`,
      { advice: 'Open it with the Node.js that wrote it, or shorten it.' },
    )
  }

  get limits(): Limits {
    const { maxSize, maxBytes } = this
    return { maxSize, maxBytes }
  }

  /** The limits, if the journal says what they are. */
  get journaledLimits(): Limits | undefined {
    return this.areLimitsJournaled ? this.limits : undefined
  }

  get size(): number {
    return this.entries.size
  }

  get bytes(): number {
    return this.entries.bytes
  }

  weigh(key: string, value: StoredValue, tags?: readonly string[]): number {
    return this.maxBytes === Number.POSITIVE_INFINITY ? 0 : this.#weigh(key, value, tags)
  }

  measure(key: string, value: StoredValue, tags?: readonly string[]): number {
    return this.#weigh(key, value, tags)
  }

  weightAt(slot: Slot): number {
    return this.entries.weightAt(slot)
  }

  find(key: string): Slot | undefined {
    return this.entries.find(key)
  }

  keyAt(slot: Slot): string {
    return this.entries.keyAt(slot)
  }

  valueAt(slot: Slot): StoredValue {
    return this.entries.valueAt(slot)
  }

  deadlineAt(slot: Slot): number {
    return this.entries.deadlines.get(slot)
  }

  freshUntilAt(slot: Slot): number {
    return this.entries.windows.get(slot)
  }

  /** When the entry is no longer fresh: it becomes stale or expires then. Epoch milliseconds; `Infinity` for never. */
  liveUntilAt(slot: Slot): number {
    const { windows, deadlines } = this.entries
    return windows.count === 0 ? deadlines.get(slot) : Math.min(windows.get(slot), deadlines.get(slot))
  }

  tagsAt(slot: Slot): readonly string[] {
    return this.entries.tags.of(slot)
  }

  isExtendedAt(slot: Slot): boolean {
    return this.entries.extensionAt(slot) !== undefined
  }

  slotsTagged(tag: string): Slot[] {
    return this.entries.tags.slotsOf(tag)
  }

  get tagCount(): number {
    return this.entries.tags.size
  }

  get expiryBoundMs(): number {
    return this.entries.deadlines.boundMs
  }

  expired(nowMs: number, looksMax?: number): SlotCursor {
    return this.entries.deadlines.expired(nowMs, looksMax)
  }

  inOrder(): SlotCursor {
    return this.entries.order.cursor()
  }

  byEviction(): SlotCursor {
    return this.entries.order.victims()
  }

  /** All keys, in order: by use, least recently used first. */
  *keysInOrder(): Generator<string> {
    const cursor = this.entries.order.cursor()
    for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) yield this.keyAt(slot)
  }

  /** Ensures that an entry with this deadline can be stored without growing the columns. `becomesStale`: before it expires. */
  reserve(addsEntry: boolean, deadlineMs: number, becomesStale = false): void {
    if (addsEntry) this.entries.reserve()
    if (deadlineMs !== Number.POSITIVE_INFINITY) this.entries.deadlines.reserve()
    if (becomesStale) this.entries.windows.reserve()
  }

  /** The same for an event. `hasRemoved`: whether an event before it removes an entry, and so leaves room for one. */
  reserveFor(event: CacheEvent, hasRemoved: boolean): void {
    if (event.type !== 'set' && event.type !== 'rescheduled') return
    const adds = event.type === 'set' && !hasRemoved && this.find(event.key) === undefined
    const becomesStale = event.type === 'set' ? event.extension !== undefined : event.freshUntilMs !== undefined
    this.reserve(adds, event.expiresAtMs, becomesStale)
  }
}

const POLICIES: Record<EvictionPolicy, StartPolicy | undefined> = {
  lru: undefined,
  's3-fifo': (capacity, before) => new S3Fifo(capacity, before),
}
