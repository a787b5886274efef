/** Runs a function in a worker. It may use only its parameters, and `threads`, `rxjs` and `say`, which it finds there. */
import { type MessagePort, Worker } from 'node:worker_threads'
import type * as Rxjs from 'rxjs'
import type * as Threads from '../../../src/edges/threads/threads.js'
import type { SyncThreadCache, ThreadCache } from '../../../src/edges/threads/threads.js'

declare global {
  // What worker.ts gives to the function; there in the worker only.
  var threads: typeof Threads
  var rxjs: typeof Rxjs
  var say: (message: unknown) => void
}

interface Clients {
  async: ThreadCache<never>
  sync: SyncThreadCache<never>
  /** The port itself. */
  none: MessagePort
}

export interface Running<R> {
  worker: Worker
  /** What the function returned. Rejects with what it threw, or when the worker ended without either. */
  result: Promise<R>
  /** What it has said until now, and a way to wait for the first n of it. */
  said: unknown[]
  heard(count: number): Promise<unknown[]>
}

export function inWorker<C extends keyof Clients, R, A = undefined>(
  port: MessagePort,
  client: C,
  body: (client: Clients[C], argument: A) => R,
  argument?: A,
  transfer: readonly MessagePort[] = [],
): Running<Awaited<R>> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: { source: body.toString(), client, port, argument },
    transferList: [port, ...transfer],
  })
  const said: unknown[] = []
  const listeners = new Set<() => void>()
  const result = new Promise<Awaited<R>>((resolve, reject) => {
    worker.on('message', (message: { said?: unknown; result?: Awaited<R>; error?: object }) => {
      if ('said' in message) {
        said.push(message.said)
        for (const listener of listeners) listener()
      } else if ('error' in message) reject(Object.assign(new Error(), message.error))
      else resolve(message.result as Awaited<R>)
    })
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`The worker ended (${code}) without a result.`)))
  })
  result.catch(() => undefined)
  const heard = (count: number) =>
    new Promise<unknown[]>((resolve) => {
      const check = () => {
        if (said.length >= count) resolve(said.slice(0, count))
      }
      listeners.add(check)
      check()
    })
  return { worker, result, said, heard }
}
