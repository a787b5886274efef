/**
 * What a cache does on its own is part of no request (`AsyncLocalStorage`): a subscriber does not run in the context of whoever
 * happened to arm a timer, and no request stays in memory because of one.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { connect, type RemoteCache } from '../../src/edges/threads/threads.js'
import { type Cache, memoryJournal, openCache } from '../../src/index.js'
import { openWithin } from '../../src/open.js'
import { type Clock, type Duration, ManualClock } from '../../src/testing.js'
import { failing, SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { connectOver } from '../helpers/edges/connected.js'
import { loopTurn, until } from '../helpers/loop-turn.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const requests = new AsyncLocalStorage<string>()

/** Remembers in which request each timer was armed, by its delay. */
class ContextClock implements Clock {
  readonly armed = new Map<number, string | undefined>()
  readonly #clock = new ManualClock()
  readonly now = this.#clock.now
  readonly clearTimeout = this.#clock.clearTimeout
  readonly setTimeout = (callback: () => void, delayMs: number) => {
    this.armed.set(delayMs, requests.getStore())
    return this.#clock.setTimeout(callback, delayMs)
  }

  advance(duration: Duration): void {
    this.#clock.advance(duration)
  }
}

test('every kind of timer is armed outside the request that needs it', async (t) => {
  const disk = new SimulatedDisk()
  const clock = new ContextClock()
  const options = { directory: '/j', clock, cleanupInterval: 2_000, statsInterval: 3_000, fsync: 'everysec' } as const
  const cache = await requests.run('open', () => openWithin(options, { storage: disk.process() }))
  requests.run('stats', () => cache.stats$.subscribe())
  requests.run('set', () => cache.set('a', 1, { ttl: 4_000 }))
  const loading = requests.run('load', () => {
    const waiting = cache.getOrSet('b', () => new Promise(() => undefined), { timeout: 5_000, hardTimeout: 6_000 })
    waiting.catch(() => undefined)
    return waiting
  })
  await loopTurn()
  const kinds = { fsync: 1_000, cleanup: 2_000_000, stats: 3_000_000, expiry: 4_000_000, timeout: 5_000_000 }
  t.deepEqual(
    [...clock.armed].sort(([a], [b]) => a - b),
    [...Object.values(kinds), 6_000_000].map((delayMs) => [delayMs, undefined]),
  )
  clock.advance(1) // the fsync
  await cache.flush()
  clock.armed.clear()
  disk.plan = failing(({ name }) => name === 'write', { error: 'ENOSPC' })
  requests.run('fails', () => cache.set('c', 1))
  await until(() => clock.armed.has(1_000), 'a retry')
  t.is(clock.armed.get(1_000), undefined)
  disk.plan = undefined
  clock.advance('1s')
  await cache.close({ force: true })
  await t.throwsAsync(loading)
})

test('streams that a request set off, but did not wait for, tell their subscribers outside of it', async (t) => {
  const disk = new SimulatedDisk()
  const contexts = new Set<string>()
  const note = (what: string) => contexts.add(`${what} in ${requests.getStore() ?? 'no request'}`)
  const cache = await requests.run('open', () =>
    openWithin(
      { directory: '/j', clock: new ManualClock(), compaction: { journalBytes: 1_000 } },
      { storage: disk.process() },
    ),
  )
  requests.run('subscribe', () => cache.lifecycle$.subscribe(({ state }) => state !== 'running' && note(state)))
  requests.run('grow', () => cache.set('large', 'x'.repeat(100_000))) // written at once; then a compaction is due
  await until(() => cache.stats().journal.snapshotSequence === 1, 'a compaction')
  disk.plan = failing(({ name }) => name === 'write', { error: 'ENOSPC' })
  requests.run('fails', () => cache.set('a', 1))
  await until(() => contexts.has('read-only in no request'), 'a failed write')
  disk.plan = undefined
  t.deepEqual([...contexts].sort(), ['compacting in no request', 'read-only in no request'])
  await cache.close({ force: true })
})

