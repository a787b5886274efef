/**
 * A term in office: what the turns of the leader append is collected, sent at the end of the turn of the event loop, and committed when it
 * is in the log. Before: replicated-journal. After: leader-frames, term-writer.
 */
import type { Counters } from '../../../core/model/counters.js'
import type { CacheEvent } from '../../../core/model/event.js'
import type { Note } from '../../../core/model/note.js'
import { queueTask } from '../../../durable/storage/event-loop.js'
import type { Log, Position } from '../log.js'
import type { Applier } from './applier.js'
import type { ClusterClock } from './cluster-clock.js'
import { LeaderFrames, NOTHING, type SentFrames, type Waiting } from './leader-frames.js'
import type { Objects } from './objects.js'
import { type Term, TermWriter } from './term-writer.js'

export interface LeadingParts {
  readonly log: Log
  readonly objects: Objects
  readonly applier: Applier
  readonly clock: ClusterClock
  readonly seed: number
  readonly counters: Readonly<Counters>
}

export interface LeadingHooks {
  /** Everything up to this sequence is in the log. */
  committed(sequence: number): void
  /** The term is over. Call {@link Leading.end}. */
  failed(error: unknown): void
}

export class Leading {
  readonly #parts: LeadingParts
  readonly #hooks: LeadingHooks
  readonly #frames: LeaderFrames
  readonly #writer: TermWriter<SentFrames>
  #isSendQueued = false
  /** For the next record that is sent. */
  #waiting: Waiting[] = []

  constructor(parts: LeadingParts, term: Term, hooks: LeadingHooks) {
    const { log, objects, applier, counters, seed, clock } = parts
    this.#parts = parts
    this.#hooks = hooks
    applier.lead(term.epoch, term.node, term.timeMs)
    applier.position = term.position
    this.#frames = new LeaderFrames(applier.end, { counters, seed, clock })
    this.#writer = new TermWriter<SentFrames>(log, objects, term, {
      committed: ({ body, content }, at) => this.#committed(body.length, content, at),
      failed: (error) => hooks.failed(error),
    })
  }

  append(events: readonly CacheEvent[], note: Note | undefined): number {
    const sequence = this.#frames.add(events, note)
    if (this.#frames.isFull) this.#send()
    else this.#queueSend()
    return sequence
  }

  /** Resolves when a frame that is sent after this call is in the log. All who wait at the same time share one. */
  flush(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#queueSend()
    })
  }

  #queueSend(): void {
    if (this.#isSendQueued) return
    this.#isSendQueued = true
    queueTask(() => {
      this.#isSendQueued = false
      this.#send()
    })
  }

  /** Sends what is pending; an empty frame if there is nothing but somebody who waits. */
  #send(): void {
    if (!this.#writer.hasRoom) return // the next acknowledgement sends it
    const frames = this.#frames
    if (frames.isEmpty && this.#waiting.length === 0) return
    const records = frames.isEmpty ? [frames.empty()] : frames.finish(this.#parts.objects.bodyBytesMax)
    for (const [index, { body, content }] of records.entries()) {
      const isLast = index === records.length - 1
      const waiting = isLast ? this.#waiting : []
      if (isLast) this.#waiting = []
      this.#writer.send({ kind: 'frame', body, content: { ...content, waiting } })
    }
  }

  /** Says that this node leads, unless something is under way anyway. */
  beat(): void {
    const { timeMs } = this.#parts.applier
    this.#writer.beat({ ...NOTHING, timeMs })
    if (!this.#writer.isIdle) return
    this.#waiting.push(NOBODY)
    this.#send()
  }

  #committed(bytes: number, content: SentFrames, at: Position): void {
    const { applier } = this.#parts
    const { waiting, resigns } = content
    applier.committed(content, bytes, at)
    if (resigns) applier.leader = undefined
    const sequence = applier.end.nextSequence - 1
    this.#hooks.committed(sequence)
    for (const { resolve } of waiting) resolve(sequence)
    if (!this.#frames.isEmpty || this.#waiting.length > 0) this.#queueSend()
  }

  /** After a flush: the last record of the term. Resolves when it is in the log. */
  resign(): Promise<unknown> {
    const { timeMs } = this.#parts.applier
    return new Promise((resolve, reject) => {
      const content = { ...NOTHING, timeMs, waiting: [{ resolve, reject }], resigns: true }
      this.#writer.send({ kind: 'resign', body: new Uint8Array(0), content })
    })
  }

  /** Sends and hears nothing more. Returns those who wait. */
  end(): Waiting[] {
    return [...this.#writer.end().flatMap(({ waiting }) => waiting), ...this.#waiting]
  }

  get figures(): { sequence: number; pendingBytes: number } {
    return { sequence: this.#frames.last, pendingBytes: this.#frames.bytes }
  }
}

const NOBODY: Waiting = { resolve: () => undefined, reject: () => undefined }
