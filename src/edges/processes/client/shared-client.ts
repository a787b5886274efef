/**
 * The client that outlives its owner: when the line ends, it looks for another owner, or becomes it, and asks again what was not
 * answered. Before: processes.ts. After: edges/remote/client, and seek.
 */
import { resolve } from 'node:path'
import type { Observable } from 'rxjs'
import { BehaviorSubject } from 'rxjs/internal/BehaviorSubject'
import { checkKeys } from '../../../cache/arguments/arguments.js'
import { journalClock } from '../../../cache/system-clock.js'
import { outsideRequests } from '../../../durable/outside-requests.js'
import { CacheClosedError, CacheError } from '../../../errors.js'
import { encodeCall } from '../../remote/client/encode-call.js'
import { RemoteClient } from '../../remote/client/remote-client.js'
import { Requests } from '../../remote/client/requests.js'
import { OP, type RemoteMethod } from '../../remote/wire/codes.js'
import type { OwnerGreeting } from '../greeting.js'
import { ASK_AGAIN_MS, type SharedOwner } from '../owner/shared-owner.js'
import { type Place, type Seeking, seek } from './seek.js'
import type { Role, SharedCache } from './shared-cache.js'

const LOOK_MS = 1_000
/** An owner that was not heard of for so long is stalled. */
const STALLED_MS = 5_000

export interface Joining extends Seeking {
  readonly reconnectTimeoutMs: number
}

class SharedClient<V> extends RemoteClient<V> implements SharedCache<V> {
  readonly role$: Observable<Role>
  readonly #requests: Requests
  readonly #joining: Joining
  readonly #roles: BehaviorSubject<Role>
  readonly #aborting = new AbortController()
  /** What it was last a client of. */
  #before: OwnerGreeting | undefined
  #owner: SharedOwner | undefined
  #lostMs: number | undefined
  #keepAlive: unknown
  #lookTimer: unknown
  #shutting: Promise<void> | undefined

  constructor(joining: Joining, place: Place) {
    const requests: Requests = new Requests(
      place.line,
      { closed, lost: closed },
      { onLost: (reason) => this.#lose(reason), hold: (isHeld) => this.#hold(isHeld), full },
    )
    super(requests, encodeSharedCall)
    this.#requests = requests
    this.#joining = joining
    this.#roles = new BehaviorSubject<Role>(roleAt(place))
    this.role$ = this.#roles.asObservable()
    const { onEnd } = requests
    requests.onEnd = (error, reason) => {
      onEnd(error, reason)
      this.#stop()
    }
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

  override getOrSet(...parameters: Parameters<RemoteClient<V>['getOrSet']>): Promise<V> {
    return this.#untilLoaded(() => super.getOrSet(...parameters))
  }

  override async getOrSetMany(
    ...[keys, ...rest]: Parameters<RemoteClient<V>['getOrSetMany']>
  ): Promise<Map<string, V>> {
    const list = checkKeys(keys)
    return this.#untilLoaded(() => super.getOrSetMany(list, ...rest))
  }

  /** If the process that loads ends, the first of those that wait loads in its place. */
  async #untilLoaded<T>(load: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await load()
      } catch (error) {
        if (!(error instanceof CacheError && error.code === 'LOADER_GONE')) throw error
      }
    }
  }

  // ── the owner is gone ──

  #lose(reason: CacheError | undefined): void {
    this.#owner = undefined
    journalClock.clearTimeout(this.#lookTimer)
    if (this.#aborting.signal.aborted) return
    if (this.#shutting !== undefined && this.#requests.isIdle) {
      this.#requests.end()
      return
    }
    this.#lostMs = performance.now()
    const wasOrderly = reason instanceof CacheClosedError
    this.#requests.long.expire((code) =>
      (code === OP.load || code === OP.restore) && !wasOrderly ? loadLost() : undefined,
    )
    this.#roles.next({ role: 'reconnecting', pid: undefined })
    this.#expire()
    outsideRequests(() => this.#renew())
  }

  #renew(): void {
    seek(this.#joining, this.#before, Number.POSITIVE_INFINITY, this.#aborting.signal).then(
      (place) => {
        if (this.#aborting.signal.aborted) {
          place.line.close()
          if (place.role === 'owner') place.owner.close().catch(() => undefined)
          return
        }
        // A process that was stopped for long must not ask again what the owner may have forgotten.
        this.#requests.expire(performance.now() - this.#patienceMs, unavailable)
        journalClock.clearTimeout(this.#lookTimer)
        this.#lostMs = undefined
        this.#take(place)
        this.#requests.resume(place.line)
      },
      (error: CacheError) => {
        if (!this.#aborting.signal.aborted) this.#requests.end(error, false)
      },
    )
  }

  get #patienceMs(): number {
    return Math.min(this.#joining.reconnectTimeoutMs, ASK_AGAIN_MS)
  }

  /** Rejects the calls that have waited too long, now and until there is an owner. */
  #expire(): void {
    const sinceMs = performance.now() - this.#patienceMs
    this.#requests.expire(sinceMs, unavailable)
    if (this.#lostMs !== undefined && this.#lostMs <= sinceMs) this.#requests.long.expire(() => unavailable(true))
    this.#lookTimer = journalClock.setTimeout(() => this.#expire(), Math.min(LOOK_MS, this.#patienceMs / 10))
  }

  #hold(isHeld: boolean): void {
    journalClock.clearTimeout(this.#keepAlive)
    this.#keepAlive = isHeld ? journalClock.setTimeout(() => undefined, ASK_AGAIN_MS, true) : undefined
  }

  // ── the owner does not answer ──

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

  // ── the end ──

  override close(): Promise<void> {
    this.#shutting ??= this.#shut()
    return this.#shutting
  }

  async #shut(): Promise<void> {
    const owner = this.#owner
    if (this.#lostMs !== undefined && this.#requests.isIdle) this.#requests.end()
    else await super.close()
    await owner?.close()
  }

  /** No more calls. */
  #stop(): void {
    this.#aborting.abort()
    this.#hold(false)
    journalClock.clearTimeout(this.#lookTimer)
    this.#roles.complete()
  }
}

/** Relative paths are this process's, whichever reads or writes the file. */
function encodeSharedCall(name: RemoteMethod, parameters: readonly unknown[]): unknown[] {
  const [path, ...rest] = parameters
  if ((name !== 'save' && name !== 'load') || typeof path !== 'string' || path === '')
    return encodeCall(name, parameters)
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
