/** What one subscriber of a client does to what it gets must not be seen by another one of the same client. */
import test from 'ava'
import type { Observable } from 'rxjs'
import type { Change } from '../../../../src/index.js'
import { connectOver } from '../../../helpers/edges/connected.js'
import { openMemory } from '../../../helpers/open-memory.js'

interface Row {
  n: number
}

function spoil(event: { key?: string; value?: unknown; hits?: number; state?: string }): void {
  const { value } = event
  if (value instanceof Uint8Array) value.fill(255)
  else if (typeof value === 'object' && value !== null) Object.assign(value, { n: -1 })
  Object.assign(event, { key: 'spoiled', hits: 99, state: 'spoiled' })
}

test('every subscriber of a client gets an object of its own, with a value of its own', async (t) => {
  const { cache, clock } = await openMemory(t, { maxSize: 3 })
  const { client } = connectOver(cache, { isTakeable: false })
  const seen = {
    changes: [] as Change[],
    watched: [] as Change[],
    evictions: [] as unknown[],
    expirations: [] as unknown[],
  }
  const watched$ = client.watch('*')
  const streams: Observable<object>[] = [
    client.changes$,
    watched$,
    client.expirations$,
    client.evictions$,
    client.stats$,
  ]
  for (const stream of streams) stream.subscribe(spoil)
  client.lifecycle$.subscribe(spoil)
  client.changes$.subscribe((change) => seen.changes.push(change))
  watched$.subscribe((change) => seen.watched.push(change))
  client.evictions$.subscribe((eviction) => seen.evictions.push(eviction))
  client.expirations$.subscribe((expiration) => seen.expirations.push(expiration))
  const hits: number[] = []
  client.stats$.subscribe((stats) => hits.push(stats.hits))
  const row: Row = { n: 1 }
  await client.set('object', row, { ttl: 10 })
  await client.set('bytes', Uint8Array.of(1, 2))
  await client.set('buffer', Buffer.from('ab'))
  clock.advance(10)
  await client.set('more', 1)
  await client.set('yet more', [row])
  await client.get('yet more')
  const sets = [
    { key: 'object', value: row },
    { key: 'bytes', value: Uint8Array.of(1, 2) },
    { key: 'buffer', value: Buffer.from('ab') },
    { key: 'more', value: 1 },
    { key: 'yet more', value: [row] },
  ]
  for (const changes of [seen.changes, seen.watched])
    t.deepEqual(
      changes.filter(({ type }) => type === 'set').map(({ key, value }) => ({ key, value })),
      sets as never,
    )
  t.like(seen.expirations, [{ key: 'object', value: row }])
  t.like(seen.evictions, [{ key: 'bytes', value: Uint8Array.of(1, 2) }])
  t.true(hits.length > 0 && hits.every((count) => count === 0))
  t.deepEqual(await client.get('yet more'), [row])
})
