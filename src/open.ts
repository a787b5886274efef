/** The composition root: puts the parts of a cache together. */
import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { createActor } from 'xstate'
import { Inspection } from './cache/actor/inspection.js'
import { startLifecycle } from './cache/actor/lifecycle.js'
import { type CacheInstance, type CacheLogic, createLogic } from './cache/actor/logic.js'
import { assemble } from './cache/assembly.js'
import { Cache, type CacheMessage } from './cache/cache.js'
import { Door } from './cache/door/door.js'
import { Scans } from './cache/door/scans.js'
import { execute } from './cache/execute.js'
import { LookingBack, type PastSource } from './cache/history/looking-back.js'
import { Maintenance } from './cache/lifecycle/maintenance.js'
import { Opening } from './cache/lifecycle/opening.js'
import {
  type CacheOptions,
  type MemoryCacheOptions,
  type ResolvedOptions,
  resolveMemoryOptions,
  resolveOptions,
} from './cache/options.js'
import { rehearse } from './cache/rehearsal.js'
import { SavedFiles } from './cache/saved-files/saved-files.js'
import { NumberedCommands } from './cache/turns/numbered.js'
import { NEW_LIMITS } from './core/model/limits.js'
import type { Journal } from './durable/contract.js'
import { FileJournal } from './durable/journal/file-journal.js'
import { outsideRequests } from './durable/outside-requests.js'
import { disk, unlockedDisk } from './durable/storage/disk.js'
import { MemoryStorage } from './durable/storage/memory.js'
import type { Storage } from './durable/storage/storage.js'
import { Sharing } from './edges/threads/owner/sharing.js'

/**
 * Opens a cache: locks the directory and recovers what its journal holds.
 *
 * @throws CacheLockedError if another cache has the directory open; CorruptionError if the journal is damaged;
 * CacheError if it cannot be read or locked; TypeError or RangeError for a wrong option.
 */
export function openCache<V = unknown>(options: CacheOptions = {}): Promise<Cache<V>> {
  return outsideRequests(() => openWithin<V>(options))
}

interface Surroundings {
  /** The `maxSize` of a new journal if the options have none. The command line begins journals without a limit. */
  newMaxSize?: number
  /** For tests: instead of the limit of V8's Map. */
  entriesMax?: number
  /** For tests. */
  storage?: Storage
}

/** @internal */
export async function openWithin<V = unknown>(options: CacheOptions, around: Surroundings = {}): Promise<Cache<V>> {
  const resolved = resolveOptions(options)
  const inspection = new Inspection(resolved.inspect)
  const { cache, instance, opening } = compose<V>(resolved, around, inspection)
  const { promise, settle } = once()
  startActor(cache, { ...instance, open: () => settle(opening.open()) }, resolved, inspection)
  await promise
  return cache
}

/**
 * A cache whose journal is in memory and ends with it. Like `openCache()`, but without waiting.
 *
 * @throws TypeError or RangeError for a wrong option; `directory`, `journal`, `lock`, `onCorruption` and `history` are not options here.
 */
export function memoryCache<V = unknown>(options: MemoryCacheOptions = {}): Cache<V> {
  return outsideRequests(() => {
    const journal = newMemoryJournal()
    const resolved = resolveMemoryOptions(options, journal)
    const inspection = new Inspection(resolved.inspect)
    const { cache, instance, opening } = compose<V>(resolved, {}, inspection)
    opening.openNow((session) => journal.openNew(session))
    startActor(cache, { ...instance, open: () => undefined }, resolved, inspection)
    return cache
  })
}

function startActor<V>(
  cache: Cache<V>,
  instance: CacheInstance,
  { clock, inspect }: ResolvedOptions,
  inspection: Inspection,
): void {
  const options = { clock: clock as never, ...(inspect === undefined ? {} : { inspect }) }
  const actor = createActor(
    createLogic(() => instance),
    options,
  )
  inspection.actor = actor
  actor.subscribe({ error: () => undefined }) // openCache rejects with it
  Object.defineProperty(cache, 'actor', { value: actor, enumerable: true })
  actor.start()
}

/**
 * A cache as actor logic, to `invoke` or `spawnChild` from another machine. Send it messages named after the methods, with a
 * `replyTo`. Stopping the actor closes the cache. Its persisted snapshot holds the directory, not the data.
 *
 * @throws TypeError or RangeError for a wrong option.
 */
