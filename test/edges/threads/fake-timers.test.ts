/** Test runners replace timers, microtasks and ticks of the process. Clients and owners keep answering. */
import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { memoryJournal, openCache } from '../../../src/index.js'
import { inWorker } from '../../helpers/edges/in-worker.js'

const real = { queueMicrotask, setImmediate, setTimeout, setInterval }
const { nextTick } = process

/** As fake timers do while nobody advances them. */
function stopTime(): void {
  const never = () => ({ unref: () => undefined, ref: () => undefined })
  Object.assign(globalThis, { queueMicrotask: never, setImmediate: never, setTimeout: never, setInterval: never })
  Object.assign(process, { nextTick: never })
}

function resumeTime(): void {
  Object.assign(globalThis, real)
  Object.assign(process, { nextTick })
}

for (const fsync of ['everysec', 'always'] as const) {
  test.serial(`a client in the same thread is answered while time stands still, fsync ${fsync}`, async (t) => {
    stopTime()
    try {
      const cache = await openCache({ journal: memoryJournal(), fsync })
      const client = await connect(cache.share())
      const seen: unknown[] = []
      client.changes$.subscribe(({ key }) => seen.push(key))
      t.true(await client.set('a', { n: 1 }))
      t.deepEqual(await client.get('a'), { n: 1 })
      t.is(await client.getOrSet('b', async () => 2), 2)
      t.is(await client.flush(), 2)
      t.deepEqual(seen, ['a', 'b'])
      await client.close()
      await cache.close()
    } finally {
      resumeTime()
    }
  })
}

test.serial('workers are answered by an owner whose time stands still', async (t) => {
  const cache = await openCache({ journal: memoryJournal(), fsync: 'always' })
  const workers = [
    inWorker(cache.share(), 'async', async (client) => {
      await client.increment('ready')
      const loaded: unknown = await client.getOrSet('loaded', async () => 1 as never)
      await Promise.all(Array.from({ length: 3_000 }, () => client.increment('n')))
      return loaded
    }),
    inWorker(cache.share(), 'sync', (client) => {
      client.increment('ready')
      for (let call = 0; call < 1_000; call++) client.increment('n')
      return client.getOrSet('also loaded', () => 1 as never) as unknown
    }),
  ]
  await new Promise<void>((resolve) => {
    cache.watch('ready').subscribe(({ value }) => value === 2 && resolve())
  })
  stopTime()
  try {
    t.deepEqual((await Promise.all(workers.map(({ result }) => result))) as unknown[], [1, 1])
    t.is(cache.get('n'), 4_000)
    await cache.close()
  } finally {
    resumeTime()
  }
})
