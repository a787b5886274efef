/**
 * The leader, as the nodes see it: a session for each of them while its term lasts, over a line of the wire; its own over a line within the
 * process. Before: cluster-node. After: edges/remote/owner.
 */
import { type Cache, innerOf } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import { CacheClosedError } from '../../../errors.js'
import { LocalLine } from '../../remote/line/local-line.js'
import type { Line } from '../../remote/line.js'
import type { ReadStaged } from '../../remote/owner/caller.js'
import { DurableAnswers } from '../../remote/owner/durable-answers.js'
import { KeptAnswers } from '../../remote/owner/kept-answers.js'
import { Session } from '../../remote/owner/session.js'
import { WriteGate } from '../../remote/owner/write-gate.js'
import { FORGET_MS } from '../../remote/wire/protocol.js'
import type { Timers } from '../journal/cluster-clock.js'

export class ClusterOwner {
  readonly #cache: Cache
  readonly #door: Door
  readonly #gate: WriteGate
  readonly #durableAnswers: DurableAnswers
  /** By client. */
  readonly #sessions = new Map<string, Session>()
  /** Whether it serves nobody any more, until the next term. */
  #isDraining = false

  readonly #readStaged: ReadStaged

  readonly #timers: Timers

  /** `readStaged` reads what a node has staged. */
  constructor(cache: Cache, timers: Timers, readStaged: ReadStaged) {
    this.#readStaged = readStaged
    this.#timers = timers
    this.#cache = cache
    this.#door = innerOf(cache)
    this.#gate = new WriteGate(this.#door)
    this.#durableAnswers = new DurableAnswers(this.#door)
  }

  /** Serves a client, unless this node is about to lead no more. */
  serve(client: string, line: Line): boolean {
    if (this.#isDraining) return false
    this.#sessions.get(client)?.hangUp() // its line is broken
    const cache = this.#cache
    const door = this.#door
    const session: Session = new Session({ cache, door, durableAnswers: this.#durableAnswers }, line, {
      extras: {},
      readStaged: this.#readStaged,
      numbered: {
        answers: new KeptAnswers(door.numbered, client, () => door.clock.now()),
        gate: this.#gate,
        changesAfter: () => door.streams.changes$,
      },
      onClose: () => {
        if (this.#sessions.get(client) === session) this.#sessions.delete(client)
      },
    })
    this.#sessions.set(client, session)
    return true
  }

  /** A line to this process's own client. */
  connect(client: string): Line | undefined {
    const [ours, theirs] = LocalLine.pair(this.#timers)
    return this.serve(client, ours) ? theirs : undefined
  }

  /**
   * Forgets the clients that have been silent for long, by the time of the log. Not sooner, even if they have said goodbye: the answer to
   * that, and all others with it, may not have arrived.
   */
  forgetOld(seen: ReadonlyMap<string, number>): void {
    const sinceMs = this.#door.clock.now() - FORGET_MS
    for (const [client, seenMs] of seen) if (seenMs <= sinceMs) this.#door.numbered.forget(client)
  }

  touch(keys: readonly string[]): void {
    for (const key of keys) this.#door.touch(key, undefined)
  }

  /** A term has ended: nothing more is sent to anybody. What was not answered is asked again elsewhere. */
  abandon(): void {
    for (const session of [...this.#sessions.values()]) session.hangUp()
    this.#isDraining = false
  }

  /** Before this node resigns: what has arrived is answered, and the rest is asked again elsewhere. */
  async drain(): Promise<void> {
    this.#isDraining = true
    await Promise.all([...this.#sessions.values()].map((session) => session.drain()))
    await this.#gate.idle()
    const goodbye = new CacheClosedError('The node that led the cluster has closed')
    for (const session of [...this.#sessions.values()]) session.close(goodbye)
  }
}
