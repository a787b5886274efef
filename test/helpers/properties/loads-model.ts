/**
 * A naive model of `getOrSet` and `getOrSetMany`: entries, running loads and waiting calls as plain lists, and what each call must
 * get. Time is in whole seconds. It knows nothing of promises, timers or threads.
 */
import assert from 'node:assert/strict'

export interface Options {
  ttl: number
  isTtlByValue: boolean
  stale: number | undefined
  tags: readonly string[]
  timeout: number | undefined
  hardTimeout: number | undefined
  refresh: number | undefined
}

export type Outcome = { value: unknown } | { error: unknown }

interface Entry {
  value: unknown
  freshUntil: number
  expires: number
  tags: readonly string[]
}

/** The load of one key. */
export interface Load {
  readonly key: string
  readonly run: Run
  readonly options: Options
  /** The step in which it was overruled. */
  overruledAt: number
  isOver: boolean
  hardDeadline: number
}

/** One call of a loader. */
export interface Run {
  readonly side: number
  readonly keys: readonly string[]
  readonly loads: Load[]
  isOver: boolean
  isAborted: boolean
}

/** A call that waits, or has ended. */
export interface Call {
  readonly step: number
  readonly side: number
  readonly keys: readonly string[]
  readonly isMany: boolean
  readonly deadline: number
  readonly results: Map<string, unknown>
  readonly waits: Map<string, { load: Load; stale: { value: unknown } | undefined }>
  outcome: Outcome | undefined
}

const NEVER = Number.POSITIVE_INFINITY

/** In place of an error that the cache makes. */
export const TIMED_OUT = { code: 'LOAD_TIMEOUT' }
export const CLOSED = { code: 'CACHE_CLOSED' }
export const NOT_STORABLE = { code: 'INVALID_VALUE' }

export class LoadsModel {
  step = 0
  now = 0
  readonly entries = new Map<string, Entry>()
  readonly runs: Run[] = []
  readonly calls: Call[] = []
  /** Where each value comes from, and in which step it ceased to be what the key has. */
  readonly #origins = new Map<unknown, { load: Load | undefined; replacedAt: number }>()
  warnings = 0

  // ── what is there ──

