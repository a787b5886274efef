/**
 * The methods that look back: arguments are checked, and what is pending is written first. Before: `cache.ts`, `edges/`. After:
 * the files beside it, and `durable/history` for the reading.
 */
import { resolve } from 'node:path'
import type { Observable } from 'rxjs'
import type { KeyMatcher } from '../../core/decide/glob.js'
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import type { State } from '../../core/evolve/state.js'
import type { Clock } from '../../core/model/clock.js'
import type { Sequence } from '../../core/model/sequence.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { Journal, SnapshotSource } from '../../durable/contract.js'
import { ChangeCursor } from '../../durable/history/change-cursor.js'
import type { Moment, Place } from '../../durable/history/locate.js'
import { Past } from '../../durable/history/past.js'
import { type Fork, forkJournal } from '../../durable/recovery/fork-journal.js'
import type { Storage } from '../../durable/storage/storage.js'
import { CacheError, mustBe } from '../../errors.js'
import type { Isolation } from '../../values/encode.js'
import { checkKey, checkOptions } from '../arguments/arguments.js'
import { type KeyPattern, keyMatcher } from '../arguments/key-pattern.js'
import type { Opening } from '../lifecycle/opening.js'
import type { Loads } from '../loads/loads.js'
import type { Change } from '../streams/change.js'
import type { StoredEntry } from '../turns/stored-entry.js'
import type { Turns } from '../turns/turns.js'
import { ChangeFeed, type FeedSource } from './change-feed.js'
import { diffPast } from './diff.js'
import { LiveChanges } from './live-changes.js'
import { type PastChange, toPastChange } from './past-change.js'
import { readPast } from './past-state.js'
import { type RestoreResult, restorePast } from './restore.js'
import { View } from './view.js'
import { checkSequence, checkWhen, type When } from './when.js'

/** The options of `at`. */
export interface AtOptions {
  /** The view then holds only the keys that match. */
  pattern?: KeyPattern | undefined
}

/** The options of `history`. Both ends are included. */
export interface KeyHistoryOptions {
  /** Default: the oldest that is kept. */
  from?: When | undefined
  /** Default: now. */
  to?: When | undefined
  /** The maximum number of changes: the oldest ones are returned. Default Infinity. */
  limit?: number | undefined
}

/** The options of `diff`. */
export interface DiffOptions {
  /** Only keys that match. */
  pattern?: KeyPattern | undefined
}

/** The options of `restore`. */
export interface RestoreOptions {
  /** Only keys that match. Default: all. */
  pattern?: KeyPattern | undefined
  /** Only counts what would change. */
  dryRun?: boolean | undefined
}

/** An item of `diff`: a key that is different, with its entries as `entry()` returns them. */
export interface Difference<E> {
  readonly key: string
  readonly before: E | undefined
  readonly after: E | undefined
}

/** The journal of a directory, which can be read while it is open. */
export type PastSource = FeedSource

export interface LookingBackParts {
  /** Undefined without a directory. */
  source: PastSource | undefined
  /** Where forks go. */
  storage: Storage
  journal: Journal
  state: State
  clock: Clock
  turns: Turns
  loads: Loads
  opening: Opening
  isolation: Isolation
  isEverythingDurable: boolean
}

type Restore = (stored: StoredValue) => unknown

export class LookingBack {
  readonly #parts: LookingBackParts
  readonly #past: Past | undefined

  constructor(parts: LookingBackParts) {
    this.#parts = parts
    const { source } = parts
    this.#past = source && new Past(source.storage, source.directory)
  }

  /** @param prefix That of a namespace, which the keys of the view do not have. */
  at<V>(when: When, options: AtOptions = {}, prefix = ''): Promise<View<V>> {
    const { pattern } = checkOptions(options, ['pattern'])
    const matches = matcherOf(pattern)
    return this.#withPast(
      (nowMs) => checkWhen(when, nowMs),
      async (past, place) => {
        return new View<V>(await readPast(past, place.sequence, matches), place, this.#parts.isolation, prefix)
      },
    )
  }

