/** Tags beyond one call: one turn and one frame, namespaces, limits, what they cost, reopening. */
import test from 'ava'
import { Entries } from '../../../src/core/evolve/entries.js'
import { State } from '../../../src/core/evolve/state.js'
import { encodedBytes } from '../../../src/durable/format/encode-event.js'
import { connect } from '../../../src/edges/threads/threads.js'
import { openMemory, reopen } from '../../helpers/open-memory.js'

test('in a namespace, tags act on its entries only', async (t) => {
  const { cache } = await openMemory(t)
  const inner = cache.namespace('a:').namespace('b:')
  cache.set('k', 1, { tags: ['t'] })
  cache.set('a:k', 1, { tags: ['t'] })
  inner.set('k', 1, { tags: ['t'] })
  inner.set('s', 1, { ttl: 1, stale: 1, tags: ['t'] })
  t.is(inner.expireTag('t'), 2)
  t.deepEqual(cache.keys(), ['k', 'a:k'])
  t.is(inner.get('s', { stale: true }), 1)
  t.is(inner.deleteTag('none', 't'), 1)
  t.is(cache.namespace('a:').deleteTag('t'), 1)
  t.deepEqual(cache.keys(), ['k'])
  t.is(cache.namespace('a:').deleteTag('t'), 0)
})

test('in a namespace of a client, too, and as a step of its transaction', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const tagged = () => {
    for (const key of ['k', 'a:k', 'a:l']) cache.set(key, 1, { tags: ['t'] })
    cache.set('a:s', 1, { ttl: 1, stale: 1, tags: ['t'] })
  }
  tagged()
  t.is(await client.namespace('a:').expireTag('t'), 3)
  t.deepEqual(cache.keys(), ['k'])
  t.is(cache.get('a:s', { stale: true }), 1)
  tagged()
  const results = await client.namespace('a:').transact([
    { type: 'get', key: 'k' },
    { type: 'deleteTag', tags: ['t'] },
    { type: 'expireTag', tags: ['t'], prefix: 'k' },
  ])
  t.deepEqual(results, [1, 3, 0])
  t.deepEqual(cache.keys(), ['k'])
  await client.close()
})

test('deleteTag is one turn: one frame of deleted events, and no subscriber sees half of it', async (t) => {
  const opened = await openMemory(t)
  const { cache } = opened
  for (let index = 0; index < 50; index++)
    cache.set(`k${index}`, index, { tags: ['even', 'odd'].slice(index % 2).slice(0, 1) })
  const seen: number[] = []
  cache.changes$.subscribe(({ type }) => type === 'deleted' && seen.push(cache.size))
  t.is(cache.deleteTag('even'), 25)
  t.deepEqual(seen, new Array(25).fill(25))
  t.is(cache.deleteTag('even', 'none'), 0)
  t.like(cache.stats(), { deletes: 25, size: 25 })
  t.is((await reopen(t, opened)).cache.deleteTag('odd'), 25)
})

test('an entry with a tag that has expired is expired, not deleted, and not counted', async (t) => {
  const { cache, clock } = await openMemory(t)
  cache.set('k', 1, { ttl: 1, tags: ['t'] })
  clock.jump(1_000)
  t.is(cache.deleteTag('t'), 0)
  t.like(cache.stats(), { expirations: 1, deletes: 0, size: 0 })
})

test('tags count as bytes of their entry', async (t) => {
  const value = 'v'.repeat(10)
  const bytes = encodedBytes('k', value)
  t.is(encodedBytes('k', value, ['tag', 'é']), bytes + 5)
  const { cache } = await openMemory(t, { maxBytes: bytes + 5 })
  t.throws(() => cache.set('k', value, { tags: ['tag', 'long'] }), {
    instanceOf: RangeError,
    message: /key, value and tags/,
  })
  t.true(cache.set('k', value, { tags: ['tag', 'é'] }))
  cache.increment('n') // has no room beside it
  t.deepEqual(cache.keys(), ['n'])
  cache.resize({ maxBytes: 1_000 })
  cache.set('k', value, { tags: ['t'.repeat(500)] })
  cache.set('l', value, { tags: ['t'.repeat(450)] })
  t.deepEqual(cache.keys(), ['n', 'k', 'l'])
  cache.set('m', value)
  cache.set('o', value.repeat(2))
  t.false(cache.has('k'))
})

test('an increment of a number with tags or a stale window keeps them, whoever observes', async (t) => {
  for (const isObserved of [false, true]) {
    const { cache } = await openMemory(t)
    if (isObserved) cache.changes$.subscribe()
    cache.set('k', 1, { tags: ['t'] })
    cache.increment('k')
    t.deepEqual(cache.entry('k'), { value: 2, tags: ['t'] })
    cache.set('k', 5)
    t.deepEqual(cache.entry('k'), { value: 5, tags: [] })
    t.is(cache.deleteTag('t'), 0)
  }
})

test('entries without tags and stale windows take no memory for them, and the columns have no place for them', (t) => {
  const entries = new Entries(false)
  for (let index = 0; index < 5_000; index++) entries.add(`k${index}`, index, 5, 0)
  t.false(entries.isExtended)
  t.is(entries.windows.bytes, 0)
  t.is(entries.tags.count, 0)
  t.is(entries.tags.size, 0)
  const slot = entries.add('tagged', 1, 5, 0, { freshUntilMs: Number.POSITIVE_INFINITY, tags: ['t'] })
  t.is(entries.windows.bytes, 0)
  t.is(entries.tags.count, 1)
  entries.remove(slot)
  t.false(entries.isExtended)
  t.deepEqual([entries.tags.count, entries.tags.size], [0, 0])
})

test('deleting by tag looks only at the entries that have the tag', (t) => {
  const state = new State({ maxSize: Infinity, maxBytes: Infinity, weigh: encodedBytes })
  for (let index = 0; index < 1_000; index++) state.entries.add(`k${index}`, index, Infinity, 0)
  const extension = { freshUntilMs: Infinity, tags: ['t'] }
  const slots = [1, 2, 3].map((index) => state.entries.add(`t${index}`, index, Infinity, 0, extension))
  t.deepEqual(state.slotsTagged('t'), slots)
})
