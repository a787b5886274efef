/** A frame of the journal is the largest change that there can be. */
import test from 'ava'
import { FRAME_BYTES_MAX } from '../../src/durable/format/format.js'
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
