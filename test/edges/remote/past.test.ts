/** Looking back from a client, and in namespaces: the same as in the owner. */
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function open(t: ExecutionContext) {
  const root = temporaryDirectory(t)
  const cache = await openCache({ directory: join(root, 'journal'), history: '1d', fsync: 'always' })
  t.teardown(() => cache.close())
  const client = await connect(cache.share())
  t.teardown(() => client.close())
  await client.set('a', { n: 1 })
  await client.set('n:x', 'was', { tags: ['t'] })
  await client.set('n:y', Uint8Array.of(1, 2))
  await client.set('a', { n: 2 })
  await client.delete('n:y')
  return { root, cache, client }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

test('at: a view whose methods return promises', async (t) => {
  const { client } = await open(t)
  const view = await client.at({ sequence: 3 })
  t.deepEqual([view.sequence, view.size], [3, 3])
  t.deepEqual(await view.keys(), ['a', 'n:x', 'n:y'])
  t.deepEqual(await view.keys('n:*'), ['n:x', 'n:y'])
  t.deepEqual(await view.get('a'), { n: 1 })
  t.deepEqual(await view.get('n:y'), Uint8Array.of(1, 2))
  t.deepEqual([await view.has('a'), await view.has('b'), await view.ttl('a')], [true, false, Number.POSITIVE_INFINITY])
  t.deepEqual([...(await view.entries('a'))], [['a', { n: 1 }]])
  t.is((await all(view)).length, 3)
  await view.close()
  await view.close()
  await t.throwsAsync(view.get('a'), { code: 'CACHE_CLOSED' })
  await t.throwsAsync(client.at(5 as never), { instanceOf: TypeError })
  await t.throwsAsync(client.at({ ago: '1h' }), { code: 'HISTORY_GONE' })
})

test('history, diff and changesSince: the same items as in the owner', async (t) => {
  const { cache, client } = await open(t)
  t.deepEqual(await all(client.history('n:y')), await all(cache.history('n:y')))
  t.deepEqual(
    await all(client.history('a', { from: { sequence: 2 } })),
    await all(cache.history('a', { from: { sequence: 2 } })),
  )
  t.deepEqual(await all(client.diff({ sequence: 3 })), await all(cache.diff({ sequence: 3 })))
  const [theirs, ours] = [client.changesSince(0), cache.changesSince(0)]
  for (let count = 0; count < 5; count++) t.deepEqual(await theirs.next(), await ours.next())
  const waiting = theirs.next()
  await client.set('late', 1)
  t.like((await waiting).value, { sequence: 6, key: 'late', value: 1 })
  const left = theirs.next()
  await theirs.return?.()
  t.deepEqual(await left, { done: true, value: undefined })
  await t.throwsAsync(client.changesSince(99).next(), { code: 'SEQUENCE_AHEAD' })
  for (const bad of [
    () => client.changesSince('1' as never),
    () => client.diff('x' as never),
    () => client.history(5 as never),
  ])
    t.throws(bad, { instanceOf: TypeError })
})

test('many changes come in portions, each once', async (t) => {
  const { client } = await open(t)
  for (let at = 0; at < 2_000; at++) void client.set(`k${at % 50}`, at)
  await client.flush()
  const sequences: number[] = []
  for await (const { sequence } of client.changesSince(5)) if (sequences.push(sequence) === 2_000) break
  t.deepEqual(
    sequences,
    Array.from({ length: 2_000 }, (_, at) => at + 6),
  )
  t.is((await all(client.history('k7'))).length, 40)
})

test('restore and fork', async (t) => {
  const { root, cache, client } = await open(t)
  t.deepEqual(await client.restore({ sequence: 3 }, { dryRun: true }), { set: 2, deleted: 0, unchanged: 1 })
  t.deepEqual(await client.restore({ sequence: 3 }, { pattern: 'n:*' }), { set: 1, deleted: 0, unchanged: 1 })
  t.deepEqual(cache.get('n:y'), Uint8Array.of(1, 2))
  t.like(await client.fork(join(root, 'fork'), { sequence: 3 }), { sequence: 3, entries: 3 })
})

test('views and iterators are freed with their client', async (t) => {
  const { cache, client } = await open(t)
  const [view, items] = [await client.at({ sequence: 3 }), client.changesSince(5)]
  const waiting = items.next()
  await new Promise((resolve) => setImmediate(resolve))
  await client.close()
  await t.throwsAsync(waiting, { code: 'CACHE_CLOSED' })
  await t.throwsAsync(view.get('a'), { code: 'CACHE_CLOSED' })
  t.is(cache.get('n:x'), 'was')
})

for (const where of ['in the owner', 'in a client'] as const) {
  test(`a namespace looks back at its own keys, without the prefix: ${where}`, async (t) => {
    const { cache, client } = await open(t)
    const names = (where === 'in a client' ? client : cache).namespace('n:')
    const view = await names.at({ sequence: 3 })
    t.deepEqual(await view.keys(), ['x', 'y'])
    t.deepEqual([await view.get('x'), view.size], ['was', 2])
    t.deepEqual(await (await names.at({ sequence: 3 }, { pattern: 'x*' })).keys(), ['x'])
    t.deepEqual(
      (await all(names.history('y'))).map(({ type, sequence }) => [type, sequence]),
      [
        ['set', 3],
        ['deleted', 5],
      ],
    )
    const differences = await all(names.diff({ sequence: 3 }))
    t.deepEqual(
      differences.map(({ key, after }) => [key, after]),
      [['y', undefined]],
    )
    t.deepEqual(await names.restore({ sequence: 3 }), { set: 1, deleted: 0, unchanged: 1 })
    t.deepEqual(cache.get('a'), { n: 2 }, 'not what is outside')
    t.false('fork' in names)
    t.false('changesSince' in names)
  })
}
