/** Messages between the nodes of a `MemoryLog`, which do not pass the engine. */
import { UnservedError, type Wire } from '../log.js'
import type { Calls } from './calls.js'
import type { Place } from './place.js'

interface Server {
  place: Place
  handle: (body: Uint8Array) => Promise<Uint8Array>
}

/** Who serves which address, the newest last. */
export type Servers = Map<string, Server[]>

export class MemoryWire implements Wire {
  readonly #calls: Calls
  readonly #servers: Servers
  readonly #own = new Set<{ stop(): void }>()

  constructor(calls: Calls, servers: Servers) {
    this.#calls = calls
    this.#servers = servers
  }

  request(address: string, body: Uint8Array): Promise<Uint8Array> {
    const sent = body.slice()
    return this.#calls.begin(`request to ${address}`, (settle) => {
      const { network, place } = this.#calls
      const server = this.#find(address)
      if (server === undefined) {
        const error = new UnservedError(`Nobody serves the address ${address}.`)
        setImmediate(() => place.run(() => settle(() => fail(error))))
        return
      }
      const back = { from: server.place.name, to: place.name, what: 'request answered' }
      network.send({ from: place.name, to: server.place.name, what: 'request' }, ({ isCopy }) => {
        const answer = (outcome: () => Uint8Array) => {
          const isSent = !isCopy && server.place.isRunning
          if (isSent) network.send(back, () => place.run(() => settle(outcome)))
        }
        this.#deliver(server, sent, (handled) =>
          handled.then(
            (bytes) => answer(() => bytes.slice()),
            (error) => answer(() => fail(new Error(String((error as Error)?.message ?? error)))),
          ),
        )
      })
    })
  }

  serve(address: string, handle: Server['handle']): { stop(): void } {
    const server = { place: this.#calls.place, handle }
    const serving = this.#servers.get(address) ?? []
    this.#servers.set(address, serving)
    serving.push(server)
    const stop = () => {
      const index = serving.indexOf(server)
      if (index >= 0) serving.splice(index, 1)
      this.#own.delete(own)
    }
    const own = { stop }
    this.#own.add(own)
    return own
  }

  cast(address: string, body: Uint8Array): void {
    const { network, place } = this.#calls
    const sent = body.slice()
    place.run(() => {
      const server = this.#find(address)
      if (server === undefined || this.#calls.isClosed) return
      network.send({ from: place.name, to: server.place.name, what: 'cast' }, () =>
        this.#deliver(server, sent, (handled) => handled.catch(() => undefined)),
      )
    })
  }

  close(): void {
    for (const one of [...this.#own]) one.stop()
  }

  #find(address: string): Server | undefined {
    return this.#servers
      .get(address)
      ?.filter(({ place }) => !place.hasCrashed)
      .at(-1)
  }

  #deliver(server: Server, body: Uint8Array, then: (handled: Promise<Uint8Array>) => Promise<unknown>): void {
    server.place.run(() => void then((async () => server.handle(body.slice()))()))
  }
}

function fail(error: Error): never {
  throw error
}
