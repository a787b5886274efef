/** `removals$`: what its other tests (the conformance suite, the property of all histories) do not show. */
import test from 'ava'
import { Streams } from '../../../src/cache/streams/streams.js'
import { type JournaledEvent, Outbox } from '../../../src/cache/turns/outbox.js'
import { EncodedValue } from '../../../src/core/model/stored-value.js'
import { connect } from '../../../src/edges/threads/threads.js'
import type { Cache, Removal } from '../../../src/index.js'
import { stateOf, wasSet } from '../../helpers/given.js'
import { loopTurn } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

function listed(cache: Cache<unknown>): unknown[] {
  const seen: unknown[] = []
  cache.removals$.subscribe(({ reason, key, value, sequence }) => seen.push([reason, key, value, sequence]))
  return seen
}

test('clear and load remove every entry, the least recently used first, all with the sequence of the one event', async (t) => {
  const { cache } = await openMemory(t)
  const path = `${temporaryDirectory(t)}/saved`
  cache.setMany([
    ['a', 1],
    ['b', { n: 2 }],
    ['c', 3],
  ])
  cache.get('a')
  t.true((await cache.save(path)).ok)
  const seen = listed(cache)
  t.true((await cache.load(path)).ok)
  cache.clear()
  cache.clear()
  const order = [
    ['b', { n: 2 }],
    ['c', 3],
    ['a', 1],
  ]
  t.deepEqual(seen, [
    ...order.map(([key, value]) => ['loaded', key, value, 4]),
    ...order.map(([key, value]) => ['cleared', key, value, 5]),
  ])
})

test('every subscriber gets a removal before any gets the next one, each with an object and a value of its own', async (t) => {
  const { cache } = await openMemory<{ n: number }>(t)
  cache.setMany([
    ['a', { n: 1 }],
    ['b', { n: 2 }],
  ])
  const order: string[] = []
  const see = (who: string) => (removal: Removal<{ n: number }>) => {
    order.push(`${who} ${removal.key} ${removal.value.n}`)
    Object.assign(removal, { key: 'spoiled' })
    removal.value.n = 99
  }
  cache.removals$.subscribe(see('first'))
  cache.removals$.subscribe(see('second'))
  cache.clear()
  t.deepEqual(order, ['first a 1', 'second a 1', 'first b 2', 'second b 2'])
})

test('a subscriber that leaves during a clear gets no more', async (t) => {
  const { cache } = await openMemory(t)
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ])
  const seen: string[] = []
  const subscription = cache.removals$.subscribe(({ key }) => {
    seen.push(key)
    subscription.unsubscribe()
  })
  cache.clear()
  t.deepEqual(seen, ['a'])
})

test('what a subscriber changes during a clear comes after the clear', async (t) => {
  const { cache } = await openMemory(t)
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ])
  const seen = listed(cache)
  cache.removals$.subscribe(({ reason, key }) => {
    if (reason !== 'cleared') return
    cache.set(key, 'again')
    cache.delete(key)
  })
  cache.clear()
  t.deepEqual(seen, [
    ['cleared', 'a', 1, 3],
    ['cleared', 'b', 2, 3],
    ['deleted', 'a', 'again', 5],
    ['deleted', 'b', 'again', 7],
  ])
})

test('a transaction that is undone removes nothing; one that is kept tells every step', async (t) => {
  const { cache } = await openMemory(t)
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ])
  const seen = listed(cache)
  t.throws(() =>
    cache.transact(() => {
      cache.delete('a')
      cache.clear()
      throw new Error('undone')
    }),
  )
  t.deepEqual(seen, [])
  cache.transact(() => {
    cache.set('a', 10)
    cache.clear()
    cache.set('a', 20)
    cache.delete('a')
  })
  t.deepEqual(seen, [
    ['replaced', 'a', 1, 3],
    ['cleared', 'b', 2, 4],
    ['cleared', 'a', 10, 4],
    ['deleted', 'a', 20, 6],
  ])
})

test('somebody who subscribes in the middle of a transaction gets no removals without values', async (t) => {
  const { cache } = await openMemory(t)
  cache.setMany([
    ['a', 1],
    ['b', 2],
  ])
  cache.changes$.subscribe()
  let seen: unknown[] = []
  cache.transact(() => {
    cache.delete('a')
    seen = listed(cache)
    cache.delete('b')
  })
  t.deepEqual(seen, [['deleted', 'b', 2, 4]])
})

test('over a port clear and load are one removal each, without a key', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  t.teardown(() => client.close())
  const path = `${temporaryDirectory(t)}/saved`
  const seen: unknown[] = []
  client.removals$.subscribe((removal) => seen.push(removal))
  await client.setMany([
    ['a', 1],
    ['b', { n: 2 }],
  ])
  await client.save(path)
  await client.load(path)
  await client.delete('b')
  await client.clear()
  await client.size
  await loopTurn()
  t.deepEqual(seen, [
    { reason: 'loaded', sequence: 3 },
    { key: 'b', value: { n: 2 }, reason: 'deleted', sequence: 4 },
    { reason: 'cleared', sequence: 5 },
  ])
})

test('old values are kept only while somebody observes removals, and decoded only then', (t) => {
  const streams = new Streams<unknown>(
    (stored) => {
      decoded++
      return stored
    },
    () => undefined,
  )
  let decoded = 0
  const state = stateOf([wasSet('a', new EncodedValue('bytes', new Uint8Array(1)))])
  const captured: JournaledEvent[] = []
  const outlet = {
    get isObserved() {
      return streams.isObserved
    },
    get observesRemovals() {
      return streams.observesRemovals
    },
    deliver: (journaled: JournaledEvent) => {
      captured.push(journaled)
      streams.deliver(journaled)
    },
  }
  const outbox = new Outbox(outlet, (task) => task())
  const emit = () => {
    for (const event of [{ type: 'deleted', key: 'a' }, { type: 'cleared' }] as const)
      outbox.capture(event, 0, state, 0)
    outbox.journaled(1)
    outbox.deliver()
  }
  const subscription = streams.changes$.subscribe()
  emit()
  t.deepEqual(
    captured.map(({ oldValue, removed }) => [oldValue, removed]),
    [
      [undefined, undefined],
      [undefined, undefined],
    ],
  )
  subscription.unsubscribe()
  t.is(decoded, 0)
  streams.removals$.subscribe()
  emit()
  t.is(decoded, 2)
})
