/**
 * The client of a node: it asks the leader, wherever that is, and again whoever leads next what was not answered. Streams and synchronous
 * reads are those of the node's own copy. Before: cluster.ts. After: edges/remote/client/renewed-client, and cluster-node.
 */
import type { Observable } from 'rxjs'
import { BehaviorSubject } from 'rxjs/internal/BehaviorSubject'
import { type Cache, innerOf } from '../../../cache/cache.js'
import {
  type AtOptions,
  type DiffOptions,
  type KeyHistoryOptions,
  refused,
  sequenceAhead,
} from '../../../cache/history/looking-back.js'
import type { PastChange } from '../../../cache/history/past-change.js'
import { checkSequence, type When } from '../../../cache/history/when.js'
import { restoreValue } from '../../../values/encode.js'
import { atArguments, diffArguments, historyArguments } from '../../remote/client/past-arguments.js'
import type { StreamsOf } from '../../remote/client/remote-cache.js'
import { SHUT } from '../../remote/client/remote-client.js'
import { RenewedClient } from '../../remote/client/renewed-client.js'
import { LocalLine } from '../../remote/line/local-line.js'
import type { ClusterClock } from '../journal/cluster-clock.js'
import type { ClusterNode } from '../node/cluster-node.js'
import { loadLost, nodeClosed, noLeader, tooMuchWaits } from '../node/refusals.js'
import type { ClusterRole, LocalCopy } from './cluster-cache.js'
import { localCopy } from './local-copy.js'
import { streamsOf } from './node-streams.js'
import { OF_THIS_NODE, pastGone } from './this-node.js'

export interface ClusterClientParts {
  readonly node: ClusterNode
  /** Of the node. */
  readonly id: string
  /** Of this client: 16 hexadecimal digits. */
  readonly client: string
  readonly clock: ClusterClock
  readonly reconnectTimeoutMs: number
}

export class ClusterClient<V> extends RenewedClient<V> {
  readonly local: LocalCopy<V>
  readonly role$: Observable<ClusterRole>
  /** @internal */
  readonly node: ClusterNode
  /** @internal */
  readonly cache: Cache<V>
  readonly #id: string
  readonly #roles: BehaviorSubject<ClusterRole>

  constructor({ node, id, client, clock, reconnectTimeoutMs }: ClusterClientParts) {
    super(nowhere(clock), {
      timers: clock,
      now: () => clock.ownNow(),
      stamp: () => node.journal.applier.timeMs,
      reconnectTimeoutMs,
      find: (signal) => node.find(client, signal),
      ended: () => this.#roles.complete(),
      errors: {
        closed: nodeClosed,
        full: tooMuchWaits,
        unavailable: (wasSent) => noLeader(wasSent, node.obstacle),
        loadLost,
      },
    })
    const cache = node.cache as Cache<V>
    this.node = node
    this.cache = cache
    this.#id = id
    Object.assign(this, streamsOf<V>(cache, this.lifecycle$))
    this.local = localCopy(cache, clock, (keys) => node.touch(keys))
    this.#roles = new BehaviorSubject<ClusterRole>(this.#roleNow())
    this.role$ = this.#roles.asObservable()
    node.onPlace = () => this.#look()
  }

  #roleNow(): ClusterRole {
    const { lagMs } = this.node
    const { state, leader, applier } = this.node.journal
    if (state === 'leading') return { role: 'leader', leader: this.#id, term: applier.epoch, lagMs }
    return { role: 'follower', leader, term: applier.epoch, lagMs }
  }

  #look(): void {
    const before = this.#roles.value
    const role = this.#roleNow()
    const seconds = (lagMs: number) => Math.floor(lagMs / 1_000)
    const isSame = role.role === before.role && role.leader === before.leader && role.term === before.term
    if (!isSame || seconds(role.lagMs) !== seconds(before.lagMs)) this.#roles.next(role)
  }

  override watch(pattern: string): StreamsOf<V>['changes$'] {
    return this.cache.watch(pattern)
  }

  static {
    for (const [name, method] of Object.entries(OF_THIS_NODE))
      Object.defineProperty(ClusterClient.prototype, name, { value: method, writable: true, configurable: true })
    const recovery = async function (this: ClusterClient<unknown>) {
      return this.cache.recovery
    }
    Object.defineProperty(ClusterClient.prototype, 'recovery', { get: recovery, configurable: true })
  }

  override async at(when: When, options?: AtOptions): Promise<never> {
    atArguments(when, options, '')
    innerOf(this.cache).admit()
    throw pastGone()
  }

  override history(key: string, options?: KeyHistoryOptions): AsyncIterableIterator<never> {
    historyArguments(key, options)
    innerOf(this.cache).admit()
    return refused(pastGone())
  }

  override diff(from: When, to?: When, options?: DiffOptions): AsyncIterableIterator<never> {
    diffArguments(from, to, options)
    innerOf(this.cache).admit()
    return refused(pastGone())
  }

  override changesSince(sequence: number): AsyncIterableIterator<PastChange<V>> {
    const { journal } = this.node
    checkSequence(sequence)
    innerOf(this.cache).admit()
    const last = () => journal.figures().durableSequence
    const caughtUp = async () => {
      if (sequence > last()) await this.flush() // another node may have seen it first
      if (sequence > last()) throw sequenceAhead(sequence, last())
    }
    return journal.changesSince<V>(sequence, (stored) => restoreValue(stored, 'copy'), caughtUp)
  }

  protected override async [SHUT](): Promise<void> {
    await super[SHUT]()
    await this.node.close()
  }
}

/** No line: the client begins by looking for one. */
function nowhere(clock: ClusterClock): LocalLine {
  const [line] = LocalLine.pair(clock)
  line.close()
  return line
}
