/**
 * The client of a shared cache: when its owner is gone it looks for another one, or becomes it. Before: processes.ts. After:
 * edges/remote/client/renewed-client, and seek.
 */
import { resolve } from 'node:path'
import type { Observable } from 'rxjs'
import { BehaviorSubject } from 'rxjs/internal/BehaviorSubject'
import { journalClock } from '../../../cache/system-clock.js'
import { CacheClosedError, CacheError } from '../../../errors.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import { SHUT } from '../../remote/client/remote-client.js'
import { RenewedClient } from '../../remote/client/renewed-client.js'
import type { RemoteMethod } from '../../remote/wire/codes.js'
import type { OwnerGreeting } from '../greeting.js'
import type { SharedOwner } from '../owner/shared-owner.js'
import { type Place, type Seeking, seek } from './seek.js'
import type { Role, SharedCache } from './shared-cache.js'

const LOOK_MS = 1_000
/** An owner that was not heard of for so long is stalled. */
const STALLED_MS = 5_000

export interface Joining extends Seeking {
  readonly reconnectTimeoutMs: number
}

class SharedClient<V> extends RenewedClient<V> implements SharedCache<V> {
  readonly role$: Observable<Role>
  readonly #roles: BehaviorSubject<Role>
  /** What it was last a client of. */
  #before: OwnerGreeting | undefined
  #owner: SharedOwner | undefined
  #lookTimer: unknown

  constructor(joining: Joining, place: Place) {
    super(
      place.line,
      {
        timers: journalClock,
        now: () => performance.now(),
        reconnectTimeoutMs: joining.reconnectTimeoutMs,
        find: async (signal) => {
          const found = await seek(joining, this.#before, Number.POSITIVE_INFINITY, signal)
          return { line: found.line, taken: () => this.#take(found), dropped: () => drop(found) }
        },
        lost: () => this.#lose(),
        ended: () => this.#stop(),
        errors: { closed, full, unavailable, loadLost },
      },
      encodeSharedCall,
    )
    this.#roles = new BehaviorSubject<Role>(roleAt(place))
    this.role$ = this.#roles.asObservable()
    this.#take(place)
  }

  #take(place: Place): void {
    if (place.role === 'owner') this.#owner = place.owner
    else {
      this.#before = place.owner
      this.#watch(place.line)
    }
    const role = roleAt(place)
    if (this.#roles.value.role !== role.role || this.#roles.value.pid !== role.pid) this.#roles.next(role)
  }

  #lose(): void {
    this.#owner = undefined
    journalClock.clearTimeout(this.#lookTimer)
    this.#roles.next({ role: 'reconnecting', pid: undefined })
  }

  /** The owner does not answer. */
  #watch(line: { readonly heardMs: number }): void {
    let lookedMs = performance.now()
    const look = () => {
      const nowMs = performance.now()
      // If this process was stopped itself, what the owner sent meanwhile has not been read yet.
      const wasStopped = nowMs - lookedMs > STALLED_MS / 2
      lookedMs = nowMs
      const isStalled = nowMs - line.heardMs > STALLED_MS
      const { role, pid, warning } = this.#roles.value
      if (!wasStopped && isStalled !== (warning !== undefined))
        this.#roles.next(isStalled ? { role, pid, warning: stalled(pid) } : { role, pid })
      this.#lookTimer = journalClock.setTimeout(look, LOOK_MS)
    }
    this.#lookTimer = journalClock.setTimeout(look, LOOK_MS)
  }

  protected override async [SHUT](): Promise<void> {
    const owner = this.#owner
    await super[SHUT]()
    await owner?.close()
  }

  /** No more calls. */
  #stop(): void {
    journalClock.clearTimeout(this.#lookTimer)
    this.#roles.complete()
  }
}

function drop(place: Place): void {
  if (place.role === 'owner') place.owner.close().catch(() => undefined)
}

const TAKE_PATHS: readonly string[] = ['save', 'load', 'fork'] satisfies RemoteMethod[]

/** Relative paths are this process's, whichever reads or writes the files. */
function encodeSharedCall(name: RemoteMethod, parameters: readonly unknown[]): unknown[] {
  const [path, ...rest] = parameters
  if (!TAKE_PATHS.includes(name) || typeof path !== 'string' || path === '') return encodeCall(name, parameters)
  return encodeCall(name, [resolve(path), ...rest])
}

function roleAt(place: Place): Role {
  if (place.role === 'client') return { role: 'client', pid: place.owner.pid }
  const { warning } = place
  return { role: 'owner', pid: process.pid, ...(warning === undefined ? {} : { warning }) }
}

function closed(): CacheClosedError {
  return new CacheClosedError('This process has closed the shared cache', {
    consequence: 'Calls under way may or may not have taken effect.',
    advice: 'Call openShared() again.',
  })
}

function full(): CacheError {
  return new CacheError('OWNER_UNAVAILABLE', 'The owner of the cache is gone, and the calls that wait hold 64 MiB')
}

function unavailable(wasSent: boolean): CacheError {
  return new CacheError(
    'OWNER_UNAVAILABLE',
    'The owner of the cache is gone, and no other one has been found in time',
    {
      consequence: wasSent ? 'The call may have taken effect, at most once.' : 'Nothing was changed.',
    },
  )
}

function loadLost(): CacheError {
  return new CacheError(
    'OUTCOME_UNKNOWN',
    'The owner of the cache ended while it loaded a file, or restored the past',
    {
      consequence: 'It has taken effect as a whole, or not at all.',
      advice: 'Look, and call it again if you need to.',
    },
  )
}

function stalled(pid: number | undefined): CacheError {
  return new CacheError(
    'OWNER_STALLED',
    `Process ${pid}, which owns the cache, has not been heard of for ${STALLED_MS / 1_000} s`,
  )
}

/** Joins the processes that share a directory. */
export async function join<V>(joining: Joining): Promise<SharedCache<V>> {
  const { signal } = new AbortController()
  const place = await seek(joining, undefined, performance.now() + joining.reconnectTimeoutMs, signal)
  return new SharedClient<V>(joining, place)
}
