/** `daybook/express-session` and `daybook/rate-limit` with their frameworks, and an application that is killed. */
import { once } from 'node:events'
import test from 'ava'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import session from 'express-session'
import * as flexible from 'rate-limiter-flexible'
import { packed } from './packed.mjs'
import { start } from './running.mjs'
import { temporaryDirectory } from './temporary-directory.mjs'

const { memoryCache } = packed('daybook')
const { sessionStore } = packed('daybook/express-session')
const { flexibleLimiter, rateLimitStore } = packed('daybook/rate-limit')

const cookieOf = (response) => response.headers.getSetCookie()[0]?.split(';')[0]
const jsonOf = async (response) => (await response).json()

/** The address of an application that listens until the end of the test. */
async function listening(t, app) {
  const server = app.listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}/`
}

test('an application with sessions and a rate limit goes on after SIGKILL as if nothing had happened', async (t) => {
  const directory = temporaryDirectory(t)
  const first = await start(t, 'express', directory)
  const login = await fetch(first.ready)
  t.deepEqual(await login.json(), { visits: 1 })
  const headers = { cookie: cookieOf(login) }
  t.deepEqual(await jsonOf(fetch(first.ready, { headers })), { visits: 2 })
  await first.kill()
  const second = await start(t, 'express', directory)
  const visit = await fetch(second.ready, { headers })
  t.deepEqual(await visit.json(), { visits: 3 })
  t.is(visit.headers.get('x-ratelimit-remaining'), '2')
  await second.kill()
  const third = await start(t, 'express', directory)
  for (const visits of [4, 5]) t.deepEqual(await jsonOf(fetch(third.ready, { headers })), { visits })
  t.is((await fetch(third.ready, { headers })).status, 429)
})

test('a session can be regenerated and destroyed, and ends with its cookie', async (t) => {
  const cache = memoryCache()
  const app = express()
  const cookie = { maxAge: 60_000 }
  app.use(
    session({ secret: 's', resave: false, saveUninitialized: true, cookie, store: sessionStore(session, { cache }) }),
  )
  app.get('/', (request, response) => response.json({ id: request.sessionID }))
  app.get('/regenerate', (request, response, next) => {
    const before = request.sessionID
    request.session.regenerate((error) => (error ? next(error) : response.json({ before, after: request.sessionID })))
  })
  app.get('/destroy', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})))
  })
  const url = await listening(t, app)
  const first = await fetch(url)
  const { id } = await first.json()
  t.is(Math.round(cache.ttl(`sess:${id}`)), 60)
  const headers = { cookie: cookieOf(first) }
  t.is((await jsonOf(fetch(url, { headers }))).id, id)
  const regenerated = await fetch(`${url}regenerate`, { headers })
  const { before, after } = await regenerated.json()
  t.is(before, id)
  t.false(cache.has(`sess:${before}`))
  t.true(cache.has(`sess:${after}`))
  await fetch(`${url}destroy`, { headers: { cookie: cookieOf(regenerated) } })
  t.false(cache.has(`sess:${after}`))
})

test('two rate limits count apart, and a failed request can be taken back', async (t) => {
  const cache = memoryCache()
  const app = express()
  const limits = (prefix, options) =>
    rateLimit({ windowMs: 60_000, limit: 10, store: rateLimitStore({ cache, prefix }), ...options })
  app.use(limits('all:'))
  app.get('/', (_, response) => response.json({}))
  app.get('/failing', limits('failed:', { skipSuccessfulRequests: true }), (_, response) => response.json({}))
  const url = await listening(t, app)
  await fetch(url)
  const response = await fetch(`${url}failing`)
  await response.json()
  const [all, failed] = cache.keys({ prefix: '' }).sort()
  t.is(cache.get(all), 2)
  while (cache.get(failed) !== 0) await new Promise((resolve) => setImmediate(resolve)) // it is taken back after the response
  t.pass()
})

test('rate-limiter-flexible consumes, blocks, rewards and deletes', async (t) => {
  const cache = memoryCache()
  const limiter = flexibleLimiter(flexible, { cache, points: 2, duration: 60, blockDuration: 600, keyPrefix: 'login' })
  t.like(await limiter.consume('ada'), { consumedPoints: 1, remainingPoints: 1, isFirstInDuration: true })
  t.like(await limiter.consume('ada'), { consumedPoints: 2, remainingPoints: 0, isFirstInDuration: false })
  const refused = await t.throwsAsync(limiter.consume('ada'), { any: true })
  t.is(Math.round(refused.msBeforeNext / 1000), 600)
  t.is(Math.round(cache.ttl('login:ada')), 600)
  t.like(await limiter.reward('ada', 3), { consumedPoints: 0 })
  t.like(await limiter.get('ada'), { consumedPoints: 0 })
  t.true(await limiter.delete('ada'))
  t.is(await limiter.get('ada'), null)
  t.false(await limiter.delete('ada'))
})

test('a limiter on two objects counts together: it is the cache that counts', async (t) => {
  const cache = memoryCache()
  const limiters = [1, 2].map(() => flexibleLimiter(flexible, { cache, points: 100, duration: 60 }))
  await Promise.all(Array.from({ length: 50 }, (_, index) => limiters[index % 2].consume('ip')))
  t.is((await limiters[0].get('ip')).consumedPoints, 50)
})
