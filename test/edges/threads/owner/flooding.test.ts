/** Backpressure, fairness, and what a broken or hostile worker may send. */
import { MessageChannel } from 'node:worker_threads'
import test from 'ava'
import { AGAIN, ARITIES, OP, SAME } from '../../../../src/edges/remote/wire/codes.js'
import { ANSWERS, BATCH_REQUESTS_MAX, BATCHES_MAX, LOAD } from '../../../../src/edges/remote/wire/protocol.js'
import { connect } from '../../../../src/edges/threads/threads.js'
import { CacheError } from '../../../../src/index.js'
import { inWorker } from '../../../helpers/edges/in-worker.js'
import { until } from '../../../helpers/loop-turn.js'
import { openMemory } from '../../../helpers/open-memory.js'

test('a flood waits in the thread that makes it: at most a few batches are in flight', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  let sent = 0
  let most = 0
  let onTheWay = 0
  const post = port.postMessage.bind(port)
  port.postMessage = (message: unknown[]) => {
    sent++
    most = Math.max(most, ++onTheWay)
    post(message)
  }
  port.on('message', (parts: unknown[][]) => {
    onTheWay -= parts.filter(([kind]) => kind === ANSWERS).length
  })
  const client = await connect(port)
  sent = onTheWay = most = 0
  const sums = await Promise.all(Array.from({ length: 20_000 }, () => client.increment('n')))
  t.is(sums.at(-1), 20_000)
  t.true(most <= BATCHES_MAX)
  t.true(sent >= Math.floor(20_000 / BATCH_REQUESTS_MAX) && sent <= 60)
})

test('calls made in the same tick are sent together, and so are their answers', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  let sent = 0
  let received = 0
  const post = port.postMessage.bind(port)
  port.postMessage = (message: unknown[]) => {
    sent++
    post(message)
  }
  const client = await connect(port)
  port.on('message', () => received++)
  sent = 0
  const direct = [client.set('a', 1), client.get('a')]
  const inMicrotasks = Promise.resolve().then(() => [client.get('a'), Promise.resolve().then(() => client.get('a'))])
  process.nextTick(() => direct.push(client.get('a') as never))
  await Promise.all([...direct, ...(await inMicrotasks)])
  t.is(sent, 1)
  t.is(received, 1)
})

test('large values are cut into batches by their bytes', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const large = new Uint8Array(600_000)
  await Promise.all(Array.from({ length: 20 }, (_, index) => client.set(`k${index}`, large)))
  t.is(((await client.get('k19')) as Uint8Array).byteLength, 600_000)
  t.is(large.byteLength, 600_000) // copied, not taken
})

test('buffers in transfer are moved; one that cannot be moved is refused', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const bytes = new Uint8Array(100_000).fill(5)
  const floats = new Float64Array(1_000).fill(1.5)
  await Promise.all([
    client.set('bytes', bytes, { transfer: [bytes.buffer as ArrayBuffer] }),
    client.set('floats', { floats }, { transfer: [floats.buffer as ArrayBuffer] }),
  ])
  t.deepEqual([bytes.byteLength, floats.byteLength], [0, 0])
  t.deepEqual(cache.get('bytes'), new Uint8Array(100_000).fill(5))
  t.deepEqual(cache.get('floats'), { floats: new Float64Array(1_000).fill(1.5) })
  await t.throwsAsync(client.set('k', 1, { transfer: [5 as never] }), {
    instanceOf: TypeError,
    message: /transfer must be/,
  })
  const view = new Uint8Array(new ArrayBuffer(10), 2, 3).fill(9)
  await client.set('view', view, { transfer: [view.buffer as ArrayBuffer] })
  t.deepEqual(cache.get('view'), new Uint8Array(3).fill(9))
})

test('a flooding worker starves neither another worker nor the owner', async (t) => {
  const { cache } = await openMemory(t)
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const flood = inWorker(
    cache.share(),
    'async',
    async (client, stop) => {
      let asked = 0
      while (Atomics.load(stop, 0) === 0) {
        // Four windows full, all the time.
        const flooding = Array.from({ length: 16_384 }, () => client.increment('flood'))
        if (asked === 0) say('flooding')
        asked += flooding.length
        await flooding[4_096]
      }
      await client.get('the end')
      return asked
    },
    stop,
  )
  await flood.heard(1)
  const polite = inWorker(cache.share(), 'async', async (client) => {
    for (let call = 0; call < 50; call++) await client.increment('polite')
    return client.peek('flood')
  })
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  t.true(((await polite.result) as unknown as number) > 0) // while the flood goes on; starved, it would never end
  await until(() => turns > 5, 'timers of the owner')
  clearInterval(timer)
  Atomics.store(stop, 0, 1)
  t.is(cache.get('polite'), 50)
  const asked = await flood.result
  t.is(cache.get('flood'), asked)
})

