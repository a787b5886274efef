/** Messages between nodes as requests of NATS, which pass the server but not the stream. */
import { headers, type Msg, type Subscription } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import { reasonOf } from '../../../errors.js'
import { UnservedError, type Wire } from '../log.js'
import { isUnserved } from './nats-errors.js'
import type { NatsNames } from './nats-names.js'
import type { NatsRequests } from './nats-requests.js'

const TIMEOUT_MS = 2_000
const FAILED = 'Daybook-Failed'
/** After how long an address that may not be served is served again. */
const RETRY_MS = 1_000

export class NatsWire implements Wire {
  constructor(
    readonly requests: () => NatsRequests,
    readonly names: NatsNames,
  ) {}

  async request(address: string, body: Uint8Array): Promise<Uint8Array> {
    const subject = this.names.addressed(address)
    try {
      const answer = await this.requests().request(subject, body.slice(), { timeout: TIMEOUT_MS })
      const failure = answer.headers?.get(FAILED)
      if (failure) throw new Error(decodeURIComponent(failure))
      return answer.data
    } catch (error) {
      if (isUnserved(error)) throw new UnservedError(`Nobody serves the address ${address}.`)
      throw error
    }
  }

  serve(address: string, handle: (body: Uint8Array) => Promise<Uint8Array>): { stop(): void } {
    const subject = this.names.addressed(address)
    let subscription: Subscription | undefined
    let retry: unknown
    const begin = () => {
      const { connection } = this.requests()
      if (connection.isClosed()) return
      // Not in a queue group: while a server is stopped, the others send half of the messages to what was subscribed there before.
      subscription = connection.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) answer(message, handle)
          else retry = journalClock.setTimeout(begin, RETRY_MS) // it may not, at present
        },
      })
    }
    begin()
    return {
      stop: () => {
        journalClock.clearTimeout(retry)
        // What the server has sent before is answered: whoever asked would wait for its timeout.
        subscription?.drain().catch(() => undefined)
        subscription = undefined
      },
    }
  }

  cast(address: string, body: Uint8Array): void {
    try {
      this.requests().connection.publish(this.names.addressed(address), body.slice())
    } catch {
      // the connection is closed: lost, as to nobody
    }
  }
}

function answer(message: Msg, handle: (body: Uint8Array) => Promise<Uint8Array>): void {
  void (async () => handle(message.data))()
    .then(
      (content) => message.respond(content),
      (failure) => {
        const made = headers()
        made.set(FAILED, encodeURIComponent(reasonOf(failure).slice(0, 1_000)) || 'failed')
        message.respond(new Uint8Array(), { headers: made })
      },
    )
    .catch(() => undefined) // the connection is closed
}
