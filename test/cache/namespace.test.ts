/** `namespace()`: a view of the entries under a prefix. */
import test from 'ava'
import { connect, type RemoteNamespace } from '../../src/edges/threads/threads.js'
import type { Namespace } from '../../src/index.js'
import { awaited, casesWithin } from '../conformance/cache.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { openMemory } from '../helpers/open-memory.js'
import { runCases } from '../helpers/run-cases.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'
import { withinNamespace } from '../helpers/within-namespace.js'

runCases('in a namespace', casesWithin('namespace'), async (t, { options }) => {
  const clock = new CountingClock()
  const { cache } = await openMemory(t, { ...options, clock })
  return {
    cache: awaited(withinNamespace(cache)),
    clock,
    closeCache: () => cache.close(),
    directory: temporaryDirectory(t),
  }
})

test('keys go in and come out without the prefix; the cache sees the full ones', async (t) => {
  const { cache } = await openMemory<unknown>(t)
  const users = cache.namespace<{ name: string }>('user:')
  users.set('1', { name: 'Ada' })
  users.setMany([['2', { name: 'Eve' }, { ttl: 5 }]])
  cache.set('other', 1)
  t.deepEqual(cache.keys(), ['user:1', 'user:2', 'other'])
  t.deepEqual(users.keys(), ['1', '2'])
  t.deepEqual(users.keys('[2]'), ['2'])
  t.deepEqual(users.keys({ prefix: '1' }), ['1'])
  t.deepEqual(users.keys(''), [])
  t.is(users.get('1')?.name, 'Ada')
  t.deepEqual(
    [...users],
    [
      ['2', { name: 'Eve' }],
      ['1', { name: 'Ada' }],
    ],
  )
  t.deepEqual(users.scan({ pattern: '?' }).keys.sort(), ['1', '2'])
  t.deepEqual(users.scan({ prefix: '2' }), { keys: ['2'], cursor: undefined })
  t.is(users.size, 2)
  t.deepEqual(users.hasMany(['1', 'other']), [true, false])
})

test('namespaces nest, and a prefix is literal text', async (t) => {
  const { cache } = await openMemory<number>(t)
  const inner = cache.namespace('a*').namespace('[b]')
  inner.set('k', 1)
  cache.set('axx[b]k', 2)
  cache.set('a*bk', 3)
  t.deepEqual(inner.keys('*'), ['k'])
  t.deepEqual(inner.keys('k'), ['k'])
  t.is(inner.deletePattern('?'), 1)
  t.deepEqual(cache.keys(), ['axx[b]k', 'a*bk'])
  t.deepEqual(cache.namespace('').keys(), cache.keys())
})

test('clear() is deleted events of its own keys in one frame; the counters stay, and loads are overruled', async (t) => {
  const { cache } = await openMemory<number>(t)
  const view = cache.namespace('a:')
  cache.setMany([
    ['a:1', 1],
    ['b:1', 2],
    ['a:2', 3],
  ])
  cache.get('b:1')
  const loaded = view.getOrSet('late', async () => 7)
  const changes: unknown[] = []
  cache.changes$.subscribe(({ type, key }) => changes.push([type, key]))
  t.is(view.clear(), undefined)
  t.deepEqual(changes, [
    ['deleted', 'a:1'],
    ['deleted', 'a:2'],
  ])
  t.like(cache.stats(), { hits: 1, sets: 3, deletes: 2, size: 1 })
  t.is(await loaded, 7)
  t.false(view.has('late'))
})

test('size counts what is stored, expired entries too', async (t) => {
  const { cache, clock } = await openMemory<number>(t)
  const view = cache.namespace('a:')
  view.setMany([
    ['1', 1, { ttl: 1 }],
    ['2', 2],
  ])
  cache.set('b', 3)
  clock.jump(1_000)
  t.is(view.size, 2)
  t.deepEqual(view.keys(), ['2'])
  t.is(view.size, 1)
})

test('streams have the events of its keys without the prefix, and those of all keys', async (t) => {
  const { cache, clock } = await openMemory<number>(t, { maxSize: 3 })
  const view = cache.namespace('a:')
  const seen: Record<string, unknown[]> = { changes: [], watched: [], expirations: [], evictions: [], removals: [] }
  view.changes$.subscribe(({ type, key }) => seen['changes']?.push([type, key]))
  view.watch('x*').subscribe(({ type, key }) => seen['watched']?.push([type, key]))
  view.expirations$.subscribe(({ key, value }) => seen['expirations']?.push([key, value]))
  view.evictions$.subscribe(({ key, value }) => seen['evictions']?.push([key, value]))
  view.removals$.subscribe(({ key, value, reason }) => seen['removals']?.push([key, value, reason]))
  view.set('x1', 1, { ttl: 1 })
  cache.set('x2', 2)
  clock.advance(1)
  view.set('y', 3)
  cache.set('b', 4)
  cache.get('x2')
  cache.set('c', 5)
  view.set('x3', 6)
  cache.clear()
  t.deepEqual(seen, {
    changes: [
      ['set', 'x1'],
      ['expired', 'x1'],
      ['set', 'y'],
      ['evicted', 'y'],
      ['set', 'x3'],
      ['cleared', undefined],
    ],
    watched: [
      ['set', 'x1'],
      ['expired', 'x1'],
      ['set', 'x3'],
      ['cleared', undefined],
    ],
    expirations: [['x1', 1]],
    evictions: [['y', 3]],
    removals: [
      ['x1', 1, 'expired'],
      ['y', 3, 'evicted'],
      ['x3', 6, 'cleared'],
    ],
  })
})

