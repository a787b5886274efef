/**
 * `daybook/next`: what `use cache` of Next.js 16 keeps.
 *
 *   // cache-handler.mjs; in next.config: cacheHandlers: { default: require.resolve('./cache-handler.mjs') }
 *   export default nextCacheHandler({ cache: openCache({ directory: 'next-cache' }) })
 *
 * The contract (`CacheHandler`): `get` and `set` of entries whose value is a stream, and `updateTags`, which makes entries with a tag
 * stale or expired. Durations are in seconds, times in epoch milliseconds of Next's own clock, which also stamps the entries.
 *
 * A tag that was revalidated has a record with the time. An entry is checked against the records of its tags after it has been
 * read, so a record is always more recently used than the entries it concerns: LRU evicts those first.
 */
import { mustBe } from '../../errors.js'
import { type BackingOptions, checkAdapterOptions, deadlineAt, update, written } from './backing.js'

export type { Backing, BackingOptions } from './backing.js'

export interface NextCacheHandlerOptions extends BackingOptions {
  /** The beginning of every key in the cache. Default `'next:'`. */
  prefix?: string | undefined
}

/** What Next stores: `stale`, `revalidate` and `expire` count from `timestamp`. */
export interface NextCacheEntry {
  value: ReadableStream<Uint8Array>
  tags: string[]
  /** Seconds; for the client. */
  stale: number
  /** Epoch milliseconds. */
  timestamp: number
  /** Seconds until it may not be used any more. */
  expire: number
  /** Seconds until it is generated again in the background. Negative: at the next read. */
  revalidate: number
}

type StoredEntry = Omit<NextCacheEntry, 'value'> & { value: Uint8Array }

/** What was revalidated with a tag, in epoch milliseconds. */
interface TagTimes {
  /** Entries from before this are expired. */
  expiredMs?: number
  /** Entries from before this are stale, */
  staleMs?: number
  /** and expired from this time on. */
  expiresMs?: number
}

/** A handler for `cacheHandlers` in next.config. */
export function nextCacheHandler(options: NextCacheHandlerOptions): NextCacheHandler {
  return new NextCacheHandler(options)
}

export class NextCacheHandler {
  readonly #cache: BackingOptions['cache']
  readonly #prefix: string
  /** What is being stored, by key: a `get` waits for it. */
  readonly #pending = new Map<string, Promise<void>>()

  constructor(options: NextCacheHandlerOptions) {
    const { cache, prefix = 'next:' } = checkAdapterOptions(options, ['prefix'])
    if (typeof prefix !== 'string') throw new TypeError(mustBe('prefix', 'a string', prefix))
    this.#cache = cache
    this.#prefix = prefix
  }

  async get(key: string, softTags: readonly string[] = []): Promise<NextCacheEntry | undefined> {
    await this.#pending.get(key)?.catch(() => undefined) // who stores it gets the error
    const entry = (await (await this.#cache).get(this.#entryKey(key))) as StoredEntry | undefined
    if (entry === undefined) return undefined
    const times = await this.#timesOf([...entry.tags, ...softTags])
    const now = nowMs()
    if (times.some((tag) => entry.timestamp < expiredBefore(tag, now))) return undefined
    const isStale = times.some(({ staleMs = NEVER }) => entry.timestamp < staleMs)
    return { ...entry, revalidate: isStale ? -1 : entry.revalidate, value: streamOf(entry.value) }
  }

  async set(key: string, pendingEntry: Promise<NextCacheEntry>): Promise<void> {
    const storing = this.#store(key, pendingEntry)
    this.#pending.set(key, storing)
    try {
      await storing
    } finally {
      if (this.#pending.get(key) === storing) this.#pending.delete(key)
    }
  }

  async #store(key: string, pendingEntry: Promise<NextCacheEntry>): Promise<void> {
    const { value: stream, ...entry } = await pendingEntry
    const value = await bytesOf(stream).catch(() => undefined)
    if (value === undefined) return // a stream that breaks off has nothing to keep
    const expiresAt = deadlineAt(entry.timestamp + entry.expire * 1000)
    await written((await this.#cache).set(this.#entryKey(key), { ...entry, value }, { expiresAt }))
  }

  /** Nothing to do: the times of tags are read from the cache. */
  async refreshTags(): Promise<void> {}

  /** Infinity: `get` is given the soft tags, and checks them itself. */
  async getExpiration(_tags: readonly string[]): Promise<number> {
    return Number.POSITIVE_INFINITY
  }

  /** Makes entries with these tags expired; with `durations` stale, and expired after `expire` seconds, if that is given. */
  async updateTags(tags: readonly string[], durations?: { expire?: number | undefined }): Promise<void> {
    const now = nowMs()
    const cache = await this.#cache
    await Promise.all(
      tags.map((tag) =>
        update<TagTimes>(cache, this.#tagKey(tag), (entry) => [
          revalidated(entry?.value ?? {}, now, durations),
          { ttl: Number.POSITIVE_INFINITY },
        ]),
      ),
    )
  }

  /** What Next.js 15 calls instead of `updateTags`. */
  async expireTags(): Promise<never> {
    throw unsupported()
  }

  /** What Next.js 15 calls instead of `refreshTags`. */
  async receiveExpiredTags(): Promise<never> {
    throw unsupported()
  }

  async #timesOf(tags: readonly string[]): Promise<TagTimes[]> {
    if (tags.length === 0) return []
    const found = (await (await this.#cache).getMany(tags.map((tag) => this.#tagKey(tag)))) as (TagTimes | undefined)[]
    return found.filter((times) => times !== undefined)
  }

  #entryKey(key: string): string {
    return `${this.#prefix}entry:${key}`
  }

  #tagKey(tag: string): string {
    return `${this.#prefix}tag:${tag}`
  }
}

const NEVER = Number.NEGATIVE_INFINITY

/** Entries from before this time are expired. */
function expiredBefore({ expiredMs = NEVER, staleMs = NEVER, expiresMs }: TagTimes, now: number): number {
  return expiresMs !== undefined && expiresMs <= now ? staleMs : expiredMs
}

/** A later revalidation keeps what an earlier one has expired, and does not put off what is going to. */
function revalidated(times: TagTimes, now: number, durations: { expire?: number | undefined } | undefined): TagTimes {
  const { expire = Number.POSITIVE_INFINITY } = durations ?? { expire: 0 }
  if (expire <= 0) return { expiredMs: now }
  const { expiresMs = Number.POSITIVE_INFINITY } = times
  const isPending = expiresMs > now
  return {
    expiredMs: expiredBefore(times, now),
    staleMs: now,
    expiresMs: Math.min(isPending ? expiresMs : Number.POSITIVE_INFINITY, now + expire * 1000),
  }
}

function unsupported(): TypeError {
  return new TypeError(
    'daybook/next supports Next.js 16. This is version 15, whose cache handlers have another contract.',
  )
}

/** The clock that Next stamps its entries with, which is not the one of the cache: only its times are comparable. */
function nowMs(): number {
  return performance.timeOrigin + performance.now()
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  const reader = stream.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(chunks)
    chunks.push(value)
  }
}

function streamOf(value: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(value)
      controller.close()
    },
  })
}