  history<V>(
    key: string,
    options: KeyHistoryOptions | undefined,
    restore: Restore,
  ): AsyncGenerator<PastChange<V>, void, undefined> {
    checkKey(key)
    const {
      from,
      to,
      limit = Number.POSITIVE_INFINITY,
    } = checkOptions(options ?? ({} as KeyHistoryOptions), ['from', 'to', 'limit'])
    checkHistoryLimit(limit)
    const { now, nowMs } = this.#now()
    const first = from === undefined ? undefined : checkWhen(from, nowMs, 'from')
    const last = to === undefined ? now : checkWhen(to, nowMs, 'to')
    return this.#changesOf<V>(key, { first, last, now, limit }, restore)
  }

  async *#changesOf<V>(
    key: string,
    { first, last, now, limit }: { first: Moment | undefined; last: Moment; now: Place; limit: number },
    restore: Restore,
  ): AsyncGenerator<PastChange<V>, void, undefined> {
    const { source } = this.#parts
    const past = this.#reachable()
    const { sequence: to } = await past.locate(last, now)
    const after = await startOf(past, first, now)
    const cursor = new ChangeCursor((source as PastSource).storage, past.directory, after)
    let left = limit
    while (left > 0) {
      const events = await cursor.read(to)
      if (events.length === 0) return
      for (const event of events) {
        const { event: what } = event
        if ('key' in what ? what.key !== key : what.type === 'limited') continue
        yield toPastChange<V>(event, restore)
        if (--left <= 0) return
      }
    }
  }

  diff<E>(
    from: When,
    to: When | undefined,
    options: DiffOptions | undefined,
    restoreEntry: (entry: StoredEntry) => E,
  ): AsyncGenerator<Difference<E>, void, undefined> {
    const { pattern } = checkOptions(options ?? ({} as DiffOptions), ['pattern'])
    const matches = matcherOf(pattern)
    const { now, nowMs } = this.#now()
    const before = checkWhen(from, nowMs, 'from')
    const after = to === undefined ? now : checkWhen(to, nowMs, 'to')
    return this.#differences(before, after, now, matches, restoreEntry)
  }

  async *#differences<E>(
    before: Moment,
    after: Moment,
    now: Place,
    matches: KeyMatcher | undefined,
    restoreEntry: (entry: StoredEntry) => E,
  ): AsyncGenerator<Difference<E>, void, undefined> {
    const past = this.#reachable()
    const [from, to] = [await past.locate(before, now), after === now ? now : await past.locate(after, now)]
    for await (const { key, ...entries } of diffPast(past, from, to, matches)) {
      yield {
        key,
        before: entries.before && restoreEntry(entries.before),
        after: entries.after && restoreEntry(entries.after),
      }
    }
  }

  restore(when: When, options: RestoreOptions = {}): Promise<RestoreResult> {
    const { pattern, dryRun = false } = checkOptions(options, ['pattern', 'dryRun'])
    const matches = matcherOf(pattern)
    checkDryRun(dryRun)
    const { state, turns, loads, opening, clock, journal, isEverythingDurable } = this.#parts
    return this.#withPast(
      (nowMs) => checkWhen(when, nowMs),
      async (source, { sequence, timeMs: pastMs }) => {
        const past = await readPast(source, sequence, matches)
        if (dryRun) opening.admitRead()
        else opening.admitWrite()
        const result = restorePast(
          { state, turns, loading: () => loads.keys() },
          { past, pastMs, matches: matches ?? (() => true), nowMs: clock.now() },
          dryRun,
        )
        if (isEverythingDurable && !dryRun) await journal.flush()
        return result
      },
    )
  }

  fork(directory: string, when?: When): Promise<Fork> {
    const path = resolve(checkDirectory(directory))
    const momentAt = (nowMs: number) => (when === undefined ? undefined : checkWhen(when, nowMs))
    return this.#withPast(momentAt, async (past, { sequence }) => {
      const source = new FrozenRows(await readPast(past, sequence, undefined))
      const { storage } = past
      return await forkJournal({ storage, directory: path, sequence, source, nowMs: this.#parts.clock.now() })
    })
  }

  /** For a journal that keeps no past: only as the cache is now, of which `freeze` gives the rows. */
  async forkNow(
    directory: string,
    when: When | undefined,
    freeze: () => Promise<{ source: SnapshotSource; sequence: number }>,
    gone: () => CacheError = notKept,
  ): Promise<Fork> {
    const { opening, clock, storage } = this.#parts
    const path = resolve(checkDirectory(directory))
    opening.admitRead()
    const nowMs = clock.now()
    const moment = when === undefined ? undefined : checkWhen(when, nowMs)
    const { source, sequence } = await freeze()
    try {
      const isNow = moment === undefined || ('timeMs' in moment ? moment.timeMs >= nowMs : moment.sequence >= sequence)
      if (!isNow) throw gone()
      return await forkJournal({ storage, directory: path, sequence: sequence as Sequence, source, nowMs })
    } finally {
      source.release()
    }
  }

  changesSince<V>(
    sequence: number,
    restore: Restore,
    changes$: Observable<Change<V>>,
  ): AsyncIterableIterator<PastChange<V>> {
    checkSequence(sequence)
    const { source, journal, clock, opening } = this.#parts
    opening.admitRead()
    const last = journal.figures().sequence
    if (sequence > last) return refused(sequenceAhead(sequence, last))
    if (source !== undefined) return new ChangeFeed<V>(source, sequence as Sequence, restore)
    return sequence < last ? refused(notKept()) : new LiveChanges<V>(changes$, journal, clock)
  }

  /** What is pending is written now, so that it is part of the present. */
  #now(): { now: Place; nowMs: number } {
    const { source, opening, clock } = this.#parts
    opening.admitRead()
    const sequence = source?.journal.writePending() ?? (0 as Sequence)
    const nowMs = clock.now()
    return { now: { sequence, timeMs: nowMs }, nowMs }
  }

  #reachable(): Past {
    if (this.#past === undefined) throw notKept()
    return this.#past
  }

  /** Checks the time at once, and reads later. */
  #withPast<T>(
    momentAt: (nowMs: number) => Moment | undefined,
    read: (past: Past, place: Place) => Promise<T>,
  ): Promise<T> {
    const { now, nowMs } = this.#now()
    const moment = momentAt(nowMs) ?? now
    const past = this.#reachable()
    return past.locate(moment, now).then((place) => read(past, place))
  }
}

