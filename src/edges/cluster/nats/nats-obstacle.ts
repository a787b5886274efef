/**
 * Why NATS does not do what a node asks: permissions or credentials that were withdrawn after it has opened its log. The server tells the
 * connection, and a call only sees that no answer comes. Before: nats-log. After: the client library.
 */
import type { NatsConnection } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import type { CacheError } from '../../../errors.js'
import { refusal } from './nats-errors.js'
import type { NatsNames } from './nats-names.js'

/** A node tries again within seconds what it is refused, so that what was said longer ago no longer holds. */
const LATELY_MS = 10_000
const WARNINGS_MAX = 20
const CONSEQUENCE = 'This node tries again until it may.'

export class NatsObstacle {
  #newest: { error: CacheError; atMs: number } | undefined
  readonly #warned = new Set<string>()

  constructor(connection: NatsConnection, servers: string, names: NatsNames) {
    void this.#watch(connection, (error) => refusal(error, servers, names, CONSEQUENCE))
  }

  get lately(): CacheError | undefined {
    if (this.#newest === undefined || journalClock.now() - this.#newest.atMs > LATELY_MS) return undefined
    return this.#newest.error
  }

  /** Ends with the connection. */
  async #watch(connection: NatsConnection, explain: (error: Error) => CacheError | undefined): Promise<void> {
    for await (const status of connection.status()) {
      const error = status.type === 'error' ? explain(status.error) : undefined
      if (error !== undefined) this.#meet(error)
    }
  }

  #meet(error: CacheError): void {
    this.#newest = { error, atMs: journalClock.now() }
    const { message } = error
    if (this.#warned.has(message) || this.#warned.size === WARNINGS_MAX) return
    this.#warned.add(message)
    process.emitWarning(message, 'DaybookWarning')
  }
}
