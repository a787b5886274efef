/** A subscriber that changes what it receives affects neither other subscribers nor the cache. */
import test from 'ava'
import type { Change, Eviction, Expiration, LifecycleState } from '../../../src/index.js'
import { openMemory } from '../../helpers/open-memory.js'

type Row = { n: number }

test('every subscriber gets its own object with its own copy of the value', async (t) => {
  const { cache, clock } = await openMemory<Row>(t, { maxSize: 2 })
  const spoil = (event: { key?: string; value?: Row }) => {
    event.key = 'spoiled'
    if (event.value !== undefined) event.value.n = -1
  }
  const changes: Change<Row>[] = []
  const watched: Change<Row>[] = []
  const expirations: Expiration<Row>[] = []
  const evictions: Eviction<Row>[] = []
  cache.changes$.subscribe(spoil)
  cache.changes$.subscribe((change) => changes.push(change))
  cache.watch('*').subscribe((change) => watched.push(change))
  cache.expirations$.subscribe(spoil as (expiration: Expiration<Row>) => void)
  cache.expirations$.subscribe((expiration) => expirations.push(expiration))
  cache.evictions$.subscribe(spoil as (eviction: Eviction<Row>) => void)
  cache.evictions$.subscribe((eviction) => evictions.push(eviction))
  cache.set('a', { n: 1 }, { ttl: 10 })
  cache.set('b', { n: 2 })
  clock.advance(10)
  cache.set('c', { n: 3 })
  cache.set('d', { n: 4 })
  for (const seen of [changes, watched])
    t.deepEqual(
      seen.map(({ type, key, value }) => [type, key, value?.n]),
      [
        ['set', 'a', 1],
        ['set', 'b', 2],
        ['expired', 'a', undefined],
        ['set', 'c', 3],
        ['evicted', 'b', undefined],
        ['set', 'd', 4],
      ],
    )
  t.like(expirations, [{ key: 'a', value: { n: 1 } }])
  t.like(evictions, [{ key: 'b', value: { n: 2 } }])
  t.deepEqual(cache.get('d'), { n: 4 })
})

test('states of lifecycle$ are frozen, and each subscriber of stats$ gets its own object', async (t) => {
  const { cache } = await openMemory(t)
  const states: LifecycleState[] = []
  cache.lifecycle$.subscribe((state) => states.push(state))
  cache.stats$.subscribe((stats) => {
    stats.hits = 99
    stats.journal.sequence = 99
  })
  const second: number[] = []
  cache.stats$.subscribe(({ hits, journal }) => second.push(hits, journal.sequence))
  t.deepEqual(second, [0, 0])
  await cache.compact()
  t.true(states.length > 2)
  t.true(states.every((state) => Object.isFrozen(state)))
})
