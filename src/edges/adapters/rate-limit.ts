/**
 * `daybook/rate-limit`: the counters of express-rate-limit 7 and 8, and of rate-limiter-flexible 11.
 *
 *   app.use(rateLimit({ windowMs: 60_000, limit: 100, store: rateLimitStore({ cache }) }))
 *   const limiter = flexibleLimiter(flexible, { cache, points: 100, duration: 60 })   // import * as flexible from 'rate-limiter-flexible'
 *
 * The contracts: of express-rate-limit a `Store`, whose `increment(key)` resolves with `{ totalHits, resetTime }`; of
 * rate-limiter-flexible a subclass of its abstract store. In both the first hit sets the deadline and later hits keep it, as
 * `increment` does. The count and its deadline are read in the same turn.
 */
import { mustBe } from '../../errors.js'
import type { Step } from '../remote/wire/steps.js'
import { type BackingOptions, checkAdapterOptions, checkBacking, inOneTurn, update, written } from './backing.js'

export type { Backing, BackingOptions } from './backing.js'

// ── express-rate-limit ──

export interface RateLimitStoreOptions extends BackingOptions {
  /** The beginning of every key in the cache. Default `'rl:'`. Two limiters that share a cache need different ones. */
  prefix?: string | undefined
}

/** The hits of a client, and when they will be forgotten. */
export interface RateLimitHits {
  totalHits: number
  resetTime: Date | undefined
}

/** A store for `rateLimit({ store })`. */
export function rateLimitStore(options: RateLimitStoreOptions): RateLimitStore {
  return new RateLimitStore(options)
}

export class RateLimitStore {
  readonly prefix: string
  /** Other stores may have the same keys. */
  readonly localKeys = false
  readonly #cache: BackingOptions['cache']
  #windowMs = 60_000

  constructor(options: RateLimitStoreOptions) {
    const { cache, prefix = 'rl:' } = checkAdapterOptions(options, ['prefix'])
    if (typeof prefix !== 'string') throw new TypeError(mustBe('prefix', 'a string', prefix))
    this.#cache = cache
    this.prefix = prefix
  }

  init({ windowMs }: { windowMs: number }): void {
    this.#windowMs = windowMs
  }

  async get(key: string): Promise<RateLimitHits | undefined> {
    const entry = await (await this.#cache).entry(this.prefix + key)
    return entry && hits(entry.value as number, entry)
  }

  async increment(key: string): Promise<RateLimitHits> {
    const full = this.prefix + key
    const steps: Step[] = [
      { type: 'increment', key: full, ttl: Math.max(0, this.#windowMs) / 1000 },
      { type: 'entry', key: full },
    ]
    const [totalHits, entry] = await written(inOneTurn(await this.#cache, steps))
    return hits(totalHits as number, entry as { expiresAtMs?: number } | undefined)
  }

  /** Takes one hit back, never below 0. */
  async decrement(key: string): Promise<void> {
    await update<number>(await this.#cache, this.prefix + key, (entry) => {
      return entry === undefined || entry.value <= 0 ? undefined : [entry.value - 1, { ttl: 'keep' }]
    })
  }

  async resetKey(key: string): Promise<void> {
    await written((await this.#cache).delete(this.prefix + key))
  }

  async resetAll(): Promise<void> {
    await written((await this.#cache).deletePrefix(this.prefix))
  }

  /** What express-rate-limit calls up to version 5. Later ones ignore it beside `increment`. */
  incr(_key: string, callback: (error: Error) => void): void {
    callback(new TypeError('daybook/rate-limit supports express-rate-limit 7 and 8. This is version 5 or older.'))
  }
}

function hits(totalHits: number, entry: { expiresAtMs?: number | undefined } | undefined): RateLimitHits {
  const atMs = entry?.expiresAtMs // none if it has expired since the increment
  return { totalHits, resetTime: atMs === undefined ? undefined : new Date(atMs) }
}

// ── rate-limiter-flexible ──

/** What is used of the module `rate-limiter-flexible`. */
export interface FlexibleModule<Limiter extends object = object> {
  /** Any limiter with a store: the abstract class that it extends is not exported. */
  RateLimiterMemcache: new (
    options: never,
  ) => Limiter
  RateLimiterRes: new (remaining: number, msBeforeNext: number, consumed: number, isFirst: boolean) => object
}

/** `keyPrefix`, `blockDuration` and the other options of a limiter's store are passed on. */
export interface FlexibleLimiterOptions extends BackingOptions {
  points: number
  /** Seconds; 0 for no end. */
  duration: number
  [option: string]: unknown
}

/** What a limiter's abstract class gives its subclasses. */
interface AbstractLimiter {
  readonly points: number
}

/** The points that a key has consumed, and the milliseconds until they are forgotten: −1 for never. */
interface Consumed {
  points: number
  msBeforeNext: number
}

/** A limiter of rate-limiter-flexible: `import * as flexible from 'rate-limiter-flexible'`, and pass that. */
export function flexibleLimiter<Limiter extends object>(
  flexible: FlexibleModule<Limiter>,
  options: FlexibleLimiterOptions,
): Limiter {
  const { RateLimiterMemcache, RateLimiterRes } = (flexible ?? {}) as FlexibleModule
  const RateLimiterStoreAbstract: unknown = RateLimiterMemcache && Object.getPrototypeOf(RateLimiterMemcache)
  if (!isAbstractStore(RateLimiterStoreAbstract) || typeof RateLimiterRes !== 'function') {
    throw new TypeError(mustBe('The first argument', 'the module rate-limiter-flexible, version 11', flexible))
  }
  const { cache: backing, ...others } = options
  checkBacking(backing)

  class DaybookLimiter extends RateLimiterStoreAbstract {
    _getRateLimiterRes(_key: string, changed: number, { points, msBeforeNext }: Consumed): object {
      return new RateLimiterRes(Math.max(this.points - points, 0), msBeforeNext, points, points === changed)
    }

    async _upsert(key: string, points: number, msDuration: number, isForced = false): Promise<Consumed> {
      const ttl = msDuration > 0 ? msDuration / 1000 : Number.POSITIVE_INFINITY
      const steps: Step[] = [
        isForced ? { type: 'set', key, value: points, ttl } : { type: 'increment', key, by: points, ttl },
        { type: 'ttl', key },
      ]
      const [sum, left] = await written(inOneTurn(await backing, steps))
      return { points: isForced ? points : (sum as number), msBeforeNext: milliseconds(left as number | undefined) }
    }

    async _get(key: string): Promise<Consumed | null> {
      const [points, left] = await inOneTurn(await backing, [
        { type: 'peek', key },
        { type: 'ttl', key },
      ])
      return points === undefined
        ? null
        : { points: points as number, msBeforeNext: milliseconds(left as number | undefined) }
    }

    async _delete(key: string): Promise<boolean> {
      return written((await backing).delete(key))
    }
  }

  return new DaybookLimiter(others) as unknown as Limiter
}

function isAbstractStore(value: unknown): value is new (options: object) => AbstractLimiter {
  return typeof value === 'function' && typeof value.prototype?._upsert === 'function'
}

/** Of the seconds left: none if the entry has just expired. */
function milliseconds(secondsLeft = 0): number {
  return secondsLeft === Number.POSITIVE_INFINITY ? -1 : Math.round(secondsLeft * 1000)
}
