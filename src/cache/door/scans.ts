/**
 * `scan`: the keys in portions, by slot. An entry keeps its slot until it is removed, so a key that is there from the first call
 * to the last is found exactly once, whatever else changes. Before: `door.ts`. After: `core/evolve/entries.ts`.
 *
 * A cursor says where the next call begins and where the last one ends, which is fixed by the first: slots that are added
 * later cannot hold such a key. It names the columns that it is about. `clear` and `load` replace them, so an older cursor
 * starts again, as does one of another cache.
 */
import type { KeyMatcher } from '../../core/decide/glob.js'
import type { Entries } from '../../core/evolve/entries.js'
import { FIRST_SLOT } from '../../core/evolve/eviction/order.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import type { Slot } from '../../core/model/state.js'
import { mustBe } from '../../errors.js'
import { checkNames, exclude } from '../arguments/arguments.js'
import { type KeyPattern, keyMatcher } from '../arguments/key-pattern.js'
import { checkLimit } from '../arguments/limit-options.js'
import { METHODS } from '../arguments/methods.js'

export interface ScanOptions {
  /** From the result of the previous call. Without it, and with one that is no longer valid, the scan begins. */
  cursor?: string | undefined
  /** How many slots one call looks at: those of entries, and free ones. Default 1000. */
  limit?: number | undefined
  /** Not together with `prefix`. */
  pattern?: string | undefined
  prefix?: string | undefined
}

export interface ScanResult {
  /** In no particular order. May be empty before the end. */
  keys: string[]
  /** For the next call; `undefined` at the end. */
  cursor: string | undefined
}

export interface CheckedScan {
  cursor: string | undefined
  limit: number
  matches: KeyMatcher
}

const LIMIT_DEFAULT = 1_000

export function checkScan(options: ScanOptions): CheckedScan {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(mustBe('options', 'an object, like { limit: 100 }', options))
  checkNames(options, METHODS.scan.options, 'option')
  const { cursor, limit = LIMIT_DEFAULT, pattern, prefix } = options
  if (cursor !== undefined) checkCursor(cursor)
  checkLimit('limit', limit)
  return { cursor, limit, matches: keyMatcher(checkSelection(pattern, prefix)) }
}

export function checkCursor(cursor: unknown): void {
  if (typeof cursor !== 'string')
    throw new TypeError(mustBe('cursor', 'the cursor of an earlier result, or undefined', cursor))
}

function checkSelection(pattern: unknown, prefix: unknown): KeyPattern {
  if (prefix === undefined) {
    if (pattern === undefined) return '*'
    if (typeof pattern !== 'string') throw new TypeError(mustBe('pattern', 'a string', pattern))
    return pattern
  }
  if (pattern !== undefined) throw exclude('pattern', 'prefix')
  return { prefix: prefix as string } // keyMatcher() checks it
}

export class Scans {
  readonly #state: State
  readonly #clock: Clock
  readonly #newId: () => string
  /** The names of columns that were scanned. */
  readonly #ids = new WeakMap<Entries, string>()

  constructor(parts: { state: State; clock: Clock; newId: () => string }) {
    this.#state = parts.state
    this.#clock = parts.clock
    this.#newId = parts.newId
  }

  scan({ cursor, limit, matches }: CheckedScan): ScanResult {
    const { entries } = this.#state
    const id = this.#idOf(entries)
    const { from, end } = positionIn(cursor, id) ?? { from: FIRST_SLOT, end: entries.endOfSlots }
    const to = Math.min(end, entries.endOfSlots, from + limit)
    const nowMs = this.#clock.now()
    const keys: string[] = []
    for (let slot = from as Slot; slot < to; slot++) {
      const key = entries.keyIn(slot)
      if (key !== undefined && nowMs < this.#state.liveUntilAt(slot) && matches(key)) keys.push(key)
    }
    return { keys, cursor: to < end ? `${id}.${to}.${end}` : undefined }
  }

  /** How many entries are stored, expired ones included. */
  count(matches: KeyMatcher): number {
    const { entries } = this.#state
    let count = 0
    for (let slot = FIRST_SLOT as Slot; slot < entries.endOfSlots; slot++) {
      const key = entries.keyIn(slot)
      if (key !== undefined && matches(key)) count++
    }
    return count
  }

  #idOf(entries: Entries): string {
    const known = this.#ids.get(entries)
    if (known !== undefined) return known
    const id = this.#newId()
    this.#ids.set(entries, id)
    return id
  }
}

/** Where a cursor of these columns stands; `undefined` for any other text. */
function positionIn(cursor: string | undefined, id: string): { from: number; end: number } | undefined {
  const [, of, from, end] = /^([^.]+)\.([1-9]\d{0,8})\.([1-9]\d{0,8})$/.exec(cursor ?? '') ?? []
  return of === id ? { from: Number(from), end: Number(end) } : undefined
}
