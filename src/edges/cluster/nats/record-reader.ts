/**
 * Follows the stream of records with a consumer of its own: the library's stall for half a minute when the server that hosts them
 * dies. Here, after 2.5 s without a record or a heartbeat, or when a record is missing, a new consumer begins behind the last one
 * that was read. A consumer may be on a server that is stopped, or whose copy of the stream is behind: while it delivers nothing, records
 * are asked for, which the server that leads the stream answers. A server skips what was purged without a word, so every position is
 * compared with the one before it.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy, type StoredMsg } from '@nats-io/jetstream'
import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import type { LogFollower, Position } from '../log.js'
import { recordOf } from './nats-record.js'

const HEARTBEAT_MS = 500
const TICK_MS = 250
/**
 * After how long without a record from the consumer records are asked for. Longer than a leader is silent, shorter than a node waits
 * before it wants to lead.
 */
const QUIET_MS = 1_000
/** After how long without a word from the consumer, or without a record although there is one, another one is made. */
const SILENCE_MS = 2_500
const RETRY_MS = 250
/** How many records are asked for at once, once there was one. */
const BATCH = 32

export interface RecordReaderParts {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  /** One that soon gives up: the next request may reach another server. */
  readonly impatient: JetStreamManager
  readonly stream: string
  readonly inboxPrefix: string
}

export class RecordReader {
  readonly #parts: RecordReaderParts
  readonly #to: LogFollower
  #next: Position
  #isStopped = false
  /** Each consumer has a number: what comes for an earlier one is ignored. */
  #number = 0
  #subscription: Subscription | undefined
  #consumer: string | undefined
  /** Since a record came from a consumer, in ticks, so that a process that was stopped is not impatient. */
  #quietMs = 0
  /** Since a word came from the consumer, or it was begun. */
  #silentMs = 0
  /** Whether there are records that the consumer has not delivered. */
  #isBehind = false
  #isReading = false
  #ticks: unknown
  #retry: unknown

  constructor(parts: RecordReaderParts, from: Position, to: LogFollower) {
    this.#parts = parts
    this.#to = to
    this.#next = from
    this.#begin()
    this.#waitForTick()
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#end()
    journalClock.clearTimeout(this.#retry)
    journalClock.clearTimeout(this.#ticks)
  }

  #waitForTick(): void {
    this.#ticks = journalClock.setTimeout(() => {
      this.#waitForTick()
      this.#quietMs += TICK_MS
      this.#silentMs += TICK_MS
      const isUseless = this.#isBehind && this.#quietMs >= SILENCE_MS
      if (isUseless || this.#silentMs >= SILENCE_MS) {
        this.#again(0)
        this.#quietMs = Math.min(this.#quietMs, QUIET_MS) // the next one has a while to begin
      }
      if (this.#quietMs >= QUIET_MS) void this.#readOn()
    }, TICK_MS)
  }

  // ── with a consumer ──

  #begin(): void {
    this.#silentMs = 0
    this.#isBehind = false
    const number = ++this.#number
    this.#make(number).catch(() => {
      if (this.#isCurrent(number)) this.#again(RETRY_MS)
    })
  }

  async #make(number: number): Promise<void> {
    const { connection, manager, stream, inboxPrefix } = this.#parts
    const { state } = await manager.streams.info(stream)
    if (!this.#isCurrent(number)) return
    if (state.first_seq > this.#next) {
      this.stop()
      this.#to.gap()
      return
    }
    const inbox = createInbox(inboxPrefix)
    this.#subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (!this.#isCurrent(number)) return
        if (error) this.#again(RETRY_MS)
        else this.#receive(message)
      },
    })
    const { name } = await manager.consumers.add(stream, {
      deliver_subject: inbox,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#next,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      flow_control: true,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(30_000),
      max_deliver: 1,
    })
    if (this.#isCurrent(number)) this.#consumer = name
    else this.#remove(name)
  }

  #isCurrent(number: number): boolean {
    return !this.#isStopped && number === this.#number
  }

  #receive(message: Msg): void {
    this.#silentMs = 0
    const status = message.headers?.code ?? 0
    if (status === 100) {
      const stalled = message.headers?.get('Nats-Consumer-Stalled')
      if (message.reply) message.respond()
      else if (stalled) this.#parts.connection.publish(stalled)
      if (Number(message.headers?.get('Nats-Last-Stream') || 0) >= this.#next) this.#again(0)
    } else if (status !== 0) this.#again(RETRY_MS)
    else {
      const at = positionOf(message)
      if (at >= this.#next) this.#quietMs = 0
      if (at === this.#next) this.#take(message)
      else if (at > this.#next) this.#again(0)
    }
  }

  #take(message: Pick<Msg, 'headers' | 'data'>): void {
    this.#to.take(recordOf(message), this.#next++)
  }

  /** Ends this consumer and begins another one. */
  #again(delayMs: number): void {
    this.#end()
    journalClock.clearTimeout(this.#retry)
    this.#retry = journalClock.setTimeout(() => this.#begin(), delayMs)
  }

  #end(): void {
    this.#number++
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    if (this.#consumer !== undefined) this.#remove(this.#consumer)
    this.#consumer = undefined
  }

  #remove(consumer: string): void {
    const { connection, manager, stream } = this.#parts
    if (!connection.isClosed()) void manager.consumers.delete(stream, consumer).catch(() => undefined)
  }

  // ── without one ──

  /** Reads what there is, until the consumer delivers. */
  async #readOn(): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    for (let count = 1; count > 0; ) {
      const found = await Promise.all(Array.from({ length: count }, (_, index) => this.#read(this.#next + index)))
      count = BATCH
      for (const message of found) {
        if (message?.seq !== this.#next || this.#isStopped || this.#quietMs < QUIET_MS) {
          count = 0 // there is none yet, or nobody answers, or the consumer delivers: the next tick looks again
          break
        }
        this.#isBehind = true
        this.#take({ headers: message.header, data: message.data })
      }
    }
    this.#isReading = false
  }

  async #read(at: Position): Promise<StoredMsg | null> {
    const { impatient, stream } = this.#parts
    return impatient.streams.getMessage(stream, { seq: at }).catch(() => null)
  }
}

/** $JS.ACK.<stream>.<consumer>.<delivered>.<position>.…, or with a domain and an account hash before the stream. */
function positionOf({ reply = '' }: Msg): Position {
  const parts = reply.split('.')
  return Number(parts[parts.length < 11 ? 5 : 7])
}
