/** Whatever ends, in whatever order: nothing hangs, every promise settles, and the owner keeps working. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { CacheClosedError, type CacheError, openCache } from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('closing a client settles its calls and leaves the cache and the other clients alone', async (t) => {
  const { cache } = await openMemory(t)
  const [client, other] = await Promise.all([connect(cache.share()), connect(cache.share())])
  const asked = [client.set('a', 1), client.increment('a'), client.getOrSet('never', () => new Promise(() => {}))]
  const closed = client.close()
  t.is(client.close(), closed)
  await closed
  const [set, sum, load] = await Promise.allSettled(asked)
  t.deepEqual(
    [set, sum],
    [
      { status: 'fulfilled', value: true },
      { status: 'fulfilled', value: 2 },
    ],
  )
  t.is((load as PromiseRejectedResult).reason.constructor, CacheClosedError)
  await t.throwsAsync(client.get('a'), { instanceOf: CacheClosedError, message: /This client is closed/ })
  await t.throwsAsync(client.size, { instanceOf: CacheClosedError })
  t.is(await other.get('a'), 2)
  t.is(cache.get('a'), 2)
})

test('closing the cache settles the calls in flight', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const queued = Array.from({ length: 10_000 }, () => client.increment('n'))
  const load = client.getOrSet('never', () => new Promise(() => {}))
  const closed = cache.close()
  const outcomes = await Promise.allSettled([...queued, load])
  await closed
  const done = outcomes.filter(({ status }) => status === 'fulfilled').length
  for (const outcome of outcomes.slice(done))
    t.is((outcome as PromiseRejectedResult).reason.constructor, CacheClosedError)
  await t.throwsAsync(client.get('n'), { instanceOf: CacheClosedError })
})

test('connect rejects when the cache is closed, before or after the port was made', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  await cache.close()
  await t.throwsAsync(connect(port), { instanceOf: CacheClosedError })
  t.throws(() => cache.share(), { instanceOf: CacheClosedError })
  await t.throwsAsync(connect({} as never), { instanceOf: TypeError, message: /port must be a MessagePort/ })
})

test('when a worker is terminated during its requests, each is done completely or not at all, and the owner continues', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 100_000 })
  for (let round = 0; round < 5; round++) {
    const { worker, heard } = inWorker(cache.share(), 'async', async (client) => {
      const all = client as unknown as { setMany(entries: [string, number][]): Promise<number> }
      for (let index = 0; ; index++) {
        const entries = Array.from({ length: 50 }, (_, each): [string, number] => [`${index}:${each}`, index])
        const stored = all.setMany(entries)
        if (index % 20 === 0) {
          await stored
          say(index)
        }
      }
    })
    await heard(2)
    await worker.terminate()
    const client = await connect(cache.share())
    t.is(typeof (await client.increment('alive')), 'number')
    t.is((cache.size - 1) % 50, 0)
    await client.close()
    cache.deletePattern('*:*')
  }
  t.is(cache.get('alive'), 5)
})

test('terminating the worker that loads rejects all waiting calls, and the next call loads again', async (t) => {
  const { cache } = await openMemory(t)
  const { worker, heard } = inWorker(cache.share(), 'async', async (client) => {
    await (client as never as { getOrSet(key: string, loader: () => unknown): unknown }).getOrSet('k', () => {
      say('loading')
      return new Promise(() => setInterval(() => {}, 1_000))
    })
  })
  await heard(1)
  const client = await connect(cache.share())
  const waiting = [client.getOrSet('k', () => 'not asked'), cache.getOrSet('k', () => 'not asked')]
  waiting.forEach((promise) => {
    promise.catch(() => undefined)
  })
  await until(() => cache.stats().misses === 3, 'both wait')
  await worker.terminate()
  for (const promise of waiting) t.is(((await t.throwsAsync(promise)) as CacheError).code, 'LOADER_GONE')
  t.is(await client.getOrSet('k', () => 'afresh'), 'afresh')
})

test('when the owner is terminated, calls of asynchronous and synchronous clients fail', async (t) => {
  const source = `
    import('${new URL('../../../src/index.js', import.meta.url)}').then(async ({ openCache, memoryJournal }) => {
      const { parentPort } = require('node:worker_threads')
      const cache = await openCache({ journal: memoryJournal() })
      const ports = [cache.share(), cache.share()]
      parentPort.postMessage(ports, ports)
      setInterval(() => {}, 1000)
    })`
  const owner = new Worker(source, { eval: true })
  const [[here, there]] = await once(owner, 'message')
  const client = await connect(here)
  let streamError: unknown
  client.changes$.subscribe({ error: (error) => (streamError = error) })
  const sync = inWorker(there, 'sync', (each) => {
    say(each.increment('n'))
    return each.getOrSet('k', () => {
      say('terminate now')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
      return 1 as never
    })
  })
  await sync.heard(2)
  const load = client.getOrSet('never', () => new Promise(() => {}))
  load.catch(() => undefined)
  await client.get('x')
  await owner.terminate()
  await t.throwsAsync(load, { instanceOf: CacheClosedError, message: /thread that owns the cache has ended/ })
  await t.throwsAsync(client.get('n'), { instanceOf: CacheClosedError })
  t.is((streamError as Error).constructor, CacheClosedError)
  t.is((await t.throwsAsync(sync.result))?.name, 'CacheClosedError')
})

test('share() returns a new port each time, also to a worker, which may pass it on', async (t) => {
  const { cache } = await openMemory(t)
  t.not(cache.share(), cache.share())
  const given = cache.share()
  const { result } = inWorker(
    cache.share(),
    'async',
    async (client, { url, given }) => {
      const { Worker } = await import('node:worker_threads')
      const own = await client.share()
      const source = `
        const { workerData, parentPort } = require('node:worker_threads')
        import(workerData.url).then(async ({ connect }) => {
          const client = await connect(workerData.port)
          for (let count = 0; count < 100; count++) await client.increment('nested')
          parentPort.postMessage('done')
        })`
      await Promise.all(
        [own, given].map(
          (port) =>
            new Promise((resolve, reject) => {
              const worker = new Worker(source, { eval: true, workerData: { url, port }, transferList: [port] })
              worker.on('message', resolve)
              worker.on('error', reject)
            }),
        ),
      )
      return client.get('nested')
    },
    { url: new URL('../../../src/edges/threads/threads.js', import.meta.url).href, given },
    [given],
  )
  t.is((await result) as unknown, 200)
})

test('when the journal fails, a worker gets the same error as the owner, and reads continue', async (t) => {
  const journal = new BreakableJournal()
  const cache = await openCache({ journal })
  t.teardown(() => cache.close().catch(() => undefined))
  const client = await connect(cache.share())
  await client.set('a', 1)
  journal.break('failed', new Error('EIO: i/o error'))
  const here = t.throws(() => cache.set('a', 2)) as CacheError
  const there = (await t.throwsAsync(client.set('a', 2))) as CacheError
  t.is(there.constructor, here.constructor)
  t.deepEqual([there.name, there.code, there.message], [here.name, here.code, here.message])
  t.deepEqual(there.cause, here.cause)
  t.is(await client.get('a'), 1)
})

test('a worker cannot open the directory that the owner has, and the error says so', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  t.teardown(() => cache.close())
  const { result } = inWorker(
    cache.share(),
    'none',
    async (_, { url, directory }) => {
      const { openCache } = await import(url)
      return openCache({ directory }).then(
        () => 'opened',
        (error: Error) => error.constructor.name,
      )
    },
    { url: new URL('../../../src/index.js', import.meta.url).href, directory },
  )
  t.is(await result, 'CacheLockedError')
})

test('closing a port, at either end, settles every waiting call', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  const client = await connect(port)
  const asked = [client.increment('n'), client.getOrSet('never', () => new Promise(() => {}))]
  await client.get('sent by now')
  asked.push(client.increment('n'))
  port.close()
  const outcomes = await Promise.allSettled(asked)
  t.is(outcomes[0]?.status, 'fulfilled')
  for (const outcome of outcomes.slice(1)) t.is((outcome as PromiseRejectedResult).reason.constructor, CacheClosedError)
  await t.throwsAsync(client.get('n'), { instanceOf: CacheClosedError })
  const other = await connect(cache.share())
  t.is(await other.getOrSet('never', () => 'afresh'), 'afresh') // the load of the closed port does not block it
})

test('closing the cache while changes wait for the disk settles them, and their client', async (t) => {
  const cache = await openCache({ directory: temporaryDirectory(t), fsync: 'always' })
  const { result, heard } = inWorker(cache.share(), 'async', async (client) => {
    const asked: Promise<string>[] = []
    const settled = (promise: Promise<unknown>) =>
      promise.then(
        () => 'done',
        (error: Error) => error.constructor.name,
      )
    for (let round = 0; round < 20; round++) {
      for (let each = 0; each < 100; each++) asked.push(settled(client.increment('n')))
      await client.peek('n')
      if (round === 3) say('under way')
    }
    return Promise.all(asked)
  })
  await heard(1)
  await cache.close()
  const kinds = new Set(await result.catch((error: Error) => [error.name]))
  t.true(
    [...kinds].every((kind) => kind === 'done' || kind === 'CacheClosedError'),
    [...kinds].join(),
  )
})

test('a synchronous client whose worker is terminated leaves the owner unharmed', async (t) => {
  const { cache } = await openMemory(t)
  const { worker, heard } = inWorker(cache.share(), 'sync', (client) => {
    say('calling')
    for (;;) {
      client.increment('n')
      client.transact([
        { type: 'increment', key: 'a' },
        { type: 'increment', key: 'b' },
      ])
    }
  })
  await heard(1)
  await until(() => Number(cache.peek('n') ?? 0) > 3, 'it calls')
  await worker.terminate()
  const client = await connect(cache.share())
  t.is(await client.get('a'), await client.get('b'))
  t.is(typeof (await client.increment('n')), 'number')
})
