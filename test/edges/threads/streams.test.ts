import test from 'ava'
import { firstValueFrom, Observable, pairwise, take, toArray } from 'rxjs'
import { innerOf } from '../../../src/cache/cache.js'
import type { StoredValue } from '../../../src/core/model/stored-value.js'
import { connect } from '../../../src/edges/threads/threads.js'
import type { Cache, CacheError, Change, LifecycleState } from '../../../src/index.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

/** Counts the open subscriptions of `changes$`. */
function counted(cache: Cache): () => number {
  const { streams } = innerOf(cache)
  const { changes$ } = streams
  let open = 0
  const value = new Observable<Change<StoredValue>>((subscriber) => {
    open++
    const subscription = changes$.subscribe(subscriber)
    return () => {
      open--
      subscription.unsubscribe()
    }
  })
  Object.defineProperty(streams, 'changes$', { value })
  return () => open
}

test('a stream has one subscription over the port while it has subscribers', async (t) => {
  const { cache } = await openMemory(t)
  const open = counted(cache)
  const client = await connect(cache.share())
  t.is(open(), 0)
  const seen: Change[][] = [[], []]
  const subscriptions = seen.map((list) => client.changes$.subscribe((change) => list.push(change)))
  await client.set('a', 1)
  t.is(open(), 1)
  t.deepEqual(
    seen.map((list) => list.length),
    [1, 1],
  )
  subscriptions[0]?.unsubscribe()
  await client.set('b', { of: [new Date(5)] })
  t.deepEqual(seen[1]?.[1], { type: 'set', sequence: 2, key: 'b', value: { of: [new Date(5)] } })
  t.is(seen[0]?.length, 1)
  subscriptions[1]?.unsubscribe()
  await client.get('a')
  t.is(open(), 0)
})

test('subscribers have had the events of a call before its promise resolves', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const seen: number[] = []
  client.changes$.subscribe(({ sequence }) => seen.push(sequence))
  for (let count = 1; count <= 100; count++) {
    await client.set('k', count)
    t.is(seen.length, count)
  }
})

test('two workers see every change of ten others, in order, exactly once', async (t) => {
  const { cache } = await openMemory(t)
  const observers = [0, 1].map(() =>
    inWorker(cache.share(), 'async', async (client) => {
      const changes = rxjs.firstValueFrom(client.changes$.pipe(rxjs.take(2_000), rxjs.toArray()))
      await client.get('subscribed by now')
      say('ready')
      const keep = setInterval(() => {}, 1_000) // a subscription alone does not keep a worker alive
      const seen = await changes
      clearInterval(keep)
      return seen
    }),
  )
  await Promise.all(observers.map(({ heard }) => heard(1)))
  const here = firstValueFrom(cache.changes$.pipe(take(2_000), toArray()))
  const writers = Array.from({ length: 10 }, () =>
    inWorker(cache.share(), 'async', async (client) => {
      for (let round = 0; round < 20; round++)
        await Promise.all(Array.from({ length: 10 }, (_, index) => client.increment(`k${index}`)))
    }),
  )
  await Promise.all(writers.map(({ result }) => result))
  const expected = await here
  t.deepEqual(
    expected.map(({ sequence }) => sequence),
    Array.from({ length: 2_000 }, (_, index) => index + 1),
  )
  for (const { result } of observers) t.deepEqual((await result) as unknown, expected)
})

test('a worker that is too slow gets every event up to an error; the owner and other workers continue', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 10 })
  const lock = new Int32Array(new SharedArrayBuffer(4))
  const slow = inWorker(
    cache.share(),
    'async',
    async (client, lock) => {
      const seen: number[] = []
      const ended = new Promise<CacheError>((resolve) => {
        client.changes$.subscribe({
          next: ({ sequence }) => {
            if (seen.push(sequence) === 1) Atomics.wait(lock, 0, 0) // it hangs
          },
          error: resolve,
        })
      })
      await client.get('subscribed by now')
      say('ready')
      const keep = setInterval(() => {}, 1_000)
      const { code, message } = await ended
      clearInterval(keep)
      return {
        code,
        message,
        isWhole: seen.every((sequence, index) => sequence === index + 1),
        count: seen.length,
        next: await client.increment('n'),
      }
    },
    lock,
  )
  await slow.heard(1)
  const other = await connect(cache.share())
  let others = 0
  other.changes$.subscribe(() => others++)
  await other.get('subscribed by now')
  for (let round = 0; round < 1_020; round++) {
    for (let count = 0; count < 100; count++) cache.set('k', round)
    if (round % 10 === 0) await other.get('k')
  }
  Atomics.store(lock, 0, 1)
  Atomics.notify(lock, 0)
  const { code, isWhole, count, next } = await slow.result
  t.is(code, 'SUBSCRIBER_TOO_SLOW')
  t.true(isWhole)
  t.is(count, 100_001)
  t.is(next, 1)
  await until(() => others >= 102_000, 'the other sees all')
})

test('states are not queued: a worker gets only the latest stats', async (t) => {
  const { cache, clock } = await openMemory(t)
  const client = await connect(cache.share())
  const seen: number[] = []
  client.stats$.subscribe(({ size }) => seen.push(size))
  await client.get('subscribed by now')
  for (let size = 1; size <= 50; size++) {
    cache.set(`k${size}`, 1)
    clock.advance(1)
  }
  await until(() => seen.at(-1) === 50, 'the last stats')
  t.true(seen.length < 5)
})

test('lifecycle$ over a port: each state, once', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const states: LifecycleState[] = []
  client.lifecycle$.subscribe((state) => states.push(state))
  await client.compact()
  await cache.close()
  await until(() => states.at(-1)?.state === 'closed', 'the end')
  t.deepEqual(
    states.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1]),
    ['running', 'compacting', 'running', 'draining', 'closed'],
  )
})

test('a subscriber that throws or calls the client affects no other', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const seen: string[] = []
  client.watch('a*').subscribe(({ key }) => {
    seen.push(String(key))
    client.set('b', 1).catch(() => undefined)
  })
  await client.set('a', 1)
  await client.get('b')
  t.deepEqual(seen, ['a'])
  t.is(cache.get('b'), 1)
})

test('a synchronous client gets events during its calls, and by the event loop in between', async (t) => {
  const { cache } = await openMemory(t)
  const running = inWorker(cache.share(), 'sync', async (client) => {
    const seen: number[] = []
    const three = new Promise<void>((resolve) => {
      client.changes$.subscribe(({ sequence }) => {
        if (seen.push(sequence) === 3) resolve()
      })
    })
    client.increment('n')
    const during = seen.length
    client.increment('n')
    say('two')
    const keep = setInterval(() => {}, 1_000)
    await three
    clearInterval(keep)
    return [during, seen]
  })
  await running.heard(1)
  cache.set('here', 1)
  t.deepEqual(await running.result, [1, [1, 2, 3]])
})

test('rates computed from what stats$ of a client emits fall to 0', async (t) => {
  const { cache, clock } = await openMemory(t)
  const client = await connect(cache.share())
  const rates: number[] = []
  client.stats$.pipe(pairwise()).subscribe(([a, b]) => rates.push(((b.sets - a.sets) * 1_000) / (b.atMs - a.atMs)))
  await client.peek('a') // subscribed
  for (const sets of [20, 10, 0, 0, 0]) {
    for (let index = 0; index < sets; index++) cache.set(`${index}`, 1)
    clock.advance(1)
    await client.peek('a').then(() => client.peek('a'))
  }
  t.is(rates[0], 20)
  t.is(rates.at(-1), 0)
})