export function cacheLogic(options: CacheOptions = {}): CacheLogic<CacheMessage> {
  const resolved = resolveOptions(options)
  return createLogic(() => outsideRequests(() => compose(resolved, {}).instance)) as unknown as CacheLogic<CacheMessage> // execute() refuses others
}

/** A journal in memory, for tests and for caches that need not survive the process. It can be reopened after `close()`. */
export function memoryJournal(): Journal {
  return newMemoryJournal()
}

function newMemoryJournal(): FileJournal {
  return new FileJournal(new MemoryStorage(), 'memory')
}

function compose<V>(
  options: ResolvedOptions,
  { newMaxSize = NEW_LIMITS.maxSize, entriesMax, storage = options.lock ? disk : unlockedDisk }: Surroundings,
  inspection?: Inspection,
): { cache: Cache<V>; instance: CacheInstance; opening: Opening } {
  const { directory, eviction, isolation, inspect, cleanupIntervalMs } = options
  // There is either a journal or a directory. A relative path is resolved now: the working directory may change.
  const source = options.journal === undefined ? fileSource(storage, resolve(directory as string), options) : undefined
  const journal: Journal = options.journal ?? (source as PastSource).journal
  rehearse(eviction, journal.isSpeculative === true)
  const { maxSize = newMaxSize, maxBytes = NEW_LIMITS.maxBytes } = options.limits
  const limits = { maxSize, maxBytes }
  const notOpen = () => opening.notOpen()
  const warn = (warning: Error) => lifecycle.warn(warning)
  const assembly = assemble<V>({
    clock: options.clock,
    journal,
    limits,
    eviction,
    entriesMax,
    isolation,
    notOpen,
    warn,
  })
  const { clock, time, state, streams, expiry, turns, replica, cleanup, reads, loads } = assembly
  const scans = new Scans({ state, clock, newId: randomUUID })
  const numbered = new NumberedCommands({ state, turns })
  const removeSlice = () => cleanup.runSlice() === 'more'
  const lifecycle = startLifecycle({ cleanupIntervalMs, removeSlice }, { clock, inspect })
  const journalClock = journal.isSpeculative === true ? time.over(options.journalClock) : options.journalClock
  const opening = new Opening(
    { state, journal, clock, turns, replica, expiry, lifecycle },
    { ...options, journalClock },
  )
  const maintenance = new Maintenance({ state, journal, clock, turns, expiry, lifecycle, opening })
  const savedFiles = new SavedFiles({ state, journal, clock, storage, turns, opening, maintenance })
  opening.onJournalChange = maintenance.onJournalChange
  opening.onClose = loads.close
  opening.settled = () => maintenance.settled()
  const door = new Door(
    { clock, journal, opening, turns, reads, scans, loads, numbered, streams: streams.stored },
    {
      defaultTtlMs: options.ttlMs,
      random: options.random,
      isEverythingDurable: options.fsync === 'always',
      inspect: inspection?.isWanted === true ? inspection.inspect : undefined,
    },
  )
  const lookingBack = new LookingBack({
    source,
    storage,
    journal,
    state,
    clock,
    turns,
    loads,
    opening,
    isolation,
    isEverythingDurable: options.fsync === 'always',
  })
  const sharing = new Sharing(() => cache as Cache)
  const parts = {
    state,
    journal,
    lifecycle,
    opening,
    turns,
    reads,
    cleanup,
    maintenance,
    savedFiles,
    door,
    lookingBack,
    streams,
    openPort: () => outsideRequests(() => sharing.share()),
  }
  const cache: Cache<V> = new Cache<V>(parts, options)
  return {
    cache,
    opening,
    instance: {
      directory,
      open: () => outsideRequests(() => opening.open()),
      execute: (message) => {
        const call = () => execute(cache as Cache, message)
        return inspection === undefined ? call() : inspection.ofSent(call)
      },
      whenIdle: (task) => turns.whenIdle(task),
      close: () => opening.close({ force: true }), // the actor is stopped: nobody could close it later
    },
  }
}

/** A journal in a directory, and what reads its past. */
function fileSource(storage: Storage, directory: string, options: ResolvedOptions): PastSource {
  const { onCorruption, journalClock } = options
  return { journal: new FileJournal(storage, directory, undefined, onCorruption), storage, directory, journalClock }
}

/** A promise that is settled later, by the outcome of another one. */
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