export function checkDirectory(directory: unknown): string {
  if (typeof directory === 'string' && directory !== '') return directory
  throw new TypeError(mustBe('A directory', 'a path', directory))
}

export function checkHistoryLimit(limit: unknown): void {
  if (typeof limit !== 'number') throw new TypeError(mustBe('limit', 'a number', limit))
  if (!(limit >= 0)) throw new RangeError(mustBe('limit', 'at least 0', limit))
}

export function checkDryRun(dryRun: unknown): void {
  if (typeof dryRun !== 'boolean') throw new TypeError(mustBe('dryRun', 'true or false', dryRun))
}

function matcherOf(pattern: KeyPattern | undefined): KeyMatcher | undefined {
  return pattern === undefined || pattern === '*' ? undefined : keyMatcher(pattern)
}

/** The sequence after which the changes from a moment on begin. */
export async function startOf(past: Past, moment: Moment | undefined, now: Place): Promise<Sequence> {
  const oldest = await past.oldest()
  if (moment === undefined) return oldest.sequence
  if ('timeMs' in moment) return (await past.locate({ timeMs: moment.timeMs, isBefore: true }, now)).sequence
  const { sequence } = await past.locate(moment, now)
  return Math.max(sequence - 1, oldest.sequence) as Sequence
}

/** Errors come from `next()`, whatever their reason. */
export function refused(error: unknown): AsyncIterableIterator<never> {
  return {
    next: () => Promise.reject(error),
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

export function sequenceAhead(sequence: number, last: number): CacheError {
  return new CacheError('SEQUENCE_AHEAD', `changesSince(${sequence}): the journal ends with sequence ${last}`)
}

function notKept(): CacheError {
  return new CacheError('HISTORY_GONE', 'This journal is not kept in a directory, so that there is no past to read', {
    advice: 'Open the cache with a directory.',
  })
}
