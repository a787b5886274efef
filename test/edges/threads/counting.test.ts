import test from 'ava'
import { openCache } from '../../../src/index.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('ten workers that increment a counter a hundred times each count to exactly 1000, also after reopening', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  const workers = Array.from({ length: 10 }, () =>
    inWorker(cache.share(), 'async', async (client) => {
      const sums: number[] = []
      for (let count = 0; count < 100; count++) sums.push(await client.increment('counter'))
      return sums
    }),
  )
  const sums = await Promise.all(workers.map(({ result }) => result))
  t.is(cache.get('counter'), 1000)
  t.deepEqual(
    sums.flat().sort((a, b) => a - b),
    Array.from({ length: 1000 }, (_, index) => index + 1),
  )
  for (const own of sums)
    t.deepEqual(
      own,
      [...own].sort((a, b) => a - b),
    )
  t.is(cache.stats().sets, 1000)
  await cache.close()
  const again = await openCache({ directory })
  t.is(again.get('counter'), 1000)
  await again.close()
})

test('ten synchronous workers that increment a counter a hundred times each count to exactly 1000', async (t) => {
  const { cache } = await openMemory(t)
  const workers = Array.from({ length: 10 }, () =>
    inWorker(cache.share(), 'sync', (client) => {
      for (let count = 0; count < 100; count++) client.increment('counter')
    }),
  )
  await Promise.all(workers.map(({ result }) => result))
  t.is(cache.get('counter'), 1000)
})

test('no increment is lost when workers with many batches in flight and the owner increment at the same time', async (t) => {
  const { cache } = await openMemory(t)
  const workers = Array.from({ length: 10 }, () =>
    inWorker(cache.share(), 'async', async (client) => {
      for (let round = 0; round < 10; round++)
        await Promise.all(Array.from({ length: 700 }, () => client.increment('counter')))
    }),
  )
  let own = 0
  const timer = setInterval(() => {
    cache.increment('counter')
    own++
  }, 1)
  await Promise.all(workers.map(({ result }) => result))
  clearInterval(timer)
  t.true(own > 0)
  t.is(cache.get('counter'), 70_000 + own)
})
