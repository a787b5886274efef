/** Looking back at a shared cache, from a process that does not own it. */
import test from 'ava'
import { sharedPlace } from '../../helpers/edges/shared.js'

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

test('a client has at, history, diff, restore, fork and changesSince', async (t) => {
  const { directory, join } = sharedPlace(t)
  const owner = await join()
  const client = await join()
  await owner.set('a', 1)
  await client.set('b', 2, { tags: ['t'] })
  await client.set('a', 3)
  const view = await client.at({ sequence: 2 })
  t.deepEqual([view.size, await view.keys(), await view.get('a')], [2, ['a', 'b'], 1])
  await view.close()
  t.deepEqual(
    (await all(client.history('a'))).map(({ sequence }) => sequence),
    [1, 3],
  )
  t.deepEqual(
    (await all(client.diff({ sequence: 2 }))).map(({ key }) => key),
    ['a'],
  )
  t.is((await client.fork(`${directory}/fork`, { sequence: 1 })).entries, 1)
  const changes = client.changesSince(1)
  t.is((await changes.next()).value?.sequence, 2)
  t.deepEqual(await client.restore({ sequence: 2 }), { set: 1, deleted: 0, unchanged: 1 })
  t.deepEqual([(await changes.next()).value?.sequence, (await changes.next()).value?.sequence], [3, 4])
  await changes.return?.()
  t.is(await owner.get('a'), 1)
  await t.throwsAsync(client.at({ ago: '1d' }), { code: 'HISTORY_GONE' })
})

test('a view ends with the owner that holds it; the new owner has the same past', async (t) => {
  const { join } = sharedPlace(t)
  const owner = await join()
  const client = await join()
  await client.set('a', 1)
  await client.set('a', 2)
  const view = await client.at({ sequence: 1 })
  await owner.close()
  t.is(await client.get('a'), 2)
  await t.throwsAsync(view.get('a'), { code: 'CACHE_CLOSED', message: /^This view is closed/ })
  t.is(await (await client.at({ sequence: 1 })).get('a'), 1)
})

test('changesSince goes on with the next owner, until its client is closed', async (t) => {
  const { join } = sharedPlace(t)
  const owner = await join({ fsync: 'always' })
  const client = await join({ fsync: 'always' })
  const changes = client.changesSince(0)
  const sequences = async (count: number) => {
    const list: unknown[] = []
    for (; count > 0; count--) list.push((await changes.next()).value?.sequence)
    return list
  }
  await client.set('a', 1)
  t.deepEqual(await sequences(1), [1])
  await client.set('a', 2)
  await client.set('a', 3)
  await owner.close()
  await client.set('a', 4)
  t.deepEqual(await sequences(3), [2, 3, 4])
  const waiting = t.throwsAsync(sequences(1), { code: 'CACHE_CLOSED' })
  await client.get('a') // it waits
  await client.close()
  await waiting
})
