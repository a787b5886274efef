/** Loaders of a client: what their signals say when nobody waits any more, and loads that wait for themselves. */
import test, { type ExecutionContext } from 'ava'
import { CacheClosedError, CacheError } from '../../../../src/index.js'
import { connectOver } from '../../../helpers/edges/connected.js'
import { until } from '../../../helpers/loop-turn.js'
import { openMemory } from '../../../helpers/open-memory.js'

/** A client with a load under way, which never ends. */
async function loading(t: ExecutionContext, options: object = {}) {
  const { cache, clock } = await openMemory(t)
  const connected = connectOver(cache, { isTakeable: false })
  const { client } = connected
  let signal: AbortSignal | undefined
  const load = client.getOrSet(
    'k',
    (_, context) => {
      signal = context.signal
      return new Promise(() => undefined)
    },
    options,
  )
  const outcome = load.then(
    () => 'loaded',
    (error: CacheError) => error.code,
  )
  await until(() => signal !== undefined, 'the load begins')
  const aborted = async () => {
    await until(() => signal?.aborted === true, 'the signal is aborted')
    return signal?.reason as CacheError
  }
  return { cache, clock, ...connected, outcome, aborted }
}

test('when hardTimeout has passed', async (t) => {
  const { client, clock, outcome, aborted } = await loading(t, { hardTimeout: 10 })
  clock.advance(10)
  const reason = await aborted()
  t.true(reason instanceof CacheError)
  t.is(reason.code, 'LOAD_TIMEOUT')
  t.is(await outcome, 'LOAD_TIMEOUT')
  t.is(await client.getOrSet('k', () => 'again'), 'again')
})

test('when the cache is closed', async (t) => {
  const { cache, outcome, aborted } = await loading(t)
  await cache.close()
  t.true((await aborted()) instanceof CacheClosedError)
  t.is(await outcome, 'CACHE_CLOSED')
})

test('when the client is closed', async (t) => {
  const { cache, client, outcome, aborted } = await loading(t)
  const other = cache.getOrSet('k', () => 'never asked')
  await client.close()
  t.true((await aborted()) instanceof CacheClosedError)
  t.is(await outcome, 'CACHE_CLOSED')
  await t.throwsAsync(other, { code: 'LOADER_GONE' })
})

test('when the line is lost', async (t) => {
  const { ownerLine, outcome, aborted } = await loading(t)
  ownerLine.close()
  t.true((await aborted()) instanceof CacheClosedError)
  t.is(await outcome, 'CACHE_CLOSED')
})

test('a timeout ends the wait of one call: the loader goes on, and its value is stored', async (t) => {
  const { cache, clock } = await openMemory(t)
  const { client } = connectOver(cache, { isTakeable: true })
  let finish: (value: string) => void = () => undefined
  let isAborted: (() => boolean) | undefined
  const waiting = client.getOrSet(
    'k',
    (_, { signal }) => {
      isAborted = () => signal.aborted
      return new Promise<string>((resolve) => {
        finish = resolve
      })
    },
    { timeout: 1 },
  )
  await until(() => isAborted !== undefined, 'the load begins')
  clock.advance(1)
  await t.throwsAsync(waiting, { code: 'LOAD_TIMEOUT' })
  t.false(isAborted?.())
  finish('late')
  await until(() => cache.peek('k') === 'late', 'it is stored')
})

test('a load that waits for itself through a loader of another client is refused', async (t) => {
  const { client: one } = connectOver((await openMemory(t)).cache, { isTakeable: false })
  const { client: other } = connectOver((await openMemory(t)).cache, { isTakeable: false })
  const load = one.getOrSet('k', () => other.getOrSet('x', () => one.getOrSet('k', () => 1, { timeout: 60 })))
  t.is((await t.throwsAsync(load, { instanceOf: CacheError })).code, 'LOAD_CYCLE')
})
