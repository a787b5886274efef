import test from 'ava'
import { connect, connectSync, type SyncThreadCache } from '../../../../src/edges/threads/threads.js'
import { CacheClosedError, type CacheError } from '../../../../src/index.js'
import { casesWithin } from '../../../conformance/cache.js'
import { awaitedBlocking, blockingClient } from '../../../helpers/edges/blocking-client.js'
import { inWorker } from '../../../helpers/edges/in-worker.js'
import { until } from '../../../helpers/loop-turn.js'
import { openMemory } from '../../../helpers/open-memory.js'
import { runCases } from '../../../helpers/run-cases.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'
import { withinNamespace } from '../../../helpers/within-namespace.js'

test('connectSync is refused in the thread that owns the cache, and the port is still good', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  const error = t.throws(() => connectSync(port)) as CacheError
  t.is(error.code, 'WOULD_DEADLOCK')
  t.regex(error.message, /wait for itself.*connect\(\)/)
  t.is(await (await connect(port)).increment('n'), 1)
})

test('connectSync is refused for a port that has been in a worker and came back', async (t) => {
  const { cache } = await openMemory(t)
  const { worker, result } = inWorker(cache.share(), 'none', async (port) => {
    const { parentPort } = await import('node:worker_threads')
    parentPort?.postMessage({ said: port }, [port])
  })
  const [back] = await new Promise<unknown[]>((resolve) => worker.once('message', ({ said }) => resolve([said])))
  await result
  t.is((t.throws(() => connectSync(back as never)) as CacheError).code, 'WOULD_DEADLOCK')
})

test('connectSync to a closed cache, or with something other than a port, is refused and does not hang', async (t) => {
  const { cache } = await openMemory(t)
  const ports = [cache.share(), cache.share()]
  await cache.close()
  t.throws(() => connectSync({} as never), { instanceOf: TypeError })
  const { result } = inWorker(ports[0] as never, 'sync', (client) => client.get('k'))
  const error = await t.throwsAsync(result, { any: true }) // it ended the worker
  t.is((error as CacheError).code, 'CACHE_CLOSED')
})

