/**
 * Requests that end with the connection which they were sent over: an answer does not come over the next one, and what is sent before
 * there is a next one may be dropped by the client library. So nobody waits for the timeout of a request that is lost. Before: nats-log and
 * nats-wire. After: the client library.
 */
import { errors, type Msg, type NatsConnection, type RequestOptions } from '@nats-io/transport-node'

export class NatsRequests {
  readonly connection: NatsConnection
  readonly #open = new Set<(error: Error) => void>()
  #isConnected = true

  constructor(connection: NatsConnection) {
    this.connection = connection
    void this.#watch()
  }

  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Msg> {
    return new Promise((resolve, reject) => {
      if (!this.#isConnected) {
        reject(disconnected())
        return
      }
      this.#open.add(reject)
      this.connection.request(subject, payload, options).then(
        (answer) => {
          this.#open.delete(reject)
          resolve(answer)
        },
        (error) => {
          this.#open.delete(reject)
          reject(error)
        },
      )
    })
  }

  /** Ends with the connection. */
  async #watch(): Promise<void> {
    for await (const { type } of this.connection.status())
      if (type === 'reconnect') this.#isConnected = true
      else if (type === 'disconnect') {
        this.#isConnected = false
        for (const reject of this.#open) reject(disconnected())
      }
  }
}

function disconnected(): Error {
  return new errors.RequestError('the connection to the server is lost')
}
