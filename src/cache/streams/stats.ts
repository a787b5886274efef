import { Observable } from 'rxjs/internal/Observable'
import type { Clock } from '../../core/model/clock.js'
import type { Counters } from '../../core/model/counters.js'
import type { Limits } from '../../core/model/limits.js'
import type { ReadableState } from '../../core/model/state.js'
import type { JournalFigures } from '../../durable/contract.js'

/** What `stats()` returns and `stats$` emits. Counters start from 0 at each `clear()`. */
export interface Stats {
  hits: number
  misses: number
  evictions: number
  /** Entries stored now, including expired ones that have not been removed yet. */
  size: number
  expirations: number
  /** `set` events, from `set`, `setMany`, `increment`, `decrement` and `getOrSet`. */
  sets: number
  /** `deleted` events. */
  deletes: number
  /** hits / (hits + misses); 0 before the first read. */
  hitRatio: number
  /** When they were read, epoch milliseconds: a rate is the difference of two counters over the difference of their times. */
  atMs: number
  /** The figures of the journal, and the limits that it remembers: Infinity for none. */
  journal: JournalFigures & Limits
}

/**
 * The current stats at once, then at most once per interval: whenever a counter or the size has changed, and once more an
 * interval after the last change, so that a rate computed from two emissions falls to 0. Each subscription has its own timer.
 */
export function createStats$(
  read: () => Stats,
  clock: Clock,
  intervalMs: number,
  onEnd: (complete: () => void) => () => void,
): Observable<Stats> {
  return new Observable<Stats>((subscriber) => {
    let last = read() // subscribers get another object, so none can change what the next one is compared with
    let isMoving = false
    let timer: unknown
    const tick = () => {
      const now = read()
      const wasMoving = isMoving
      isMoving = !isSame(now, last)
      last = now
      arm()
      if (isMoving || wasMoving) subscriber.next(read())
    }
    const arm = () => {
      timer = clock.setTimeout(tick, intervalMs)
    }
    const forget = onEnd(() => subscriber.complete())
    arm()
    subscriber.add(() => {
      clock.clearTimeout(timer)
      forget()
    })
    subscriber.next(read())
  })
}

const COMPARED = ['hits', 'misses', 'evictions', 'size', 'expirations', 'sets', 'deletes'] as const

/** Whether all counters and the size are equal. */
export function isSame(a: Stats, b: Stats): boolean {
  return COMPARED.every((name) => a[name] === b[name])
}

/** Hits per read; 0 before the first read. */
export function hitRatio(hits: number, misses: number): number {
  return hits === 0 ? 0 : hits / (hits + misses)
}

/** `figures`: those of the journal; all 0 if `undefined`, because it is closed. */
export function readStats(
  atMs: number,
  { counters, size, maxSize, maxBytes }: ReadableState & { readonly counters: Readonly<Counters> },
  figures: JournalFigures = CLOSED_FIGURES,
): Stats {
  const { hits, misses, evictions, expirations, sets, deletes } = counters
  const journal = { ...figures, maxSize, maxBytes }
  return {
    hits,
    misses,
    evictions,
    size,
    expirations,
    sets,
    deletes,
    hitRatio: hitRatio(hits, misses),
    atMs,
    journal,
  }
}

const CLOSED_FIGURES: JournalFigures = {
  sequence: 0,
  durableSequence: 0,
  pendingBytes: 0,
  bytes: 0,
  segments: 0,
  snapshotSequence: 0,
  snapshotBytes: 0,
  oldestSequence: 0,
  oldestTimeMs: 0,
  historyBytes: 0,
}
