/** A synchronous client in this thread, of a cache that a worker owns. */
import { once } from 'node:events'
import { type MessagePort, Worker } from 'node:worker_threads'
import { connectSync, type SyncThreadCache } from '../../../src/edges/threads/threads.js'
import type { CacheOptions } from '../../../src/index.js'
import type { Duration } from '../../../src/testing.js'
import type { AnyCache, CacheUnderTest } from '../../conformance/cache.js'
import type { CountingClock } from '../counting-clock.js'

export interface Blocking extends Omit<CacheUnderTest, 'cache' | 'directory'> {
  client: SyncThreadCache<unknown>
  end(): Promise<unknown>
}

export async function blockingClient(options: CacheOptions | undefined): Promise<Blocking> {
  const memory = new SharedArrayBuffer(16)
  const worker = new Worker(new URL('./owning-worker.js', import.meta.url), { workerData: { options, memory } })
  const [port] = (await once(worker, 'message')) as [MessagePort]
  const done = new Int32Array(memory, 0, 1)
  const nowMs = new Float64Array(memory, 8, 1)
  /** Blocks until the owner's clock has moved. */
  const move = (call: 'advance' | 'jump', argument: Duration) => {
    const count = Atomics.load(done, 0)
    worker.postMessage({ call, argument })
    Atomics.wait(done, 0, count)
  }
  const clock = {
    now: () => nowMs[0] as number,
    advance: (duration: Duration) => move('advance', duration),
    jump: (ms: number) => move('jump', ms),
  }
  return {
    client: connectSync(port),
    clock: clock as unknown as CountingClock, // the cases use no more of it
    async closeCache() {
      worker.postMessage({ call: 'close' })
      const [answer] = (await once(worker, 'message')) as unknown[]
      if (answer instanceof Error) throw answer
    },
    end: () => worker.terminate(),
  }
}

/** The methods that block, as those that return promises. */
export function awaitedBlocking(client: object): AnyCache {
  return new Proxy(client, {
    get(target, name) {
      if (name === Symbol.asyncIterator) return undefined // it is iterable as it is
      const member = Reflect.get(target, name, target) as unknown
      if (typeof name === 'string' && (name.endsWith('$') || name === 'watch'))
        return typeof member === 'function' ? member.bind(target) : member
      if (typeof member !== 'function') return Promise.resolve(member)
      if (typeof name === 'symbol') return member.bind(target)
      return async (...parameters: unknown[]) => member.apply(target, parameters)
    },
  }) as AnyCache
}
