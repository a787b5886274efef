/** Messages between nodes as requests of NATS, which pass the server but not the stream. */
import { headers, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import { reasonOf } from '../../../errors.js'
import { UnservedError, type Wire } from '../log.js'
import { isUnserved } from './nats-errors.js'
import type { NatsNames } from './nats-names.js'

const TIMEOUT_MS = 5_000
const FAILED = 'Daybook-Failed'

export class NatsWire implements Wire {
  constructor(
    readonly connection: () => NatsConnection,
    readonly names: NatsNames,
  ) {}

  async request(address: string, body: Uint8Array): Promise<Uint8Array> {
    const subject = this.names.addressed(address)
    try {
      const answer = await this.connection().request(subject, body.slice(), { timeout: TIMEOUT_MS })
      const failure = answer.headers?.get(FAILED)
      if (failure) throw new Error(decodeURIComponent(failure))
      return answer.data
    } catch (error) {
      if (isUnserved(error)) throw new UnservedError(`Nobody serves the address ${address}.`)
      throw error
    }
  }

  serve(address: string, handle: (body: Uint8Array) => Promise<Uint8Array>): { stop(): void } {
    let subscription: Subscription | undefined = this.connection().subscribe(this.names.addressed(address), {
      queue: 'daybook',
      callback: (error, message) => {
        if (error) return
        void (async () => handle(message.data))()
          .then(
            (answer) => message.respond(answer),
            (failure) => {
              const made = headers()
              made.set(FAILED, encodeURIComponent(reasonOf(failure).slice(0, 1_000)) || 'failed')
              message.respond(new Uint8Array(), { headers: made })
            },
          )
          .catch(() => undefined) // the connection is closed
      },
    })
    return {
      stop: () => {
        // What the server has sent before is answered: whoever asked would wait for its timeout.
        subscription?.drain().catch(() => undefined)
        subscription = undefined
      },
    }
  }

  cast(address: string, body: Uint8Array): void {
    try {
      this.connection().publish(this.names.addressed(address), body.slice())
    } catch {
      // the connection is closed: lost, as to nobody
    }
  }
}
