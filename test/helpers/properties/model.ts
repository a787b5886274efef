import { encodedBytes } from '../../../src/durable/format/encode-event.js'
import { storeValue } from '../../../src/values/encode.js'
import type { Counts } from './commands.js'

export interface Limits {
  maxSize: number
  maxBytes: number
}

/** As options give them: what is undefined stays as it was. */
export interface GivenLimits {
  maxSize: number | undefined
  maxBytes: number | undefined
}

const NEW: Limits = { maxSize: 1000, maxBytes: Number.POSITIVE_INFINITY }

const merged = ({ maxSize, maxBytes }: GivenLimits, limits: Limits): Limits => ({
  maxSize: maxSize ?? limits.maxSize,
  maxBytes: maxBytes ?? limits.maxBytes,
})

interface Entry {
  value: unknown
  /** Epoch milliseconds; Infinity for none. */
  deadlineMs: number
  /** From then until its deadline it is stale; Infinity if it never is. */
  freshUntilMs: number
  tags: readonly string[]
}

/** How a `set` stores. */
export interface Storing {
  /** When the ttl ends. */
  endsMs: number
  keeps?: boolean
  staleMs?: number | undefined
  tags?: readonly string[] | undefined
}

interface Remembered {
  entries: Map<string, Entry>
  journaledOrder: string[]
  counts: Counts
  sequence: number
  limits: Limits
}

/**
 * The cache as one would write it without regard to speed: a Map in order of use. It also knows what a crash leaves: the order
 * of the last snapshot or seal and of the writes since, and the counters of the last frame.
 */
export class Model {
  nowMs: number
  limits: Limits
  /** Before the first frame a journal knows nothing. */
  #hasFrame = false
  /** Least recently used first. */
  entries = new Map<string, Entry>()
  counts: Counts = { hits: 0, misses: 0, evictions: 0, expirations: 0, sets: 0, deletes: 0 }
  sequence = 0
  /** The order of use that a crash would leave. */
  journaledOrder: string[] = []
  /** The counters that a crash would leave. */
  countsInFrame: Counts = { ...this.counts }

  constructor(nowMs: number, limits: GivenLimits) {
    this.nowMs = nowMs
    this.limits = merged(limits, NEW)
  }

  // ── events ──

