/**
 * The client that outlives its owner: when the line ends, it looks for another owner, and asks again what was not answered. Before:
 * `edges/processes/client` and `edges/cluster/client`, which know where an owner is. After: requests.
 */
import { checkKeys } from '../../../cache/arguments/arguments.js'
import type { Clock } from '../../../core/model/clock.js'
import { outsideRequests } from '../../../durable/outside-requests.js'
import { CacheClosedError, CacheError } from '../../../errors.js'
import type { Line } from '../line.js'
import { ASK_AGAIN_MS } from '../wire/protocol.js'
import type { encodeCall } from './encode-call.js'
import { RemoteClient, SHUT } from './remote-client.js'
import { Requests } from './requests.js'

const LOOK_MS = 1_000

/** A line to an owner that was found. */
export interface Found {
  readonly line: Line
  /** The line is used from now on. */
  taken?(): void
  /** The client has ended meanwhile. */
  dropped?(): void
}

export interface Renewing {
  readonly timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  /** Milliseconds, from any beginning. */
  now(): number
  /** The time at which a batch is first sent, if it says that when it is sent again. */
  stamp?: (() => number) | undefined
  /** How long a call waits for an owner when there is none. Milliseconds. */
  readonly reconnectTimeoutMs: number
  /** Finds an owner, however long it takes. An error ends the client. */
  find(signal: AbortSignal): Promise<Found>
  /** The line is gone. */
  lost?(): void
  /** The client has ended. */
  ended?(): void
  readonly errors: {
    closed(): CacheClosedError
    /** Too much waits. */
    full(): CacheError
    unavailable(wasSent: boolean): CacheError
    /** The owner was lost during `load` or `restore`. */
    loadLost(): CacheError
  }
}

export class RenewedClient<V> extends RemoteClient<V> {
  readonly #requests: Requests
  readonly #renewing: Renewing
  readonly #aborting = new AbortController()
  #lostMs: number | undefined
  #keepAlive: unknown
  #lookTimer: unknown

  constructor(line: Line, renewing: Renewing, encode?: typeof encodeCall) {
    const { errors, now, stamp } = renewing
    const requests: Requests = new Requests(
      line,
      { closed: errors.closed, lost: errors.closed },
      {
        onLost: (reason) => this.#lose(reason),
        hold: (isHeld) => this.#hold(isHeld),
        full: errors.full,
        now,
        stamp,
      },
    )
    super(requests, encode)
    this.#requests = requests
    this.#renewing = renewing
    const { onEnd } = requests
    requests.onEnd = (error, reason) => {
      onEnd(error, reason)
      this.#stop()
    }
  }

  /** @internal A request that is no method of its own. */
  ask(code: number, parameters: readonly unknown[]): Promise<unknown> {
    return this.#requests.ask(code, parameters)
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
    const { now, timers, lost, errors } = this.#renewing
    timers.clearTimeout(this.#lookTimer)
    if (this.#aborting.signal.aborted) return
    if (this.#requests.isClosing && this.#requests.isIdle) {
      this.#requests.end()
      return
    }
    lost?.()
    this.#lostMs = now()
    // An owner that closes in order has answered what it had begun.
    if (!(reason instanceof CacheClosedError)) this.#requests.rejectOnce(errors.loadLost())
    this.#expire()
    outsideRequests(() => this.#renew())
  }

  #renew(): void {
    const { timers, errors, find, now } = this.#renewing
    find(this.#aborting.signal).then(
      (found) => {
        if (this.#aborting.signal.aborted) {
          found.line.close()
          found.dropped?.()
          return
        }
        // A process that was stopped for long must not ask again what the owner may have forgotten.
        this.#requests.expire(now() - this.#patienceMs, errors.unavailable)
        timers.clearTimeout(this.#lookTimer)
        this.#lostMs = undefined
        found.taken?.()
        this.#requests.resume(found.line)
      },
      (error: CacheError) => {
        if (!this.#aborting.signal.aborted) this.#requests.end(error, false)
      },
    )
  }

  get #patienceMs(): number {
    return Math.min(this.#renewing.reconnectTimeoutMs, ASK_AGAIN_MS)
  }

  /** Rejects the calls that have waited too long, now and until there is an owner. */
  #expire(): void {
    const { now, timers, errors } = this.#renewing
    const sinceMs = now() - this.#patienceMs
    this.#requests.expire(sinceMs, errors.unavailable)
    if (this.#lostMs !== undefined && this.#lostMs <= sinceMs)
      this.#requests.long.expire(() => errors.unavailable(true))
    this.#lookTimer = timers.setTimeout(() => this.#expire(), Math.min(LOOK_MS, this.#patienceMs / 10))
  }

  #hold(isHeld: boolean): void {
    const { timers } = this.#renewing
    timers.clearTimeout(this.#keepAlive)
    this.#keepAlive = isHeld ? timers.setTimeout(() => undefined, ASK_AGAIN_MS, true) : undefined
  }

  // ── the end ──

  protected override async [SHUT](): Promise<void> {
    if (this.#lostMs !== undefined && this.#requests.isIdle) this.#requests.end()
    else await super[SHUT]()
  }

  /** No more calls. */
  #stop(): void {
    this.#aborting.abort()
    this.#hold(false)
    this.#renewing.timers.clearTimeout(this.#lookTimer)
    this.#renewing.ended?.()
  }
}
