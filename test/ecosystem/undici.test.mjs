/** `daybook/undici` with undici, and a program that is killed. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import test from 'ava'
import { Agent, fetch, interceptors } from 'undici'
import { packed } from './packed.mjs'
import { start } from './running.mjs'
import { temporaryDirectory } from './temporary-directory.mjs'

const { memoryCache } = packed('daybook')
const { undiciStore } = packed('daybook/undici')

/** A server that counts its requests, and answers with the count. */
async function counting(t, headers) {
  let count = 0
  const server = createServer((request, response) => {
    count++
    response.writeHead(200, typeof headers === 'function' ? headers(request) : headers).end(`answer ${count}`)
  }).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}/`, count: () => count }
}

function cachingAgent(t, options = {}) {
  const agent = new Agent()
  t.teardown(() => agent.destroy())
  return agent.compose(interceptors.cache({ store: undiciStore({ cache: memoryCache(), ...options }) }))
}

test('after SIGKILL a program answers from its cache, with the right Age', async (t) => {
  const directory = temporaryDirectory(t)
  // The server says that its answer was 100 s old when it gave it.
  const server = await counting(t, { 'cache-control': 'max-age=600', age: '100' })
  const beforeMs = Date.now()
  const first = await start(t, 'undici', directory, server.url)
  t.is(first.ready.body, 'answer 1')
  await first.kill()
  const second = await start(t, 'undici', directory, server.url)
  t.is(second.ready.body, 'answer 1')
  t.is(server.count(), 1)
  const age = Number(second.ready.age)
  t.true(age >= 100 && age <= 100 + Math.ceil((Date.now() - beforeMs) / 1000), `Age: ${second.ready.age}`)
})

test('what may not be stored is not, and an unsafe request drops what was', async (t) => {
  const server = await counting(t, ({ url }) => ({ 'cache-control': url === '/secret' ? 'no-store' : 'max-age=600' }))
  const dispatcher = cachingAgent(t)
  const textOf = async (path, options = {}) => (await fetch(server.url + path, { dispatcher, ...options })).text()
  t.is(await textOf(''), 'answer 1')
  t.is(await textOf(''), 'answer 1')
  t.is(await textOf('secret'), 'answer 2')
  t.is(await textOf('secret'), 'answer 3')
  t.is(await textOf('', { method: 'POST' }), 'answer 4')
  t.is(await textOf(''), 'answer 5')
})

test('variants by Vary are kept apart', async (t) => {
  const server = await counting(t, { 'cache-control': 'max-age=600', vary: 'accept-language' })
  const dispatcher = cachingAgent(t)
  const inLanguage = async (language) =>
    (await fetch(server.url, { dispatcher, headers: { 'accept-language': language } })).text()
  t.is(await inLanguage('de'), 'answer 1')
  t.is(await inLanguage('fr'), 'answer 2')
  t.is(await inLanguage('de'), 'answer 1')
  t.is(await inLanguage('fr'), 'answer 2')
})

test('a stale answer is revalidated by its ETag', async (t) => {
  let bodies = 0
  const server = createServer((request, response) => {
    const isKnown = request.headers['if-none-match'] === '"1"'
    response.writeHead(isKnown ? 304 : 200, { etag: '"1"', 'cache-control': 'max-age=0' })
    if (!isKnown) bodies++
    response.end(isKnown ? undefined : 'body')
  }).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const dispatcher = cachingAgent(t)
  const url = `http://127.0.0.1:${server.address().port}/`
  for (let time = 0; time < 2; time++) t.is(await (await fetch(url, { dispatcher })).text(), 'body')
  t.is(bodies, 1)
})

test('a cache that is closed fails no request', async (t) => {
  const server = await counting(t, { 'cache-control': 'max-age=600' })
  const cache = memoryCache()
  await cache.close()
  const errors = []
  const dispatcher = cachingAgent(t, { cache, onError: (error) => errors.push(error.code) })
  t.is(await (await fetch(server.url, { dispatcher })).text(), 'answer 1')
  t.is(await (await fetch(server.url, { dispatcher })).text(), 'answer 2')
  t.true(errors.includes('CACHE_CLOSED'))
})
