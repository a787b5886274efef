/** A log in a stream of NATS JetStream: a position is the sequence of a message. */
import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import type { CacheError } from '../../../errors.js'
import { type Log, LogConflict, type LogFollower, type LogRecord, type Position } from '../log.js'
import { connectTo, serversOf } from './nats-connection.js'
import { isTemporary, isWrongSequence, openingError } from './nats-errors.js'
import { NatsNames } from './nats-names.js'
import { NatsObstacle } from './nats-obstacle.js'
import { checkPermissions } from './nats-permissions.js'
import { headersOf, recordOf } from './nats-record.js'
import { NatsRequests } from './nats-requests.js'
import { NatsSnapshots } from './nats-snapshots.js'
import { type Buckets, openStreams } from './nats-streams.js'
import { NatsWire } from './nats-wire.js'
import { RecordReader } from './record-reader.js'

const TIMEOUT_MS = 3_000
const IMPATIENT_MS = 1_000
/** How long `open` waits for servers that elect a leader. */
const OPENING_MS = 10_000
const RETRY_MS = 250
/** The server counts headers as part of the payload. */
const HEADER_BYTES = 4_096

interface Opened {
  connection: NatsConnection
  requests: NatsRequests
  manager: JetStreamManager
  impatient: JetStreamManager
  buckets: Buckets
}

export class NatsLog implements Log {
  readonly wire: NatsWire
  readonly snapshots: NatsSnapshots
  readonly #names: NatsNames
  readonly #options: NodeConnectionOptions
  readonly #replicas: number
  readonly #readers = new Set<RecordReader>()
  #opened: Opened | undefined
  #obstacle: NatsObstacle | undefined
  #isClosed = false

  constructor(name: string, replicas: number, options: NodeConnectionOptions) {
    this.#names = new NatsNames(name, options.inboxPrefix)
    this.#replicas = replicas
    this.#options = options
    this.wire = new NatsWire(() => this.#open.requests, this.#names)
    this.snapshots = new NatsSnapshots(
      () => this.#open.buckets,
      this.#names,
      () => this.bodyBytesMax,
    )
  }

  get bodyBytesMax(): number {
    return (this.#open.connection.info?.max_payload ?? 1024 * 1024) - HEADER_BYTES
  }

  get obstacle(): CacheError | undefined {
    return this.#obstacle?.lately
  }

  async open(): Promise<{ first: Position; last: Position }> {
    if (this.#opened === undefined) this.#opened = await this.#connect()
    const { state } = await this.#open.manager.streams.info(this.#names.stream)
    return { first: Math.max(state.first_seq, 1), last: state.last_seq }
  }

  async append(record: LogRecord, after: Position): Promise<Position> {
    const { requests } = this.#open
    if (record.body.length > this.bodyBytesMax)
      throw new RangeError(`The body has ${record.body.length} bytes; at most ${this.bodyBytesMax} fit into a record.`)
    const headers = headersOf(record)
    headers.set('Nats-Expected-Stream', this.#names.stream)
    if (after === 0) {
      // The last sequence 0 is not compared by every server, that of the subject is; and a second message of this id is refused.
      headers.set('Nats-Expected-Last-Subject-Sequence', '0')
      headers.set('Nats-Msg-Id', 'begin')
    } else headers.set('Nats-Expected-Last-Sequence', `${after}`)
    // Not sent again whatever happens: of two copies, the answer to the second would be a conflict.
    const answer = await requests.request(this.#names.records, record.body.slice(), { headers, timeout: TIMEOUT_MS })
    const acknowledged = answer.json<{ seq?: number; duplicate?: boolean; error?: JetStreamApiErrorBody }>()
    if (acknowledged.error !== undefined) {
      const error = new JetStreamApiError(acknowledged.error)
      throw isWrongSequence(error) ? new LogConflict(error.message) : error
    }
    if (acknowledged.duplicate === true) throw new LogConflict('the log has begun already')
    if (acknowledged.seq !== after + 1)
      throw new Error(`The record behind ${after} is said to be at ${acknowledged.seq}.`)
    return acknowledged.seq
  }

  follow(from: Position, to: LogFollower): { stop(): void } {
    const { connection, manager, impatient } = this.#open
    const { stream, inboxPrefix } = this.#names
    const reader = new RecordReader({ connection, manager, impatient, stream, inboxPrefix }, from, to)
    this.#readers.add(reader)
    return {
      stop: () => {
        reader.stop()
        this.#readers.delete(reader)
      },
    }
  }

  /** The server that leads the stream answers. */
  async read(at: Position): Promise<LogRecord | undefined> {
    const message = await this.#open.impatient.streams.getMessage(this.#names.stream, { seq: at })
    return message === null ? undefined : recordOf({ headers: message.header, data: message.data })
  }

  async trim(upTo: Position): Promise<void> {
    const { streams } = this.#open.manager
    const { state } = await streams.info(this.#names.stream)
    const keepFrom = Math.min(upTo + 1, state.last_seq)
    if (keepFrom > state.first_seq) await streams.purge(this.#names.stream, { seq: keepFrom })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const reader of this.#readers) reader.stop()
    await this.#opened?.connection.close()
  }

  get #open(): Opened {
    if (this.#opened === undefined || this.#isClosed)
      throw new Error(this.#isClosed ? 'The log is closed.' : 'The log is not open yet.')
    return this.#opened
  }

  async #connect(): Promise<Opened> {
    let connection: NatsConnection | undefined
    try {
      connection = await connectTo(this.#options, this.#names.name)
      for (const startMs = journalClock.now(); ; ) {
        try {
          await checkPermissions(connection, this.#names)
          const manager = await jetstreamManager(connection, { timeout: TIMEOUT_MS })
          const buckets = await openStreams(connection, manager, this.#names, this.#replicas)
          this.#obstacle = new NatsObstacle(connection, serversOf(this.#options), this.#names)
          const impatient = await jetstreamManager(connection, { timeout: IMPATIENT_MS, checkAPI: false })
          return { connection, requests: new NatsRequests(connection), manager, impatient, buckets }
        } catch (error) {
          if (this.#isClosed || !isTemporary(error) || journalClock.now() - startMs > OPENING_MS) throw error
          await new Promise<void>((resolve) => journalClock.setTimeout(resolve, RETRY_MS, true))
        }
      }
    } catch (error) {
      await connection?.close()
      throw openingError(error, serversOf(this.#options), this.#names)
    }
  }
}

type JetStreamApiErrorBody = ConstructorParameters<typeof JetStreamApiError>[0]