  #remove(key: string, count: 'deletes' | 'expirations' | 'evictions'): void {
    this.entries.delete(key)
    this.journaledOrder = this.journaledOrder.filter((other) => other !== key)
    this.counts[count]++
    this.sequence++
  }

  #store(key: string, entry: Entry): void {
    this.entries.delete(key)
    this.entries.set(key, entry)
    this.journaledOrder = [...this.journaledOrder.filter((other) => other !== key), key]
    this.counts.sets++
    this.sequence++
  }

  // ── expiry and room ──

  /** The expired entry with the earliest deadline. */
  get #firstExpired(): string | undefined {
    let first: string | undefined
    let firstMs = Number.POSITIVE_INFINITY
    for (const [key, { deadlineMs }] of this.entries) {
      if (deadlineMs <= this.nowMs && deadlineMs < firstMs) {
        first = key
        firstMs = deadlineMs
      }
    }
    return first
  }

  cleanup(): number {
    let removed = 0
    for (let key = this.#firstExpired; key !== undefined; key = this.#firstExpired) {
      this.#remove(key, 'expirations')
      removed++
    }
    return removed
  }

  /** The entry of a key, which is removed if it has expired. */
  meet(key: string): Entry | undefined {
    const entry = this.entries.get(key)
    if (entry === undefined || entry.deadlineMs > this.nowMs) return entry
    this.#remove(key, 'expirations')
    return undefined
  }

  /** The same, unless it is stale. */
  live(key: string): Entry | undefined {
    const entry = this.meet(key)
    return entry !== undefined && entry.freshUntilMs > this.nowMs ? entry : undefined
  }

  /** Removes one entry to make room, but not the one that is being replaced. */
  #removeOne(spared?: string): 'expired' | 'evicted' {
    const expired = this.#firstExpired
    if (expired !== undefined) {
      this.#remove(expired, 'expirations')
      return 'expired'
    }
    const oldest = [...this.entries.keys()].find((key) => key !== spared)
    this.#remove(oldest as string, 'evictions')
    return 'evicted'
  }

  #bytes(entries: Iterable<[string, Entry]>): number {
    return [...entries].reduce((sum, [key, entry]) => sum + weigh(key, entry), 0)
  }

  #write(key: string, entry: Entry): void {
    const { maxSize, maxBytes } = this.limits
    const weight = weigh(key, entry)
    if (weight > maxBytes) throw new RangeError()
    const others = () => [...this.entries].filter(([other]) => other !== key)
    while ((!this.entries.has(key) && this.entries.size >= maxSize) || this.#bytes(others()) + weight > maxBytes) {
      this.#removeOne(key)
    }
    this.#store(key, entry)
  }

  // ── commands ──

  get(key: string): unknown {
    return this.#use(key, this.live(key))
  }

  getStale(key: string): unknown {
    return this.#use(key, this.meet(key))
  }

  #use(key: string, entry: Entry | undefined): unknown {
    this.counts[entry === undefined ? 'misses' : 'hits']++
    if (entry === undefined) return undefined
    this.entries.delete(key)
    this.entries.set(key, entry)
    return entry.value
  }

  /** A use. */
  touch(key: string): boolean {
    const entry = this.live(key)
    if (entry === undefined) return false
    this.entries.delete(key)
    this.entries.set(key, entry)
    return true
  }

  take(key: string): unknown {
    const isThere = this.live(key) !== undefined
    const value = this.get(key)
    if (isThere) this.delete(key)
    return value
  }

  peek(key: string): unknown {
    return this.live(key)?.value
  }

  has(key: string): boolean {
    return this.live(key) !== undefined
  }

  ttl(key: string): number | undefined {
    const entry = this.live(key)
    return entry === undefined ? undefined : (Math.min(entry.freshUntilMs, entry.deadlineMs) - this.nowMs) / 1_000
  }

  set(key: string, value: unknown, how: Storing, only: 'absent' | 'present' | undefined): boolean {
    const entry = this.live(key)
    if (only === (entry === undefined ? 'present' : 'absent')) return false
    const { keeps = false, staleMs, tags = [] } = how
    const kept = keeps ? entry : undefined
    if (staleMs === undefined) {
      const { deadlineMs, freshUntilMs } = kept ?? { deadlineMs: how.endsMs, freshUntilMs: NEVER }
      this.#write(key, { value, deadlineMs, freshUntilMs, tags })
    } else {
      const endsMs = kept === undefined ? how.endsMs : Math.min(kept.deadlineMs, kept.freshUntilMs)
      if (endsMs === NEVER) throw new RangeError()
      this.#write(key, { value, deadlineMs: endsMs + staleMs, freshUntilMs: staleMs === 0 ? NEVER : endsMs, tags })
    }
    return true
  }

  /** A `set` whose `expiresAt` is over. */
  setOver(key: string, only: 'absent' | 'present' | undefined): boolean {
    const isLive = this.live(key) !== undefined
    const isStale = !isLive && (this.entries.get(key)?.deadlineMs ?? 0) > this.nowMs
    if (only === undefined || (only === 'absent' ? isStale : isLive)) this.delete(key)
    return false
  }

  increment(key: string, by: number, deadlineMs: number): number | 'ValueError' {
    // A refusal changes nothing, so nothing expires: but only a live entry can be refused.
    const entry = this.live(key)
    if (entry !== undefined && typeof entry.value !== 'number') return 'ValueError'
    const sum = entry === undefined ? by : (entry.value as number) + by
    this.#write(key, { deadlineMs, freshUntilMs: NEVER, tags: [], ...entry, value: sum })
    return sum
  }

  delete(key: string): boolean {
    if (this.meet(key) === undefined) return false
    this.#remove(key, 'deletes')
    return true
  }

  reschedule(key: string, endsMs: number): boolean {
    const entry = this.live(key)
    if (entry === undefined) return false
    const hasWindow = entry.freshUntilMs !== NEVER && endsMs !== NEVER
    entry.deadlineMs = hasWindow ? endsMs + entry.deadlineMs - entry.freshUntilMs : endsMs
    entry.freshUntilMs = hasWindow ? endsMs : NEVER
    this.sequence++
    return true
  }

  persist(key: string): boolean {
    const entry = this.live(key)
    if (entry === undefined || Math.min(entry.deadlineMs, entry.freshUntilMs) === NEVER) return false
    return this.reschedule(key, NEVER)
  }

  deleteTag(tags: readonly string[]): number {
    return this.#tagged(tags).filter((key) => this.delete(key)).length
  }

  expireTag(tags: readonly string[]): number {
    return this.#tagged(tags).filter((key) => {
      const entry = this.meet(key)
      if (entry === undefined) return false
      if (entry.freshUntilMs === NEVER) return this.delete(key)
      if (entry.freshUntilMs <= this.nowMs) return false
      entry.freshUntilMs = this.nowMs
      this.sequence++
      return true
    }).length
  }

  #tagged(tags: readonly string[]): string[] {
    return [...this.entries.keys()].filter((key) => this.entries.get(key)?.tags.some((tag) => tags.includes(tag)))
  }

  keys(matches: (key: string) => boolean): string[] {
    return this.stored(matches).filter((key) => this.live(key) !== undefined)
  }

  /** The same, with those of stale entries. */
  stored(matches: (key: string) => boolean): string[] {
    this.cleanup()
    return [...this.entries.keys()].filter(matches)
  }

  clear(): void {
    this.entries.clear()
    this.journaledOrder = []
    for (const name of Object.keys(this.counts) as (keyof Counts)[]) this.counts[name] = 0
    this.sequence++
  }

  // ── transactions ──

  /** All or nothing; then it returns the name of the error. */
  attempt<T>(task: () => T): T | string {
    const remembered = this.remember()
    try {
      return task()
    } catch (error) {
      this.restore(remembered)
      return (error as Error).name
    }
  }

  remember(): Remembered {
    const { journaledOrder, sequence, limits } = this
    const entries = new Map([...this.entries].map(([key, entry]) => [key, { ...entry }]))
    return { entries, journaledOrder, counts: { ...this.counts }, sequence, limits }
  }

  restore({ entries, journaledOrder, counts, sequence, limits }: Remembered): void {
    Object.assign(this, { entries, journaledOrder, counts, sequence, limits })
  }

  // ── save and load ──

  #saved: { entries: Map<string, Entry>; counts: Counts } | undefined

  save(): void {
    const alive = [...this.entries].filter(([, { deadlineMs }]) => deadlineMs > this.nowMs)
    this.#saved = { entries: new Map(alive.map(([key, entry]) => [key, { ...entry }])), counts: { ...this.counts } }
  }

  /** Whether there was something to load. */
  load(): boolean {
    if (this.#saved === undefined) return false
    const alive = [...this.#saved.entries].filter(([, { deadlineMs }]) => deadlineMs > this.nowMs)
    while (alive.length > this.limits.maxSize || this.#bytes(alive) > this.limits.maxBytes) alive.shift()
    this.entries = new Map(alive.map(([key, entry]) => [key, { ...entry }]))
    this.journaledOrder = [...this.entries.keys()]
    this.counts = { ...this.#saved.counts }
    this.sequence++
    return true
  }

  // ── the journal ──

  /** A frame was written: it carries the counters. */
  framed(): void {
    this.countsInFrame = { ...this.counts }
    this.#hasFrame = true
  }

  /** The order of use was written too: by a clean close, or by a snapshot. */
  sealed(): void {
    this.framed()
    this.journaledOrder = [...this.entries.keys()]
  }

  crash(): void {
    this.counts = { ...this.countsInFrame }
    if (!this.#hasFrame) this.limits = NEW
    this.entries = new Map(this.journaledOrder.map((key) => [key, this.entries.get(key) as Entry]))
  }

  /** New limits are an event, unless the journal is new. Opening removes what exceeds limits that are given. */
  open(given: GivenLimits): { expired: number; evicted: number } {
    return this.#limit(given, this.#hasFrame)
  }

  /** How many entries are removed. */
  resize(given: GivenLimits): number {
    const { expired, evicted } = this.#limit(given, true)
    return expired + evicted
  }

  #limit(given: GivenLimits, isEvent: boolean): { expired: number; evicted: number } {
    const limits = merged(given, this.limits)
    const isChange = limits.maxSize !== this.limits.maxSize || limits.maxBytes !== this.limits.maxBytes
    if (isChange && isEvent) this.sequence++
    this.limits = limits
    const removed = { expired: 0, evicted: 0 }
    while (this.entries.size > limits.maxSize || this.#bytes(this.entries) > limits.maxBytes)
      removed[this.#removeOne()]++
    return removed
  }
}

function weigh(key: string, { value, tags }: Entry): number {
  return encodedBytes(key, storeValue(value, 'copy'), tags)
}

const NEVER = Number.POSITIVE_INFINITY