const CLIENTS: [string, (cache: Cache) => Promise<RemoteCache>][] = [
  ['a port', (cache) => requests.run('connect', () => connect(requests.run('share', () => cache.share())))],
  ['a line', async (cache) => requests.run('connect', () => connectOver(cache, { isTakeable: false }).client)],
  [
    'a line that is polled',
    async (cache) => requests.run('connect', () => connectOver(cache, { isTakeable: true }).client),
  ],
]

for (const [what, connectTo] of CLIENTS) {
  test(`through ${what}, a client tells its subscribers outside any request, and runs a loader in that of its caller`, async (t) => {
    const cache = await openCache({ journal: memoryJournal() })
    const client = await connectTo(cache)
    const contexts: unknown[] = []
    cache.changes$.subscribe(({ key }) => contexts.push(['owner', key, requests.getStore()]))
    requests.run('subscribe', () => client.changes$.subscribe(({ key }) => contexts.push([key, requests.getStore()])))
    await requests.run('set', () => client.set('a', 1))
    await requests.run('load', () =>
      client.getOrSet('b', async () => {
        contexts.push(['loader', requests.getStore()])
        return 2
      }),
    )
    t.deepEqual(contexts, [
      ['owner', 'a', undefined],
      ['a', undefined],
      ['loader', 'load'],
      ['owner', 'b', undefined],
      ['b', undefined],
    ])
    await client.close()
    await cache.close()
  })
}

test('no request stays in memory after its calls have returned', async (t) => {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const directory = temporaryDirectory(t)
  const script = `
    import { AsyncLocalStorage } from 'node:async_hooks'
    import { setImmediate } from 'node:timers/promises'
    import { createActor } from ${JSON.stringify(import.meta.resolve('xstate'))}
    const { cacheLogic, memoryJournal, openCache } = await import(${url('../../src/index.js')})
    const { connect } = await import(${url('../../src/edges/threads/threads.js')})
    const requests = new AsyncLocalStorage()
    const references = new Map()
    const request = (name, task) => {
      const store = { name }
      references.set(name, new WeakRef(store))
      return requests.run(store, task)
    }
    const later = { ttl: '1h' }
    const file = ${JSON.stringify(join(directory, 'saved'))}
    const options = { directory: ${JSON.stringify(join(directory, 'journal'))}, statsInterval: '1h' }
    const cache = await request('openCache', () => openCache(options))
    request('subscribe', () => {
      for (const stream of ['changes$', 'expirations$', 'evictions$', 'stats$', 'lifecycle$']) cache[stream].subscribe()
    })
    request('set', () => cache.set('a', 1, later))
    request('transact', () => cache.transact(() => cache.increment('n')))
    request('send', () => cache.actor.send({ type: 'set', key: 'b', value: 1 }))
    for (const method of ['flush', 'compact', 'cleanup', 'stats']) await request(method, async () => { await cache[method]() })
    for (const method of ['save', 'load']) await request(method, async () => { await cache[method](file) })
    await request('getOrSet', async () => { await cache.getOrSet('c', async () => 1, { ...later, timeout: '1h', hardTimeout: '1h' }) })
    const port = request('share', () => cache.share())
    const client = await request('connect', () => connect(port))
    request('client subscribe', () => client.changes$.subscribe())
    await request('client set', async () => { await client.set('d', 1, later) })
    await request('client getOrSet', async () => { await client.getOrSet('e', async () => 1, later) })
    const actor = await request('cacheLogic', () => createActor(cacheLogic({ journal: memoryJournal() })).start())
    for (let turn = 0; turn < 20; turn++) {
      await setImmediate()
      globalThis.gc()
    }
    console.log(JSON.stringify([...references].filter(([, reference]) => reference.deref() !== undefined).map(([name]) => name)))
    process.exit()
  `
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--expose-gc', '--input-type=module', '--eval', script],
    { timeout: 60_000 },
  )
  t.deepEqual(JSON.parse(stdout), [])
})
