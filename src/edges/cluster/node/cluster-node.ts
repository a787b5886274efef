/**
 * One node of a cluster: its cache, which follows or leads; the election; what it serves to other nodes; snapshots. Before: cluster.ts. After:
 * journal, owner, line.
 */
import type { Cache } from '../../../cache/cache.js'
import type { CompactionThresholds } from '../../../durable/contract.js'
import { CacheError } from '../../../errors.js'
import type { Found } from '../../remote/client/renewed-client.js'
import type { Line } from '../../remote/line.js'
import type { ClusterClock } from '../journal/cluster-clock.js'
import { silent } from '../journal/patience.js'
import type { ReplicatedJournal } from '../journal/replicated-journal.js'
import { AppliedLine, positioned } from '../line/as-of.js'
import { NodeWire } from '../line/node-wire.js'
import type { Log } from '../log.js'
import { ClusterOwner } from '../owner/cluster-owner.js'
import { Compaction } from './compaction.js'
import { Election } from './election.js'
import { nodeClosed } from './refusals.js'

export interface ClusterNodeParts {
  readonly cache: Cache
  readonly journal: ReplicatedJournal
  readonly log: Log
  readonly clock: ClusterClock
  /** Of this node; also its address. */
  readonly node: string
  readonly compaction: CompactionThresholds | false
  newId(): string
  random(): number
}

/** Who leads, in which term, as far as this node has read. */
interface Place {
  readonly leader: string | undefined
  readonly epoch: number
}

/** How long the search for the leader waits before it asks again. */
const SEEK_MS = 100
/** Longer than an election takes. */
const CUT_OFF_MS = 5_000
/** How often clients are looked for that have been silent for long. */
const FORGET_TICKS = 200

export class ClusterNode {
  readonly cache: Cache
  readonly journal: ReplicatedJournal
  /** Called when this node's place, or what it has heard, has changed. */
  onPlace: () => void = () => undefined
  readonly #parts: ClusterNodeParts
  readonly #owner: ClusterOwner
  readonly #wire: NodeWire
  readonly #election: Election
  readonly #compaction: Compaction
  /** The line of this node's own client, and the term that it belongs to. */
  #line: { line: Line; epoch: number; deliver(): void } | undefined
  /** Those that wait for another leader. */
  #seeking: (() => void)[] = []
  #ticks = 0
  #closing: Promise<void> | undefined

