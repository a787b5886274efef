/** Calls to a synchronous client while another of its calls waits: by subscribers, by loaders, and by one inside the other. */
import { MessageChannel } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { OP } from '../../../../src/edges/remote/wire/codes.js'
import { ANSWERS, EVENTS, GREETING, PROTOCOL_VERSION } from '../../../../src/edges/remote/wire/protocol.js'
import { LIST } from '../../../../src/edges/remote/wire/wire-value.js'
import {
  ANSWERED,
  MESSAGES,
  REQUEST,
  SIGNAL,
  STATE,
  SyncPacket,
} from '../../../../src/edges/threads/line/sync-packet.js'
import type { SyncThreadCache } from '../../../../src/edges/threads/threads.js'
import { inWorker } from '../../../helpers/edges/in-worker.js'
import { until } from '../../../helpers/loop-turn.js'
import { openMemory } from '../../../helpers/open-memory.js'

/**
 * An owner that the test plays, to control the order in which things arrive. The first two requests, for the shared memory and
 * for one subscription, have been answered.
 */
async function playedOwner(t: ExecutionContext, body: (client: SyncThreadCache<never>) => unknown) {
  const { port1, port2 } = new MessageChannel()
  t.teardown(() => port1.close())
  const received: unknown[][] = []
  port1.on('message', (message: unknown) => {
    if (Array.isArray(message) && message[1] !== OP.acknowledge) received.push(message)
  })
  port1.postMessage([[GREETING, PROTOCOL_VERSION, -1]])
  const { result } = inWorker(port2, 'sync', body as never)
  /** Resolves with the next request over the port. */
  const overPort = async () => {
    await until(() => received.length > 0, 'a request over the port')
    return received.shift() as [number, ...unknown[]]
  }
  const [packetsId, , , memory] = await overPort()
  const packet = new SyncPacket(memory as SharedArrayBuffer)
  const { words } = packet
  const ring = () => {
    Atomics.add(words, SIGNAL, 1)
    Atomics.notify(words, SIGNAL)
  }
  const post = (...parts: unknown[]) => {
    port1.postMessage(parts)
    Atomics.add(words, MESSAGES, 1)
    ring()
  }
  /** Resolves with the next request in the shared memory. */
  const inMemory = async () => {
    await until(() => Atomics.load(words, STATE) === REQUEST, 'a request in the memory')
    packet.rewind()
    return [packet.take(), packet.take(), packet.take()]
  }
  const answerInMemory = (id: unknown, value: unknown) => {
    packet.rewind()
    packet.put(id)
    packet.put(value)
    Atomics.store(words, STATE, ANSWERED)
    ring()
  }
  post([ANSWERS, packetsId, undefined])
  const [subscribeId, , subscription] = await inMemory()
  answerInMemory(subscribeId, undefined)
  const emit = (sequence: number) => post([EVENTS, subscription, [{ type: 'cleared', sequence }]])
  return { result, overPort, post, inMemory, answerInMemory, emit }
}

test('a call made by a subscriber gets its own answer, though the answer of the outer call arrives first', async (t) => {
  t.timeout(30_000)
  const owner = await playedOwner(t, (client) => {
    const inner: unknown[] = []
    client.changes$.subscribe(() => inner.push(client.get('inner')))
    return [client.get('outer'), inner]
  })
  const [outerId, , outerKey] = await owner.inMemory()
  t.is(outerKey, 'outer')
  owner.emit(1)
  const [innerId, code, innerKey] = await owner.overPort()
  t.deepEqual([code, innerKey], [OP.read, 'inner'])
  owner.answerInMemory(outerId, 'of the outer call')
  owner.post([ANSWERS, innerId, 'of the inner call'])
  t.deepEqual((await owner.result) as unknown, ['of the outer call', ['of the inner call']])
})

test('an inner call does not overtake the outer one, which the owner may not have handled yet', async (t) => {
  t.timeout(30_000)
  const owner = await playedOwner(t, (client) => {
    const inner: unknown[] = []
    client.changes$.subscribe(() => inner.push(client.get('inner')))
    return [client.getMany(['outer']), inner]
  })
  const [outerId, outerCode] = await owner.overPort()
  t.is(outerCode, OP.getMany)
  owner.emit(1)
  const [innerId, , innerKey] = await owner.overPort() // not through the memory, which the owner may read first
  t.is(innerKey, 'inner')
  owner.post([ANSWERS, outerId, [LIST, 'of the outer call']], [ANSWERS, innerId, 'of the inner call'])
  t.deepEqual((await owner.result) as unknown, [['of the outer call'], ['of the inner call']])
})

test('events that arrive while a subscriber calls the client are delivered after those that came before them', async (t) => {
  t.timeout(30_000)
  const owner = await playedOwner(t, (client) => {
    const seen: unknown[] = []
    client.changes$.subscribe(({ sequence }) => {
      if (sequence === 1) seen.push(client.get('inner'))
      seen.push(sequence)
    })
    return [client.get('outer'), seen]
  })
  const [outerId] = await owner.inMemory()
  owner.emit(1)
  const [innerId] = await owner.overPort()
  owner.emit(2)
  owner.emit(3)
  owner.post([ANSWERS, innerId, 'inner'])
  owner.answerInMemory(outerId, 'outer')
  t.deepEqual((await owner.result) as unknown, ['outer', ['inner', 1, 2, 3]])
})