  live(key: string): { value: unknown } | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && this.now < entry.freshUntil ? entry : undefined
  }

  stale(key: string): { value: unknown } | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && this.now >= entry.freshUntil && this.now < entry.expires ? entry : undefined
  }

  get running(): Load[] {
    return this.runs.flatMap(({ loads }) => loads).filter(({ isOver }) => !isOver)
  }

  current(key: string): Load | undefined {
    return this.running.find((load) => load.key === key && load.overruledAt === NEVER)
  }

  #isDue(key: string, { refresh, ttl }: Options): boolean {
    const entry = this.entries.get(key)
    if (entry === undefined || refresh === undefined || entry.freshUntil === NEVER) return false
    return ttl - (entry.freshUntil - this.now) >= ttl * refresh
  }

  // ── calls ──

  /** Returns the call, and the run that it must start. */
  ask(side: number, list: readonly string[], isMany: boolean, options: Options): { call: Call; run: Run | undefined } {
    const keys = [...new Set(list)]
    const deadline = options.timeout === undefined ? NEVER : this.now + options.timeout
    const shared = { step: this.step, side, keys, isMany, deadline, outcome: undefined }
    const call: Call = { ...shared, results: new Map(), waits: new Map() }
    const awaited: string[] = []
    const background: string[] = []
    for (const key of keys) {
      const live = this.live(key)
      const stale = this.stale(key)
      if (live !== undefined) {
        call.results.set(key, live.value)
        if (this.#isDue(key, options)) background.push(key)
      } else if (stale !== undefined && options.timeout === undefined) {
        call.results.set(key, stale.value)
        background.push(key)
      } else awaited.push(key)
    }
    const missing = [...awaited, ...background].filter((key) => this.current(key) === undefined)
    const run = missing.length === 0 ? undefined : this.#begin(side, missing, options)
    for (const key of awaited) {
      const load = this.current(key) as Load // it has begun
      if (options.hardTimeout !== undefined)
        load.hardDeadline = Math.min(load.hardDeadline, this.now + options.hardTimeout)
      const stale = this.stale(key)
      call.waits.set(key, { load, stale: stale === undefined ? undefined : { value: stale.value } })
    }
    this.calls.push(call)
    this.#conclude(call)
    return { call, run }
  }

  #begin(side: number, keys: readonly string[], options: Options): Run {
    const run: Run = { side, keys, loads: [], isOver: false, isAborted: false }
    const hardDeadline = options.hardTimeout === undefined ? NEVER : this.now + options.hardTimeout
    for (const key of keys) run.loads.push({ key, run, options, overruledAt: NEVER, isOver: false, hardDeadline })
    this.runs.push(run)
    return run
  }

  /** The loader returns; a key that is missing in `values` is left out. `unstorable` and `unstored` are among the values. */
  finish(
    run: Run,
    values: ReadonlyMap<string, unknown>,
    unstorable: ReadonlySet<unknown>,
    unstored: ReadonlySet<unknown>,
  ): void {
    run.isOver = true
    for (const load of run.loads) {
      if (load.isOver) continue
      const { key, options } = load
      const value = values.get(key)
      const isOverruled = load.overruledAt !== NEVER
      if (value !== undefined) this.#origins.set(value, { load, replacedAt: NEVER })
      load.isOver = true
      let result = value
      if (isOverruled) result = (this.live(key) ?? { value }).value
      else if (value !== undefined && !unstored.has(value)) {
        if (unstorable.has(value)) this.warnings++
        else this.#store(key, value, options.ttl, options.stale, options.tags)
      }
      // A call elsewhere cannot have it, and learns that when it has all its results.
      this.#settle(load, (call) => ({
        value: unstorable.has(result) && call.side !== run.side ? NOT_STORABLE : result,
      }))
    }
  }

  /** The loader fails. */
  fail(run: Run, error: unknown): void {
    run.isOver = true
    const open = this.calls.filter(({ outcome }) => outcome === undefined)
    this.#failAll(run.loads, error, open)
  }

  #failAll(loads: readonly Load[], error: unknown, open: readonly Call[]): void {
    const running = loads.filter(({ isOver }) => !isOver)
    const isTold = open.some(({ waits }) =>
      [...waits.values()].some(({ load, stale }) => stale === undefined && running.includes(load)),
    )
    if (running.length > 0 && !isTold) this.warnings++
    for (const load of running) {
      load.isOver = true
      this.#settle(load, (_, stale) => (stale === undefined ? { error } : (this.live(load.key) ?? stale)))
    }
  }

  #settle(load: Load, outcomeFor: (call: Call, stale: { value: unknown } | undefined) => Outcome): void {
    for (const call of this.calls) {
      const wait = call.waits.get(load.key)
      if (call.outcome !== undefined || wait?.load !== load) continue
      call.waits.delete(load.key)
      const outcome = outcomeFor(call, wait.stale)
      if ('error' in outcome) call.outcome = outcome
      else call.results.set(load.key, outcome.value)
      this.#conclude(call)
    }
  }

  #conclude(call: Call): void {
    if (call.outcome !== undefined || call.waits.size > 0) return
    const pairs = call.keys.map((key) => [key, call.results.get(key)] as const)
    if (pairs.some(([, each]) => each === NOT_STORABLE)) {
      call.outcome = { error: NOT_STORABLE }
      return
    }
    const value = call.isMany ? new Map(pairs.filter(([, each]) => each !== undefined)) : pairs[0]?.[1]
    call.outcome = { value }
    // Nobody gets a value that was overruled or replaced before they asked.
    for (const [key, each] of pairs) {
      const origin = this.#origins.get(each)
      if (origin === undefined) continue
      assert.ok(origin.replacedAt >= call.step, `${key}: ${String(each)} was replaced before the call`)
      assert.ok(
        (origin.load?.overruledAt ?? NEVER) >= call.step,
        `${key}: ${String(each)} was overruled before the call`,
      )
    }
  }

  // ── time ──

  /** One second. */
  tick(): void {
    this.now++
    for (const [key, entry] of this.entries) if (this.now >= entry.expires) this.#remove(key)
    const open = this.calls.filter(({ outcome }) => outcome === undefined) // before the first load of this second ends
    for (const load of this.running) if (load.hardDeadline <= this.now) this.#failAll([load], TIMED_OUT, open)
    for (const call of this.calls) {
      if (call.outcome !== undefined || call.deadline > this.now) continue
      for (const [key, { stale }] of [...call.waits]) {
        if (stale === undefined) call.outcome = { error: TIMED_OUT }
        else call.results.set(key, (this.live(key) ?? stale).value)
        call.waits.delete(key)
      }
      this.#conclude(call)
    }
    for (const run of this.runs) if (!run.isOver && run.loads.every(({ isOver }) => isOver)) run.isAborted = true
  }

  // ── changes ──

  set(key: string, value: unknown, ttl: number, stale: number | undefined, tags: readonly string[]): void {
    this.#overrule(key)
    this.#origins.set(value, { load: undefined, replacedAt: NEVER })
    this.#store(key, value, ttl, stale, tags)
  }

  #store(key: string, value: unknown, ttl: number, stale: number | undefined, tags: readonly string[]): void {
    this.#remove(key)
    const freshUntil = this.now + ttl
    this.entries.set(key, { value, freshUntil, expires: freshUntil + (stale ?? 0), tags })
  }

  delete(key: string): void {
    this.#overrule(key)
    this.#remove(key)
  }

  clear(): void {
    for (const key of new Set([...this.entries.keys(), ...this.running.map((load) => load.key)])) this.delete(key)
  }

  expire(key: string, ttl: number): void {
    const entry = this.entries.get(key)
    if (entry === undefined || this.live(key) === undefined) return
    const window = entry.expires - entry.freshUntil
    entry.freshUntil = this.now + ttl
    entry.expires = entry.freshUntil + window
  }

  deleteTag(tag: string): void {
    for (const key of this.#tagged(tag)) {
      this.#overrule(key)
      if (this.entries.get(key)?.tags.includes(tag) === true) this.#remove(key)
    }
  }

  expireTag(tag: string): void {
    for (const key of this.#tagged(tag)) {
      this.#overrule(key)
      const entry = this.entries.get(key)
      if (entry?.tags.includes(tag) !== true) continue
      if (entry.expires === entry.freshUntil) this.#remove(key)
      else entry.freshUntil = Math.min(entry.freshUntil, this.now)
    }
  }

  close(): void {
    for (const load of this.running) {
      load.isOver = true
      this.#settle(load, () => ({ error: CLOSED }))
    }
    for (const run of this.runs) if (!run.isOver) run.isAborted = true
  }

  #tagged(tag: string): Set<string> {
    const entries = [...this.entries].filter(([, { tags }]) => tags.includes(tag)).map(([key]) => key)
    const loads = this.running.filter(({ options }) => options.tags.includes(tag)).map(({ key }) => key)
    return new Set([...entries, ...loads.filter((key) => this.current(key)?.options.tags.includes(tag))])
  }

  #overrule(key: string): void {
    const load = this.current(key)
    if (load !== undefined) load.overruledAt = this.step
  }

  #remove(key: string): void {
    const entry = this.entries.get(key)
    const origin = this.#origins.get(entry?.value)
    if (origin !== undefined) origin.replacedAt = this.step
    this.entries.delete(key)
  }
}