  constructor(parts: ClusterNodeParts) {
    const { cache, journal, log, clock, node, newId, random, compaction } = parts
    this.#parts = parts
    this.cache = cache
    this.journal = journal
    this.#owner = new ClusterOwner(cache, clock, (staged, rows) =>
      journal.applier.readLoaded(staged, rows).catch((error) => {
        throw silent(error)
      }),
    )
    this.#wire = new NodeWire({
      wire: log.wire,
      clock,
      node,
      newId,
      bytesMax: log.bodyBytesMax ?? Number.POSITIVE_INFINITY,
      accept: (client, epoch, line) => this.#accept(client, epoch, line),
      touched: (keys) => {
        if (journal.state === 'leading') this.#owner.touch(keys)
      },
      status: () => ({
        role: journal.state === 'leading' ? 'leader' : 'follower',
        term: journal.applier.epoch,
        position: journal.applier.position,
        lagMs: this.lagMs,
        entries: cache.size,
      }),
    })
    this.#compaction = new Compaction({ journal, compaction, clock, random })
    this.#election = new Election({
      journal,
      clock,
      random,
      isThere: (leader) => this.#wire.isThere(leader),
      onTick: () => this.#tick(),
    })
    journal.onApplied(() => this.#line?.deliver())
    journal.onDeposed = () => this.#owner.abandon()
    journal.onPlace = () => this.#moved()
    const notOpen = () => this.#wakeSeekers()
    cache.lifecycle$.subscribe({ complete: notOpen })
  }

  /** Since this node last held the newest record of the log, by its own clock. */
  get lagMs(): number {
    return Math.max(0, this.#parts.clock.ownNow() - this.journal.heardMs)
  }

  /** Why the engine does not do what it is asked, if it has said so lately. */
  get obstacle(): CacheError | undefined {
    return this.#parts.log.obstacle
  }

  #accept(client: string, epoch: number, line: Line): boolean {
    const { journal } = this
    if (journal.state !== 'leading' || journal.applier.epoch !== epoch) return false
    return this.#owner.serve(
      client,
      positioned(line, () => journal.applier.position),
    )
  }

  #tick(): void {
    this.#ticks++
    if (this.#isCutOff) this.#line?.line.close()
    this.#compaction.look()
    if (this.journal.state === 'leading' && this.#ticks % FORGET_TICKS === 0)
      this.#owner.forgetOld(this.journal.applier.clients)
    this.onPlace()
  }

  #moved(): void {
    const { journal } = this
    const own = this.#line
    const isOver = own?.epoch !== journal.applier.epoch || journal.leader === undefined || journal.failure !== undefined
    if (isOver) own?.line.close()
    this.#wakeSeekers()
    this.onPlace()
  }

  #wakeSeekers(): void {
    const seeking = this.#seeking
    this.#seeking = []
    for (const wake of seeking) wake()
  }

  /** Whether this node follows a log from which nothing comes: what the leader answers would not be delivered. */
  get #isCutOff(): boolean {
    return this.journal.state !== 'leading' && this.#election.silentMs >= CUT_OFF_MS
  }

  // ── for this node's own client ──

  /** A line to the leader, however long it takes to find it. @throws if this node cannot go on. */
  async find(client: string, signal: AbortSignal): Promise<Found> {
    const wake = () => this.#wakeSeekers()
    signal.addEventListener('abort', wake)
    try {
      for (;;) {
        signal.throwIfAborted()
        const { state, failure } = this.journal
        if (failure !== undefined) throw failure
        if (state === 'closed') throw nodeClosed()
        const place = this.#place()
        const line = this.#isCutOff ? undefined : await this.#open(client, place, signal)
        if (line !== undefined) return { line }
        if (this.#isStill(place)) await this.#pause()
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  #place(): Place {
    const { leader, applier } = this.journal
    return { leader, epoch: applier.epoch }
  }

  #isStill({ leader, epoch }: Place): boolean {
    return this.journal.leader === leader && this.journal.applier.epoch === epoch
  }

  async #open(client: string, place: Place, signal: AbortSignal): Promise<Line | undefined> {
    const { journal } = this
    const { leader, epoch } = place
    if (journal.state === 'leading') {
      const line = this.#owner.connect(client)
      return line && this.#own(line, epoch, () => undefined)
    }
    if (leader === undefined) return undefined
    const opening = this.#wire.open(leader, client, epoch)
    let opened: Awaited<typeof opening> | undefined
    // Whoever has stopped does not answer: what it was asked is of no interest once another node leads.
    do opened = await Promise.race([opening, this.#woken()])
    while (opened === undefined && this.#isStill(place) && !signal.aborted)
    if (opened === 'version')
      throw new CacheError(
        'UNSUPPORTED_VERSION',
        'The leader of the cluster runs a daybook that this node does not understand',
        {
          advice: 'Use the same daybook on all nodes.',
        },
      )
    if (opened === 'retry') return undefined
    if (opened === undefined || !this.#isStill(place)) {
      opening.then((late) => typeof late === 'object' && late.close())
      return undefined
    }
    const line = new AppliedLine(opened, () => journal.applier.position)
    return this.#own(line, epoch, () => line.deliver())
  }

  #own(line: Line, epoch: number, deliver: () => void): Line {
    const own = { line, epoch, deliver }
    this.#line = own
    line.onClose(() => {
      if (this.#line === own) this.#line = undefined
    })
    return line
  }

  /** Resolves when who leads may have changed. */
  #woken(): Promise<undefined> {
    return new Promise((resolve) => this.#seeking.push(() => resolve(undefined)))
  }

  #pause(): Promise<void> {
    const { clock } = this.#parts
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, SEEK_MS)
      this.#seeking.push(() => {
        clock.clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Keys that were hit in this node's copy: the leader counts them as used. */
  touch(keys: readonly string[]): void {
    const { leader } = this.journal
    if (leader !== undefined && leader !== this.#parts.node) this.#wire.touch(leader, keys)
  }

  // ── the end ──

  /** Hands over, if this node leads: what has arrived is answered, and the log says that another one may lead. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#compaction.stop()
    if (this.journal.state === 'leading') {
      await this.#owner.drain()
      await this.journal.resign()
    }
    this.#election.stop()
    this.#owner.abandon()
    await this.#wire.close()
    await this.cache.close({ force: true })
  }
}