test('when subscribers call the client, each call, inner and outer, gets its own answer', async (t) => {
  t.timeout(60_000)
  const { cache } = await openMemory(t)
  const { result } = inWorker(cache.share(), 'sync', (client) => {
    const inner: number[] = []
    const outer: number[] = []
    client.watch('outer').subscribe(() => inner.push(client.increment('inner')))
    for (let call = 0; call < 2_000; call++) outer.push(client.increment('outer'))
    return { inner, outer, size: client.size }
  })
  const { inner, outer, size } = await result
  const counted = Array.from({ length: 2_000 }, (_, index) => index + 1)
  t.deepEqual(outer, counted)
  t.deepEqual(inner, counted)
  t.is(size, 2)
})

test('three calls deep, over memory and port: each gets its own answer, and every event arrives once, in order', async (t) => {
  t.timeout(60_000)
  const { cache } = await openMemory(t)
  const { result } = inWorker(cache.share(), 'sync', (given) => {
    const client = given as unknown as SyncThreadCache<unknown>
    const sequences: number[] = []
    const answers = { a: [] as unknown[], b: [] as unknown[], c: [] as unknown[] }
    client.changes$.subscribe(({ sequence }) => sequences.push(sequence))
    // Answers alternate between objects, which travel over the port, and numbers, which travel through the memory.
    client.watch('a').subscribe(({ value }) => {
      client.set('b', Number(value) % 2 === 0 ? value : { value })
      answers.b.push(client.get('b'))
    })
    client.watch('b').subscribe(() => {
      answers.c.push(client.increment('c'))
      client.getMany(['a', 'b', 'c'])
    })
    for (let call = 1; call <= 300; call++) {
      client.set('a', call)
      answers.a.push(client.get('a'))
    }
    return { answers, sequences }
  })
  const { answers, sequences } = await result
  const counted = Array.from({ length: 300 }, (_, index) => index + 1)
  t.deepEqual(answers.a, counted)
  t.deepEqual(
    answers.b,
    counted.map((value) => (value % 2 === 0 ? value : { value })),
  )
  t.deepEqual(answers.c, counted)
  t.deepEqual(
    sequences,
    Array.from({ length: 900 }, (_, index) => index + 1),
  )
})

test('loaders that call the client, whose subscribers load: nested loads get their own values', async (t) => {
  t.timeout(60_000)
  const { cache } = await openMemory(t)
  const { result } = inWorker(cache.share(), 'sync', (given) => {
    const client = given as unknown as SyncThreadCache<unknown>
    const loadedBySubscriber: unknown[] = []
    client.watch('seen:*').subscribe(({ key }) => {
      loadedBySubscriber.push(client.getOrSet(`of ${key}`, (name) => `loaded ${name} ${client.increment('loads')}`))
    })
    const loaded: unknown[] = []
    for (let round = 1; round <= 50; round++) {
      loaded.push(
        client.getOrSet(`outer:${round}`, () => {
          client.set(`seen:${round}`, round)
          const inner = client.getOrSet(`inner:${round}`, (key) => {
            client.increment('inner loads')
            return { key, deepest: client.getOrSet(`deepest:${round}`, () => client.increment('deepest loads')) }
          })
          return { round, inner }
        }),
      )
    }
    return { loaded, loadedBySubscriber, stored: client.get('outer:50') }
  })
  const { loaded, loadedBySubscriber, stored } = await result
  const rounds = Array.from({ length: 50 }, (_, index) => index + 1)
  const expected = rounds.map((round) => ({ round, inner: { key: `inner:${round}`, deepest: round } }))
  t.deepEqual(loaded, expected)
  t.deepEqual(stored, expected.at(-1))
  t.deepEqual(
    loadedBySubscriber,
    rounds.map((round) => `loaded of seen:${round} ${round}`),
  )
})

test('a subscriber that requests the key that a caller up the stack is loading is refused, and does not hang', async (t) => {
  t.timeout(30_000)
  const { cache } = await openMemory(t)
  const { result } = inWorker(cache.share(), 'sync', (given) => {
    const client = given as unknown as SyncThreadCache<unknown>
    let code: unknown
    client.watch('trigger').subscribe(() => {
      try {
        client.getOrSet('k', () => 'never called')
      } catch (error) {
        code = (error as { code?: string }).code
      }
    })
    const loaded = client.getOrSet('k', () => {
      client.set('trigger', 1)
      client.get('trigger') // by now at the latest its subscriber is called
      return 'loaded'
    })
    return [loaded, code]
  })
  t.deepEqual((await result) as unknown, ['loaded', 'LOAD_CYCLE'])
})

test('a subscriber may close the client while a call waits: that call is settled, and every event before the end is delivered', async (t) => {
  t.timeout(30_000)
  const { cache } = await openMemory(t)
  const { result } = inWorker(cache.share(), 'sync', (client) => {
    const seen: unknown[] = []
    client.changes$.subscribe({
      next: ({ key }) => {
        seen.push(key)
        if (key === 'a') client.close()
      },
      complete: () => seen.push('complete'),
    })
    const stored: unknown = client.setMany([
      ['a', 1 as never],
      ['b', 2 as never],
    ])
    let refusal: unknown
    try {
      client.get('a')
    } catch (error) {
      refusal = (error as { code?: string }).code
    }
    return { stored, seen, refusal }
  })
  t.deepEqual((await result) as unknown, { stored: 2, seen: ['a', 'b', 'complete'], refusal: 'CACHE_CLOSED' })
})
