/** `daybook/unstorage` with unstorage, and a Fastify application that is killed. */
import test from 'ava'
import { createStorage, prefixStorage, snapshot } from 'unstorage'
import { packed } from './packed.mjs'
import { start } from './running.mjs'
import { temporaryDirectory } from './temporary-directory.mjs'

const { memoryCache } = packed('daybook')
const { unstorageDriver } = packed('daybook/unstorage')

function open() {
  const cache = memoryCache()
  return { cache, storage: createStorage({ driver: unstorageDriver({ cache }) }) }
}

test('a Fastify application with Keyv and unstorage has everything after SIGKILL', async (t) => {
  const directory = temporaryDirectory(t)
  const put = (url, path, value) =>
    fetch(`${url}${path}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(value),
    })
  const first = await start(t, 'fastify', directory)
  for (const path of ['/keyv/a', '/storage/a:b']) t.is(await (await put(first.ready, path, { path })).text(), 'true')
  await first.kill()
  const second = await start(t, 'fastify', directory)
  const found = async (path) => (await fetch(`${second.ready}${path}`)).json()
  t.deepEqual(await found('/keyv/a'), { found: { path: '/keyv/a' } })
  t.deepEqual(await found('/storage/a:b'), { found: { path: '/storage/a:b' }, keys: ['a:b'] })
})

test('items of every kind that unstorage stores come back', async (t) => {
  const { storage } = open()
  await storage.setItem('data:object.json', { json: 'works' })
  await storage.setItem('zero', 0)
  await storage.setItem('flag', false)
  await storage.setItemRaw('bytes', new Uint8Array([1, 2, 3]))
  t.deepEqual(await storage.getItem('/data/object.json'), { json: 'works' })
  t.is(await storage.getItem('zero'), 0)
  t.is(await storage.getItem('flag'), false)
  t.deepEqual(await storage.getItemRaw('bytes'), new Uint8Array([1, 2, 3]))
  t.is(await storage.getItem('nothing'), null)
})

test('many items, keys, depth, snapshot and clear', async (t) => {
  const { storage, cache } = open()
  await storage.setItems([
    { key: 'a', value: 1 },
    { key: 'b:c', value: 2 },
    { key: 'b:c:d', value: 3 },
  ])
  t.deepEqual(await storage.getItems(['a', 'b:c', 'x']), [
    { key: 'a', value: 1 },
    { key: 'b:c', value: 2 },
    { key: 'x', value: null },
  ])
  t.deepEqual((await storage.getKeys('b')).sort(), ['b:c', 'b:c:d'])
  t.deepEqual((await storage.getKeys('', { maxDepth: 1 })).sort(), ['a', 'b:c'])
  t.deepEqual(await snapshot(storage, 'b'), { c: 2, 'c:d': 3 })
  await storage.clear()
  t.is(cache.size, 0)
})

test('a ttl is in seconds', async (t) => {
  const { storage, cache } = open()
  await storage.setItem('a', 1, { ttl: 60 })
  t.is(Math.round(cache.ttl('storage:a')), 60)
  t.is(Math.round((await storage.getMeta('a')).ttl), 60)
})

test('it can be mounted beside others, with a prefix', async (t) => {
  const cache = memoryCache()
  const storage = createStorage()
  storage.mount('cache', unstorageDriver({ cache }))
  await prefixStorage(storage, 'cache:users').setItem('1', 'ada')
  t.deepEqual(cache.keys(), ['storage:users:1'])
  t.deepEqual(await storage.getKeys(), ['cache:users:1'])
  await storage.unmount('cache')
  t.is(cache.size, 1)
})

test('watch tells of what happens to the cache', async (t) => {
  const { storage, cache } = open()
  const seen = []
  const unwatch = await storage.watch((event, key) => seen.push(`${event} ${key}`))
  await storage.setItem('a', 1)
  cache.delete('storage:a')
  t.deepEqual(seen, ['update a', 'remove a'])
  await unwatch()
  await storage.setItem('a', 1)
  t.is(seen.length, 2)
})
