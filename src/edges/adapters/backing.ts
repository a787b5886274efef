/**
 * What an adapter stands on: a cache, a client of one in another thread or process, or a namespace of either; or a promise of
 * one, such as `openCache()` returns. Before: the framework, which calls an adapter. After: the methods of the cache.
 *
 * An adapter acknowledges a change when it has been written to the journal, one turn of the event loop later: so what a client
 * has been told survives a SIGKILL. It never closes what it stands on: whoever opened the cache closes it.
 */
import type { Observable } from 'rxjs'
import { checkOptions, type EntryToSet, type SetOptions } from '../../cache/arguments/arguments.js'
import type { Cache, Entry } from '../../cache/cache.js'
import type { ScanOptions, ScanResult } from '../../cache/door/scans.js'
import { execute } from '../../cache/execute.js'
import { EPOCH_MS_MAX } from '../../core/model/expiry.js'
import { nextTurn } from '../../durable/storage/event-loop.js'
import { mustBe } from '../../errors.js'
import type { RemoteCache } from '../remote/client/remote-cache.js'
import type { Step } from '../remote/wire/steps.js'

type Awaitable<T> = T | Promise<T>

/** The methods that adapters use. A `Cache` has them, a `RemoteCache`, and a namespace of either, whatever the type of its values. */
export interface Backing {
  get(key: string): unknown
  peek(key: string): unknown
  entry(key: string): Awaitable<Entry | undefined>
  has(key: string): Awaitable<boolean>
  set(key: string, value: unknown, options?: SetOptions): Awaitable<boolean>
  delete(key: string): Awaitable<boolean>
  ttl(key: string): Awaitable<number | undefined>
  getMany(keys: Iterable<string>): Awaitable<unknown[]>
  hasMany(keys: Iterable<string>): Awaitable<boolean[]>
  setMany(entries: Iterable<EntryToSet<unknown>>): Awaitable<number>
  deletePrefix(prefix: string): Awaitable<number>
  scan(options: ScanOptions): Awaitable<ScanResult>
  readonly changes$: Observable<{ readonly type: string; readonly key?: string | undefined }>
  readonly removals$: Observable<{ readonly reason: string; readonly key?: string | undefined }>
  /** With a function here, with steps in another thread or process. */
  transact(work: never): unknown
}

/** The option that every adapter has. */
export interface BackingOptions {
  /** The cache to use, or a promise of it. Give adapters that share a cache a namespace each: `cache.namespace('sessions:')`. */
  cache: Backing | PromiseLike<Backing>
}

/** Checks the options of an adapter: `cache`, and the others that it has. */
export function checkAdapterOptions<O extends { cache: unknown }>(options: O, names: readonly string[]): O {
  checkBacking(checkOptions(options, ['cache', ...names]).cache)
  return options
}

export function checkBacking(cache: unknown): void {
  const { transact } = (cache ?? {}) as { transact?: unknown }
  if (typeof transact === 'function' || isExpected(cache)) return
  throw new TypeError(mustBe('cache', 'a cache, a client of one, a namespace, or a promise of one', cache))
}

/** Whether it is a promise. If that rejects, every call of the adapter does, and before the first one nobody else handles it. */
export function isExpected(cache: unknown): boolean {
  const isOne = isPromise(cache)
  if (isOne) Promise.resolve(cache).catch(() => undefined)
  return isOne
}

/** Calls `next` with what `value` is or resolves with: at once if it can be, because some contracts want an answer without a promise. */
export function chain<T, R>(value: T | PromiseLike<T>, next: (value: T) => R): R | Promise<Awaited<R>> {
  return isPromise(value) ? (Promise.resolve(value).then(next) as Promise<Awaited<R>>) : next(value)
}

function isPromise<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | null | undefined)?.then === 'function'
}

/** Whether `transact` takes a function. A client that blocks can be iterated as well, but does not look back. */
function isLocal(cache: Backing): cache is Backing & Pick<Cache, 'transact' | 'entry'> {
  return Symbol.iterator in cache && typeof (cache as Partial<Cache>).at === 'function'
}

/** Resolves with the result of a change when the journal has been written. */
export async function written<T>(result: Awaitable<T>): Promise<T> {
  const settled = await result
  await nextTurn()
  return settled
}

/** Runs methods, given as steps, in one turn: all of them or none. Returns one result for each. */
export async function inOneTurn(cache: Backing, steps: readonly Step[]): Promise<unknown[]> {
  if (!isLocal(cache)) return (cache as unknown as RemoteCache).transact(steps)
  return cache.transact(() => steps.map((step) => execute(cache as unknown as Cache, step)))
}

/**
 * Replaces the value of a key with what `change` makes of its entry, so that no other change comes between. Nothing is stored
 * if `change` returns `undefined`. For a remote cache `change` is called again if the entry has changed meanwhile.
 */
export async function update<V>(
  cache: Backing,
  key: string,
  change: (entry: Entry<V> | undefined) => [value: V, options: SetOptions] | undefined,
): Promise<void> {
  if (isLocal(cache)) {
    cache.transact(() => {
      const replacement = change(cache.entry(key) as Entry<V> | undefined)
      if (replacement !== undefined) cache.set(key, ...replacement)
    })
    return nextTurn()
  }
  for (let isDone = false; !isDone; ) {
    const entry = (await cache.entry(key)) as Entry<V> | undefined
    const replacement = change(entry)
    if (replacement === undefined) return
    const [value, options] = replacement
    const when = entry === undefined ? { key, exists: false } : { key, equals: entry.value }
    const [result] = await inOneTurn(cache, [{ type: 'set', key, value, ...options, when }])
    isDone = result !== undefined
  }
}

/** The keys that begin with a prefix, in portions, while the cache changes. */
export async function* keysUnder(cache: Backing, prefix: string): AsyncGenerator<string[], void> {
  let slice: ScanResult | undefined
  do {
    const cursor = slice?.cursor
    slice = await cache.scan(cursor === undefined ? { prefix } : { prefix, cursor })
    yield slice.keys
  } while (slice.cursor !== undefined)
}

/** Those keys with their values. Counts neither as hits nor as uses. */
export async function* entriesUnder(cache: Backing, prefix: string): AsyncGenerator<[string, unknown], void> {
  for await (const keys of keysUnder(cache, prefix)) {
    const values = await Promise.all(keys.map((key) => cache.peek(key)))
    for (const [index, key] of keys.entries()) if (values[index] !== undefined) yield [key, values[index]]
  }
}

/**
 * A deadline in epoch milliseconds as `expiresAt`: as a Date, because a small number would be taken for seconds. What no Date can
 * express is never.
 */
export function deadlineAt(atMs: number): Date | number {
  return atMs > EPOCH_MS_MAX ? Number.POSITIVE_INFINITY : new Date(atMs)
}
