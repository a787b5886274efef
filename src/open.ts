/** The composition root: the only place that knows all the parts. */
import { resolve } from 'node:path'
import { type Actor, createActor, toObserver } from 'xstate'
import { type CacheInstance, type CacheLogic, createLogic } from './cache/actor/logic.js'
import { Cache, type CacheMessage } from './cache/cache.js'
import { CacheCore } from './cache/cache-core.js'
import { answer, tellCalls } from './cache/messages.js'
import { type CacheOptions, type ResolvedOptions, resolveOptions } from './cache/options.js'
import { Streams } from './cache/streams/streams.js'
import type { Journal } from './durable/contract.js'
import { encodedBytes } from './durable/format/encode-event.js'
import { FileJournal } from './durable/journal/file-journal.js'
import { disk } from './durable/storage/disk.js'
import { MemoryStorage } from './durable/storage/memory.js'
import { Inner } from './edges/remote/owner/inner.js'
import { Ports } from './edges/threads/owner/ports.js'
import { restoreValue } from './values/encode.js'

/**
 * Opens a cache: recovers what its journal holds, and takes the directory for itself.
 *
 * @throws CacheLockedError when another cache has the directory; CorruptionError when the journal is damaged;
 * CacheError when it cannot be read; TypeError or RangeError for a bad option.
 */
export async function openCache<V = unknown>(options: CacheOptions = {}): Promise<Cache<V>> {
  return openComposed(compose<V>(resolveOptions(options)))
}

/** @internal The same with the full turn for every call: what the tests compare the shortcuts with. */
export async function openCacheWithoutShortcuts<V = unknown>(options: CacheOptions = {}): Promise<Cache<V>> {
  return openComposed(compose<V>(resolveOptions(options), false))
}

async function openComposed<V>({ cache, instance, options }: Composition<V>): Promise<Cache<V>> {
  const { promise, settle } = once()
  const logic = createLogic(() => ({
    ...instance,
    open: () => settle(instance.open()),
  }))
  const actor = createActor(logic, {
    clock: options.clock as never,
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
  })
  actor.subscribe({ error: () => undefined }) // it goes to our caller
  if (options.inspect !== undefined) tellInspector(cache as Cache, actor, options.inspect)
  Object.defineProperty(cache, 'actor', { value: actor, enumerable: true })
  actor.start()
  await promise
  return cache
}

/**
 * The cache's actor logic, to `invoke` or `spawnChild` from a machine of yours. Send it commands named after the methods,
 * with `replyTo`. Stopping the actor closes the cache. Its persisted snapshot names the directory, not the data.
 *
 * @throws TypeError or RangeError for a bad option.
 */
export function cacheLogic(options: CacheOptions = {}): CacheLogic<CacheMessage> {
  const resolved = resolveOptions(options)
  return createLogic(() => compose(resolved).instance) as unknown as CacheLogic<CacheMessage> // `answer` refuses others
}

/** A journal that lives in memory only: for tests, and for a cache that should behave like one with a journal. It can be opened again after `close()`. */
export function memoryJournal(): Journal {
  return new FileJournal(new MemoryStorage(), 'memory')
}

interface Composition<V> {
  cache: Cache<V>
  instance: CacheInstance
  options: ResolvedOptions
}

function compose<V>(options: ResolvedOptions, usesShortcuts = true): Composition<V> {
  const { directory, isolation } = options
  // One of them is given. A relative directory is that of this moment, wherever the program goes later.
  const journal = options.journal ?? new FileJournal(disk, resolve(directory as string))
  const streams = new Streams<V>((stored) => restoreValue(stored, isolation))
  const core = new CacheCore({ ...options, journal, weigh: encodedBytes, usesShortcuts }, streams)
  let ports: Ports | undefined // made for the first who shares
  const cache: Cache<V> = new Cache<V>(core, streams, options, () => {
    ports ??= new Ports(cache as Cache, options.fsync === 'always')
    return ports.share()
  })
  new Inner(cache as Cache, core)
  return {
    cache,
    options,
    instance: {
      directory,
      open: () => core.open(),
      answer: (message) => answer(cache as Cache, message),
      whenIdle: (task) => core.turns.whenIdle(task),
      close: () => core.close(),
    },
  }
}

/** A call is a message, though it is not sent: the inspector is told of it in XState's own words. */
function tellInspector(cache: Cache, actor: Actor<CacheLogic>, inspect: NonNullable<ResolvedOptions['inspect']>): void {
  const inspector = toObserver(inspect as never)
  tellCalls(cache, (event) => {
    inspector.next?.({
      type: '@xstate.event',
      actorRef: actor,
      rootId: actor.sessionId,
      sourceRef: undefined,
      event,
    } as never)
  })
}

/** Resolves with the first promise that is handed in. */
function once() {
  let settle!: (outcome: Promise<void>) => Promise<void>
  const promise = new Promise<void>((resolve) => {
    settle = (outcome) => {
      resolve(outcome)
      return outcome
    }
  })
  return { promise, settle }
}