test('all methods, the same results: values, errors, lists, files, loads', async (t) => {
  const { cache } = await openMemory(t)
  const { result } = inWorker(
    cache.share(),
    'sync',
    (given, directory) => {
      const client = given as never as SyncThreadCache<unknown>
      const refusal = (call: () => unknown) => {
        try {
          return call()
        } catch (error) {
          const { name, code, message } = error as Error & { code?: string }
          return [(error as Error).constructor.name, name, code, message.slice(0, 40)]
        }
      }
      const values = [
        null,
        -0,
        1.5,
        2 ** 40,
        10n,
        '',
        'ü😀\ud800',
        'x'.repeat(9_000),
        { a: [new Date(5)] },
        new Uint8Array([1]),
        Buffer.from('b'),
      ]
      values.forEach((value, index) => {
        client.set(`v${index}`, value)
      })
      const copies = values.map((_, index) => client.get(`v${index}`))
      const isExact =
        copies.every((copy, index) => Object.is(copy, values[index]) || typeof copy === 'object') &&
        Buffer.isBuffer(copies.at(-1))
      client.clear()
      return {
        copies,
        isExact,
        counts: [
          client.increment('é\ud800', 2),
          client.decrement('é\ud800'),
          client.increment('x', 0.5, { ttl: '1m' }),
          client.ttl('x'),
        ],
        many: [
          client.setMany([
            ['a', 1],
            ['b', { n: 2 }],
          ]),
          client.getMany(['a', 'none', 'b']),
          client.deleteMany(['a', 'none']),
        ],
        expiry: [
          client.expire('b', 5),
          client.ttl('b'),
          client.persist('b'),
          client.has('b'),
          client.exists('none'),
          client.peek('b'),
        ],
        lists: [client.keys('?'), [...client.entries('b')], client.size, client.deletePattern('b'), client.cleanup()],
        steps: client.transact([
          { type: 'set', key: 's', value: 1 },
          { type: 'get', key: 's' },
        ]),
        loads: [
          client.getOrSet('l', (key) => ({ key, inner: client.increment('inner') })),
          client.getOrSet('l', () => 'not again'),
        ],
        files: [
          client.save(`${directory}/s.pickle`).ok,
          client.load(`${directory}/s.pickle`).ok,
          client.load(`${directory}/none`).ok,
        ],
        figures: [client.stats().size > 0, client.flush() > 0, client.compact().entries, client.recovery.sequence],
        refusals: [
          refusal(() => client.increment('l')),
          refusal(() => client.get(5 as never)),
          refusal(() => client.set('f', () => 1)),
          refusal(() => client.getOrSet('p', () => Promise.resolve(1))),
          refusal(() => client.getOrSet('c', () => client.getOrSet('d', () => client.getOrSet('c', () => 1)))),
          refusal(() => client.transact([{ type: 'require', key: 's', atLeast: 2 }])),
          refusal(() => client.close()),
          refusal(() => client.get('s')),
        ],
      }
    },
    temporaryDirectory(t),
  )
  const { copies, ...rest } = await result
  t.deepEqual(copies.slice(0, 8) as unknown[], [null, -0, 1.5, 2 ** 40, 10n, '', 'ü😀\ud800', 'x'.repeat(9_000)])
  t.deepEqual(rest as unknown, {
    isExact: true,
    counts: [2, 1, 0.5, 60],
    many: [2, [1, undefined, { n: 2 }], 1],
    expiry: [true, 5, true, true, false, { n: 2 }],
    lists: [['x', 'b'], [['b', { n: 2 }]], 3, 1, 0],
    steps: [true, 1],
    loads: [
      { key: 'l', inner: 1 },
      { key: 'l', inner: 1 },
    ],
    files: [true, true, false],
    figures: [true, true, 5, 0],
    refusals: [
      ['ValueError', 'ValueError', 'INVALID_VALUE', "Cannot increment 'l': it holds an object"],
      ['TypeError', 'TypeError', undefined, 'A key must be a string; 5 is not. Nothin'],
      ['ValueError', 'ValueError', 'INVALID_VALUE', 'Cannot store a function. Nothing was cha'],
      ['TypeError', 'TypeError', undefined, 'The loader of a synchronous client must '],
      ['CacheError', 'CacheError', 'LOAD_CYCLE', "Loading 'd' would wait for 'c', which wa"],
      ['CacheError', 'CacheError', 'CONDITION_FAILED', "A condition on 's' in step 0 of the tran"],
      undefined,
      ['CacheClosedError', 'CacheClosedError', 'CACHE_CLOSED', 'This client is closed. Nothing was chang'],
    ],
  })
})

test('closing the cache wakes a synchronous client that waits', async (t) => {
  const { cache } = await openMemory(t)
  const running = inWorker(cache.share(), 'sync', (client) => {
    say('waiting')
    for (;;) client.increment('n')
  })
  await running.heard(1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await cache.close()
  t.is((await t.throwsAsync(running.result))?.name, CacheClosedError.name)
})

test('a worker that calls in a tight loop leaves room for timers and other ports', async (t) => {
  const { cache } = await openMemory(t)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const running = inWorker(
    cache.share(),
    'sync',
    (client, stop) => {
      say('running')
      let calls = 0
      for (; Atomics.load(stop, 0) === 0; calls++) client.increment('n')
      return calls
    },
    stop,
  )
  await running.heard(1)
  const other = await connect(cache.share())
  let timers = 0
  const timer = setInterval(() => timers++, 1)
  for (let call = 0; call < 50; call++) await other.increment('other') // starved, it would never end
  await until(() => timers > 5, 'timers of the owner')
  clearInterval(timer)
  Atomics.store(stop, 0, 1)
  const calls = await running.result
  t.is(cache.get('n'), calls)
  t.is(cache.get('other'), 50)
})

for (const isWithin of [false, true]) {
  const cases = casesWithin('blocking client').filter((one) => !isWithin || casesWithin('namespace').includes(one))
  runCases(`blocking${isWithin ? ', in a namespace' : ''}`, cases, async (t, { options }) => {
    const { client, clock, closeCache, end } = await blockingClient(options)
    t.teardown(() => {
      client.close()
      return end()
    })
    const cache = awaitedBlocking(isWithin ? withinNamespace(client) : client)
    return { cache, clock, closeCache, directory: temporaryDirectory(t) }
  })
}
