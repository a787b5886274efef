/** Operations that pass values in their stored form. */
import test from 'ava'
import { connectOver } from '../../../helpers/edges/connected.js'
import { openMemory } from '../../../helpers/open-memory.js'

test('getOrSet looks a key up once, and counts it as one hit or one miss', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { client } = connectOver(cache, { isTakeable: false })
  t.is(await client.getOrSet('k', () => 'loaded', { ttl: 10 }), 'loaded')
  t.like(cache.stats(), { hits: 0, misses: 1 })
  let readings = 0 // a lookup of an entry with a deadline reads the clock
  const now = clock.now.bind(clock)
  clock.now = () => {
    readings++
    return now()
  }
  t.is(await client.getOrSet('k', () => 'again'), 'loaded')
  t.is(readings, 1)
  t.like(cache.stats(), { hits: 1, misses: 1 })
})