test('long calls made at once are done in portions, and other clients are served in between', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 100_000 })
  cache.setMany(Array.from({ length: 20_000 }, (_, index): [string, number] => [`k${index}`, index]))
  const [greedy, polite] = await Promise.all([connect(cache.share()), connect(cache.share())])
  const order: string[] = []
  const asked = Array.from({ length: 300 }, () => greedy.keys('k*7'))
  const last = greedy.increment('after').then((sum) => order.push(`greedy ${sum}`))
  for (let call = 1; call <= 5; call++) {
    await polite.increment('polite')
    order.push(`polite ${call}`)
  }
  await last
  t.deepEqual(order, ['polite 1', 'polite 2', 'polite 3', 'polite 4', 'polite 5', 'greedy 1'])
  for (const keys of await Promise.all(asked)) t.is(keys.length, 2_000)
})

test('close takes effect after all earlier calls, even while those are done in portions', async (t) => {
  const { cache } = await openMemory(t, { maxSize: 100_000 })
  cache.setMany(Array.from({ length: 20_000 }, (_, index): [string, number] => [`k${index}`, index]))
  const client = await connect(cache.share())
  const asked = Array.from({ length: 1_500 }, (_, index) => (index % 20 ? client.get('k1') : client.keys('k*77')))
  await client.close()
  t.is((await Promise.all(asked)).length, 1_500)
  const other = await connect(cache.share())
  const lost = Array.from({ length: 1_500 }, () => other.keys('k*77'))
  await cache.close()
  const outcomes = await Promise.allSettled(lost)
  t.true(outcomes.some(({ status }) => status === 'rejected'))
  for (const outcome of outcomes) if (outcome.status === 'rejected') t.is(outcome.reason.name, 'CacheClosedError')
})

/** Messages that are not valid batches. */
const NONSENSE: unknown[] = [
  null,
  undefined,
  5,
  'text',
  {},
  [],
  ['x'],
  [1.5],
  [Number.NaN],
  [1, 999],
  [1, -1],
  [1, 'get'],
  [1, {}],
  new Map(),
  [1, OP.read, 'k', 77],
  [1, AGAIN, 5],
  [1, OP.read, 'k', AGAIN],
  [1, OP.read, 'k', AGAIN, 0],
  [1, OP.read, 'k', AGAIN, 1e9],
  [1, OP.read, 'k', AGAIN, '2'],
]

for (const [index, message] of NONSENSE.entries()) {
  test(`an invalid message closes its own port and nothing else (${index})`, async (t) => {
    const { cache } = await openMemory(t)
    const other = await connect(cache.share())
    const port = cache.share()
    const closed = new Promise((resolve) => port.on('close', resolve as () => void))
    const client = connect(port)
    port.postMessage(message)
    await Promise.allSettled([client])
    if (Array.isArray(message) && message.length === 0) port.postMessage('more')
    await closed
    await t.throwsAsync(
      (await client.catch(() => undefined))?.get('k') ?? Promise.reject(new CacheError('INTERNAL', '')),
      { instanceOf: CacheError },
    )
    t.is(await other.increment('n'), 1)
  })
}

test('every operation refuses invalid arguments, and the owner keeps working', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('kept', { n: 1 })
  const hostile: unknown[] = [
    undefined,
    null,
    -1,
    Number.NaN,
    '',
    'k',
    {},
    [],
    [[]],
    [1],
    [1, 5],
    [1, new Uint8Array([1, 2, 3])],
    [2, 'x'],
    [1, new Uint8Array(new SharedArrayBuffer(4))],
    [1, Uint8Array.from([255, 15, 92, 255, 255, 255, 255, 15])],
    new Map([['then', 1]]),
    ['a', undefined],
    [[undefined, [], [5]]],
    [[0, [1]]],
    [[99, []]],
    [[5, {}, {}]],
    new SharedArrayBuffer(8 * 1024),
    new SharedArrayBuffer(4),
    new SharedArrayBuffer(8),
    new Date(Number.NaN),
    10n,
  ]
  const port = cache.share()
  const answered = new Map<number, unknown>()
  port.on('message', (parts: unknown[][]) => {
    for (const [kind, id, ...rest] of parts)
      if (kind === 0) for (const index of rest.keys()) answered.set((id as number) + index, true)
  })
  port.on('messageerror', () => {})
  let id = 1
  const skipped: string[] = ['bye', 'save', 'compact', 'clear', 'deletePattern', 'deletePrefix', 'cleanup']
  const names = Object.keys(OP).filter((name) => !skipped.includes(name)) as (keyof typeof OP)[]
  for (const name of names) {
    for (const argument of hostile) {
      port.postMessage([id++, OP[name], ...Array(ARITIES[OP[name]]).fill(argument)])
    }
  }
  for (const extra of ['packets', 'doorbell', 'constructor', '__proto__']) {
    for (const argument of hostile) port.postMessage([id++, OP.extra, extra, argument])
  }
  const other = await connect(cache.share())
  while (answered.size < id - 1) await other.get('kept')
  t.deepEqual(cache.get('kept'), { n: 1 })
  t.is(cache.lifecycle$ === undefined, false)
  t.true(cache.keys().every((key) => typeof key === 'string'))
  for (const key of cache.keys()) t.notThrows(() => cache.get(key))
})

