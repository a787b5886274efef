/** A frame of the journal is the largest change that there can be. */
import test from 'ava'
import { FRAME_BYTES_MAX } from '../../src/durable/format/format.js'
import { openWithin } from '../../src/open.js'
import { ManualClock } from '../../src/testing.js'
import { SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { openMemory } from '../helpers/open-memory.js'

const refusal = { name: 'RangeError', message: /bytes in the journal, but a frame holds at most .*Nothing was changed/ }

test('a change that is too large for a frame is a RangeError and changes nothing, in a transaction either', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  await cache.flush()
  const before = cache.stats()
  const big = new Uint8Array(FRAME_BYTES_MAX)
  t.throws(() => cache.set('a', big), refusal)
  t.throws(() => {
    cache.transact(() => {
      cache.set('a', 2)
      cache.set('big', big)
    })
  }, refusal)
  t.deepEqual([...cache.entries()], [['a', 1]])
  t.deepEqual(cache.stats(), before)
  cache.set('a', 3)
  t.is(await cache.flush(), 2)
})

test('a restore that is too large for a frame is refused, and its dry run as well', async (t) => {
  const cache = await openWithin<Uint8Array>(
    { directory: '/j', history: '1d', cleanupInterval: 0, clock: new ManualClock() },
    { storage: new SimulatedDisk().process() },
  )
  const half = new Uint8Array(FRAME_BYTES_MAX / 2)
  cache.set('a', half)
  cache.set('b', half)
  cache.deleteMany(['a', 'b'])
  const { sequence } = cache.stats().journal
  const counted = { name: 'RangeError', message: /^restore\(\) would set 2 entries, delete 0 .* a frame holds at most/ }
  await t.throwsAsync(cache.restore({ sequence: 2 }, { dryRun: true }), counted)
  await t.throwsAsync(cache.restore({ sequence: 2 }), counted)
  t.deepEqual([cache.size, cache.stats().journal.sequence], [0, sequence])
  t.deepEqual(await cache.restore({ sequence: 2 }, { pattern: 'a' }), { set: 1, deleted: 0, unchanged: 0 })
  await cache.close()
})
