import { cpSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openCache } from '../../src/index.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

test('after a clean close all counters are exact, including the reads since the last event', async (t) => {
  const directory = temporaryDirectory(t)
  const first = await openCache({ directory, maxSize: 2 })
  for (const key of ['a', 'b', 'c']) first.set(key, 1)
  first.delete('b')
  await first.flush()
  await loopTurn()
  first.get('c')
  first.get('nothing')
  const { journal: _, atMs, ...before } = first.stats()
  await first.close()
  const second = await openCache({ directory, maxSize: 2 })
  const { journal: __, atMs: later, ...after } = second.stats()
  t.deepEqual(after, before)
  t.true(later >= atMs)
  await second.close()
})

test('after a crash the counters are those of the last frame, its events included', async (t) => {
  const directory = temporaryDirectory(t)
  const copy = join(temporaryDirectory(t), 'copy')
  const cache = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY, fsync: 'never' })
  // More than the buffer holds, so that frames are written meanwhile.
  for (let index = 0; index < 40_000; index++) cache.set(`key${index}`, 'value')
  cpSync(directory, copy, { recursive: true })
  const found = await openCache({ directory: copy, maxSize: Number.POSITIVE_INFINITY })
  t.true(found.recovery.events > 0)
  t.is(found.stats().sets, found.recovery.events)
  t.is(found.size, found.recovery.events)
  await found.close()
  await cache.close()
})

test('a crash loses the hits and misses since the last frame', async (t) => {
  const directory = temporaryDirectory(t)
  const copy = join(temporaryDirectory(t), 'copy')
  const cache = await openCache({ directory, fsync: 'never' })
  cache.set('a', 1)
  cache.get('a')
  await loopTurn() // the frame is written with one hit
  cache.get('a')
  cache.get('x')
  await loopTurn()
  cpSync(directory, copy, { recursive: true })
  const found = await openCache({ directory: copy })
  t.like(found.stats(), { hits: 1, misses: 0, sets: 1 })
  await found.close()
  await cache.close()
})