test('a hostile worker that uses one number for two loads leaves both keys loadable', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  const loads: unknown[] = []
  port.on('message', (parts: unknown[][]) => loads.push(...parts.filter(([kind]) => kind === LOAD)))
  port.postMessage([7, OP.getOrSet, 'a', undefined, undefined, undefined])
  port.postMessage([7, OP.getOrSet, 'b', undefined, undefined, undefined])
  await until(() => loads.length > 0, 'the worker is asked to load')
  const other = await connect(cache.share())
  // The second load was refused at once, so this client loads `b` itself; for `a` it waits for the worker.
  const waiting = Promise.allSettled(['a', 'b'].map((key) => other.getOrSet(key, () => 'of the other')))
  await until(() => cache.stats().misses === 4, 'both are asked for')
  port.close()
  const outcomes = await waiting // no call hangs
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'fulfilled'],
  )
  t.is(await other.getOrSet('a', () => 'loaded a'), 'loaded a')
  t.is(await other.get('b'), 'of the other')
})

test('random writes to the shared memory at most close their own port', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  const memory = new SharedArrayBuffer(8 * 1024)
  port.postMessage([1, OP.extra, 'packets', memory])
  const words = new Int32Array(memory)
  for (let round = 0; round < 200; round++) {
    for (let index = 16; index < words.length; index++)
      words[index] = (Math.imul(index * 31 + round, 0x9e3779b1) % 9) * (round % 3 ? 1 : 0x01010101)
    Atomics.store(words, 1, 1)
    port.postMessage(0)
    await new Promise((resolve) => setImmediate(resolve))
  }
  const other = await connect(cache.share())
  t.is(typeof (await other.increment('alive')), 'number')
})

test('connecting a port that is not from a cache fails when the port closes', async (t) => {
  const { port1, port2 } = new MessageChannel()
  const connecting = connect(port1)
  port2.close()
  await t.throwsAsync(connecting, { name: 'CacheClosedError' })
})

test('equal requests are sent as a count, and each is still a request of its own', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  const sent: unknown[][] = []
  const post = port.postMessage.bind(port)
  port.postMessage = (message: unknown[]) => {
    sent.push(message)
    post(message)
  }
  const client = await connect(port)
  sent.length = 0
  const sequences: number[] = []
  cache.changes$.subscribe(({ sequence }) => sequences.push(sequence))
  const asked = [1, 1, 1, 2, 2, 0, -0, -0].map((by) => client.increment('n', by))
  const others = [
    client.get('n'),
    client.get('n'),
    client.get('m'),
    client.has('m'),
    client.set('m', -0),
    client.set('m', 0),
    client.set('m', 'a'),
    client.get('m'),
    client.increment('n', 2, { ttl: 5 }),
    client.increment('n', 2),
    client.increment('n', 2),
  ]
  t.deepEqual(await Promise.all(asked), [1, 2, 3, 5, 7, 7, 7, 7])
  t.deepEqual(await Promise.all(others), [7, 7, undefined, false, true, true, true, 'a', 9, 11, 13])
  const { add, read, has, put, increment } = OP
  // biome-ignore format: one request in a line
  t.deepEqual(sent, [[
    2,
    add, 'n', 1, AGAIN, 2,
    add, SAME, 2, AGAIN, 1,
    add, SAME, 0,
    add, SAME, -0, AGAIN, 1,
    read, SAME, AGAIN, 1,
    read, 'm',
    has, SAME,
    put, SAME, -0,
    put, SAME, 0,
    put, SAME, 'a',
    read, SAME,
    increment, 'n', 2, 5,
    add, SAME, 2, AGAIN, 1,
  ]].map(([, ...requests]) => [sent[0]?.[0], ...requests]))
  t.deepEqual(
    sequences,
    Array.from({ length: 14 }, (_, index) => index + 1),
  )
})
