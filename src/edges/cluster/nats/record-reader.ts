/**
 * Follows the stream of records with a consumer of its own: the library's stall for half a minute when the server that hosts them
 * dies. Here, after 2.5 s without a record or a heartbeat, or when a record is missing, a new consumer begins behind the last one
 * that was delivered. A server skips what was purged without a word, so every position is compared with the one before it.
 */
import { AckPolicy, DeliverPolicy, type JetStreamManager, ReplayPolicy } from '@nats-io/jetstream'
import { createInbox, type Msg, type NatsConnection, nanos, type Subscription } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import type { LogFollower, LogRecord, Position } from '../log.js'
import { recordOf } from './nats-record.js'

const HEARTBEAT_MS = 500
const SILENCE_MS = 2_500
const RETRY_MS = 250

export class RecordReader {
  #next: Position
  #isStopped = false
  /** Each consumer has a number: what comes for an earlier one is ignored. */
  #number = 0
  #subscription: Subscription | undefined
  #consumer: string | undefined
  #watchdog: unknown
  #retry: unknown

  constructor(
    readonly connection: NatsConnection,
    readonly manager: JetStreamManager,
    readonly stream: string,
    from: Position,
    readonly to: LogFollower,
  ) {
    this.#next = from
    this.#begin()
  }

  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#end()
    journalClock.clearTimeout(this.#retry)
  }

  #begin(): void {
    const number = ++this.#number
    this.#make(number).catch(() => {
      if (this.#isCurrent(number)) this.#again(RETRY_MS)
    })
  }

  async #make(number: number): Promise<void> {
    this.#watch() // a request to a server that is stopped takes longer
    const { state } = await this.manager.streams.info(this.stream)
    if (!this.#isCurrent(number)) return
    if (state.first_seq > this.#next) {
      this.stop()
      this.to.gap()
      return
    }
    const inbox = createInbox()
    this.#subscription = this.connection.subscribe(inbox, {
      callback: (error, message) => {
        if (!this.#isCurrent(number)) return
        if (error) this.#again(RETRY_MS)
        else this.#receive(message)
      },
    })
    const { name } = await this.manager.consumers.add(this.stream, {
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
    else void this.manager.consumers.delete(this.stream, name).catch(() => undefined)
  }

  #isCurrent(number: number): boolean {
    return !this.#isStopped && number === this.#number
  }

  #receive(message: Msg): void {
    this.#watch()
    const status = message.headers?.code ?? 0
    if (status === 100) {
      const stalled = message.headers?.get('Nats-Consumer-Stalled')
      if (message.reply) message.respond()
      else if (stalled) this.connection.publish(stalled)
      if (Number(message.headers?.get('Nats-Last-Stream') || 0) >= this.#next) this.#again(0)
      return
    }
    if (status !== 0) {
      this.#again(RETRY_MS)
      return
    }
    const at = positionOf(message)
    if (at < this.#next) return
    if (at > this.#next) {
      this.#again(0)
      return
    }
    this.#next++
    this.to.take(recordOf(message) as LogRecord, at)
  }

  #watch(): void {
    journalClock.clearTimeout(this.#watchdog)
    this.#watchdog = journalClock.setTimeout(() => this.#again(0), SILENCE_MS)
  }

  /** Ends this consumer and begins another one. */
  #again(delayMs: number): void {
    this.#end()
    journalClock.clearTimeout(this.#retry)
    this.#retry = journalClock.setTimeout(() => this.#begin(), delayMs)
  }

  #end(): void {
    this.#number++
    journalClock.clearTimeout(this.#watchdog)
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    const consumer = this.#consumer
    this.#consumer = undefined
    if (consumer !== undefined && !this.connection.isClosed())
      void this.manager.consumers.delete(this.stream, consumer).catch(() => undefined)
  }
}

/** $JS.ACK.<stream>.<consumer>.<delivered>.<position>.…, or with a domain and an account hash before the stream. */
function positionOf({ reply = '' }: Msg): Position {
  const parts = reply.split('.')
  return Number(parts[parts.length < 11 ? 5 : 7])
}
