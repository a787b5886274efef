/**
 * `daybook/unstorage`: a driver of unstorage 1.17, and so of Nitro and Nuxt.
 *
 *   const storage = createStorage({ driver: unstorageDriver({ cache }) })
 *
 * The contract (`Driver`): asynchronous methods, `null` for no item, a `ttl` in seconds, keys whose parts are separated by colons.
 * unstorage makes text of what `setItem` stores; `setItemRaw` stores what structured cloning takes.
 */
import { mustBe } from '../../errors.js'
import { type BackingOptions, checkAdapterOptions, keysUnder, written } from './backing.js'

export type { Backing, BackingOptions } from './backing.js'

export interface UnstorageDriverOptions extends BackingOptions {
  /** The beginning of every key in the cache. Default `'storage:'`. */
  prefix?: string | undefined
}

/** Options of one call. */
export interface ItemOptions {
  /** Seconds; 0 or none for the default of the cache. */
  ttl?: number | undefined
}

export type WatchCallback = (event: 'update' | 'remove', key: string) => unknown

/** A driver for `createStorage({ driver })` and `storage.mount(base, driver)`. */
export function unstorageDriver(options: UnstorageDriverOptions): UnstorageDriver {
  return new UnstorageDriver(options)
}

export class UnstorageDriver {
  readonly name = 'daybook'
  readonly flags = { ttl: true, maxDepth: true }
  readonly options: UnstorageDriverOptions
  readonly #cache: BackingOptions['cache']
  readonly #prefix: string

  constructor(options: UnstorageDriverOptions) {
    const { cache, prefix = 'storage:' } = checkAdapterOptions(options, ['prefix'])
    if (typeof prefix !== 'string') throw new TypeError(mustBe('prefix', 'a string', prefix))
    this.options = options
    this.#cache = cache
    this.#prefix = prefix
  }

  // unstorage calls the methods without the driver before the dot.

  readonly getInstance = (): BackingOptions['cache'] => this.#cache

  readonly hasItem = async (key: string): Promise<boolean> => (await this.#cache).has(this.#prefix + key)

  readonly getItem = async (key: string): Promise<string | null> => (await this.getItemRaw(key)) as string | null

  readonly getItemRaw = async (key: string): Promise<unknown> => {
    return (await (await this.#cache).get(this.#prefix + key)) ?? null
  }

  readonly getItems = async (items: { key: string }[]): Promise<{ key: string; value: string | null }[]> => {
    const values = await (await this.#cache).getMany(items.map(({ key }) => this.#prefix + key))
    return items.map(({ key }, index) => ({ key, value: (values[index] as string | undefined) ?? null }))
  }

  readonly setItem = (key: string, value: string, options?: ItemOptions): Promise<void> => {
    return this.setItemRaw(key, value, options)
  }

  readonly setItemRaw = async (key: string, value: unknown, options?: ItemOptions): Promise<void> => {
    await written((await this.#cache).set(this.#prefix + key, value, living(options)))
  }

  /** One frame: all of them or none. */
  readonly setItems = async (
    items: { key: string; value: string; options?: ItemOptions }[],
    shared?: ItemOptions,
  ): Promise<void> => {
    const entries = items.map(({ key, value, options }) => {
      return [this.#prefix + key, value, living({ ...shared, ...options })] as const
    })
    await written((await this.#cache).setMany(entries))
  }

  readonly removeItem = async (key: string): Promise<void> => {
    await written((await this.#cache).delete(this.#prefix + key))
  }

  /** `ttl`: the seconds left, if the item expires. */
  readonly getMeta = async (key: string): Promise<{ ttl?: number } | null> => {
    const ttl = await (await this.#cache).ttl(this.#prefix + key)
    if (ttl === undefined) return null
    return ttl === Number.POSITIVE_INFINITY ? {} : { ttl }
  }

  readonly getKeys = async (base = '', { maxDepth = Number.POSITIVE_INFINITY } = {}): Promise<string[]> => {
    const found: string[] = []
    for await (const keys of keysUnder(await this.#cache, this.#prefix + base)) {
      for (const key of keys) found.push(key.slice(this.#prefix.length))
    }
    return found.filter((key) => key.split(':').length - 1 <= maxDepth)
  }

  readonly clear = async (base = ''): Promise<void> => {
    await written((await this.#cache).deletePrefix(this.#prefix + base))
  }

  /** The cache stays open: whoever opened it closes it. */
  readonly dispose = (): void => undefined

  /** Also tells of items that expire or are evicted, and of what others do to the cache. A `load()` tells only what it removes. */
  readonly watch = async (callback: WatchCallback): Promise<() => void> => {
    const { changes$, removals$ } = await this.#cache
    const tell = (event: 'update' | 'remove', key: string | undefined) => {
      if (key?.startsWith(this.#prefix) === true) callback(event, key.slice(this.#prefix.length))
    }
    const subscription = changes$.subscribe(({ type, key }) => type === 'set' && tell('update', key))
    subscription.add(removals$.subscribe(({ reason, key }) => reason !== 'replaced' && tell('remove', key)))
    return () => subscription.unsubscribe()
  }
}

function living({ ttl }: ItemOptions = {}): ItemOptions {
  return ttl === undefined || ttl === 0 ? {} : { ttl }
}