test('a loader gets the key without the prefix; a load that waits for itself is found by the full key', async (t) => {
  const { cache } = await openMemory<unknown>(t)
  const view = cache.namespace('a:')
  t.deepEqual(await view.getOrSet('k', (key, { signal }) => [key, signal.aborted]), ['k', false])
  t.deepEqual(cache.get('a:k'), ['k', false])
  await t.throwsAsync(
    view.getOrSet('c', () => cache.getOrSet('a:c', () => 1)),
    { code: 'LOAD_CYCLE' },
  )
  t.is(await view.getOrSet('d', () => cache.getOrSet('d', () => 1)), 1) // another key
  t.is(await cache.getOrSet('a:d', () => 2), 1)
})

test('transact is that of the cache', async (t) => {
  const { cache } = await openMemory<number>(t)
  const view = cache.namespace('a:')
  t.throws(() =>
    view.transact(() => {
      view.set('1', 1)
      cache.set('b', 1)
      throw new Error('undone')
    }),
  )
  t.is(cache.size, 0)
  t.is(
    view.transact(() => view.increment('n') + view.increment('n')),
    3,
  )
  t.is(cache.stats().journal.sequence, 2)
})

test('what concerns the whole cache is not there, and a wrong prefix is refused', async (t) => {
  const { cache } = await openMemory(t)
  const view = cache.namespace('a:')
  const others = ['close', 'save', 'load', 'compact', 'share', 'stats', 'actor', 'flush', 'cleanup', 'recovery']
  for (const name of [...others, 'stats$', 'lifecycle$']) t.false(name in view, name)
  for (const prefix of [undefined, 5, null, {}]) {
    const refusal = { instanceOf: TypeError, message: /A prefix must be a string/ }
    t.throws(() => cache.namespace(prefix as never), refusal)
    t.throws(() => view.namespace(prefix as never), refusal)
  }
})

test('the value type is kept or narrowed', async (t) => {
  const { cache } = await openMemory<number | string>(t)
  const numbers: Namespace<number> = cache.namespace<number>('n:')
  const kept: Namespace<number | string> = cache.namespace('k:')
  const number: number | undefined = numbers.get('a')
  // @ts-expect-error: no text
  const refused = () => numbers.set('a', 'text')
  // @ts-expect-error: not a part of the cache's type
  const wrong = () => cache.namespace<Date>('d:')
  const nested: Namespace<number> = numbers.namespace('x')
  t.is(typeof refused, typeof wrong)
  t.deepEqual([number, kept.keys(), nested.keys()], [undefined, [], []])
})

test('a namespace of a client: keys, streams, size, clear, steps, loads', async (t) => {
  const { cache } = await openMemory<number>(t)
  const client = await connect<number>(cache.share())
  t.teardown(() => client.close())
  const view: RemoteNamespace<number> = client.namespace('a').namespace(':')
  const removals: unknown[] = []
  view.removals$.subscribe(({ key, reason }) => removals.push([key, reason]))
  await client.set('b', 1)
  t.deepEqual(
    await view
      .transact([
        { type: 'set', key: '1', value: 1, when: { key: '1', exists: false } },
        {
          type: 'set',
          key: '2',
          value: 2,
          when: [
            { key: '1', equals: 1 },
            { key: 'b', exists: false },
          ],
        },
        { type: 'require', key: '2', atLeast: 2 },
        { type: 'set', key: '1', value: 9, when: { key: '1', exists: false } },
        { type: 'keys' },
        { type: 'scan', pattern: '?' },
        { type: 'entries', pattern: '2' },
      ])
      .then(([...results]) => [...results.slice(0, 6), [...(results[6] as Iterable<unknown>)]]),
    [true, true, true, undefined, ['1', '2'], { keys: ['1', '2'], cursor: undefined }, [['2', 2]]],
  )
  for (const type of ['size', 'clear', 'cleanup', 'stats'] as const)
    await t.throwsAsync(view.transact([{ type }]), { code: 'UNKNOWN_COMMAND', message: /concerns the whole cache/ })
  await t.throwsAsync(view.transact([{ type: 'get', kee: '1' } as never]), { message: /'kee' is not an argument/ })
  await t.throwsAsync(view.get(5 as never), { instanceOf: TypeError })
  t.is(await view.size, 2)
  t.is(await view.getOrSet('l', (key) => key.length), 1)
  t.deepEqual(cache.keys(), ['b', 'a:1', 'a:2', 'a:l'])
  const seen: unknown[] = []
  for await (const entry of view) seen.push(entry)
  t.deepEqual(seen, [
    ['1', 1],
    ['2', 2],
    ['l', 1],
  ])
  t.is(await view.clear(), undefined)
  await client.size
  await loopTurn()
  t.deepEqual(removals, [
    ['1', 'deleted'],
    ['2', 'deleted'],
    ['l', 'deleted'],
  ])
  t.deepEqual(cache.keys(), ['b'])
})
