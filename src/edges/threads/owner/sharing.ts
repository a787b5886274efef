/**
 * `share()`: opens a port at once, and loads what serves it. A cache that is not shared does not load the code for threads;
 * what a client posts meanwhile waits in the port. Before: `cache.ts`. After: `ports.ts`.
 */
import { MessageChannel, type MessagePort, threadId } from 'node:worker_threads'
import type { Cache } from '../../../cache/cache.js'
import { loadModule } from '../../../durable/storage/load-module.js'
import { greetingFrom } from '../../remote/wire/protocol.js'
import type { Ports } from './ports.js'

export class Sharing {
  readonly #cache: () => Cache
  #ports: Promise<Ports> | undefined

  constructor(cache: () => Cache) {
    this.#cache = cache
  }

  share(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    port1.postMessage(greetingFrom(threadId)) // connectSync() looks for it without waiting
    let isClosed = false
    port1.once('close', () => {
      isClosed = true
    })
    this.#ports ??= this.#load()
    this.#ports.then(
      (ports) => {
        if (!isClosed) ports.serve(port1)
      },
      () => {
        this.#ports = undefined // the next one may find file handles again
        port1.close() // the client hears that its owner is gone
      },
    )
    return port2
  }

  async #load(): Promise<Ports> {
    const { Ports } = await loadModule(() => import('./ports.js'))
    return new Ports(this.#cache(), () => this.share())
  }
}
