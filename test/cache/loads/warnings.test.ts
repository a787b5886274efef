/** What nobody rejects with is emitted as a warning; what cannot be stored is given all the same. */
import test, { type ExecutionContext } from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, type CacheError, ValueError } from '../../../src/index.js'
import { connectOver } from '../../helpers/edges/connected.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'

function warningsOf(t: ExecutionContext, { lifecycle$ }: Pick<Cache, 'lifecycle$'>): Error[] {
  const warnings: Error[] = []
  lifecycle$.subscribe(({ state, warning }) => {
    if (warning === undefined) return
    t.is(state, 'running')
    warnings.push(warning)
  })
  return warnings
}

for (const [what, value] of [
  ['a function', () => 1],
  ['a URL inside', { deep: [new URL('http://a')] }],
  ['a symbol', Symbol('a')],
] as const) {
  test(`a loader that returns ${what}: every waiting call gets it, nothing is stored, one warning`, async (t) => {
    const { cache } = await openMemory(t)
    const warnings = warningsOf(t, cache)
    const calls = [cache.getOrSet('a', () => value), cache.getOrSet('a', () => t.fail())]
    for (const given of await Promise.all(calls)) t.is(given, value)
    t.is(cache.size, 0)
    t.is(warnings.length, 1)
    t.true(warnings[0] instanceof ValueError)
    t.is(await cache.getOrSet('a', () => 1), 1)
  })
}

test('an entry that is larger than maxBytes is given and not stored', async (t) => {
  const { cache } = await openMemory(t, { maxBytes: 100 })
  const warnings = warningsOf(t, cache)
  const large = 'x'.repeat(200)
  t.is(await cache.getOrSet('a', () => large), large)
  t.is(cache.size, 0)
  t.is(warnings.length, 1)
  t.true(warnings[0] instanceof RangeError)
})

test('through a port: the calls of the client whose loader it was get the value, other callers its error', async (t) => {
  const { cache } = await openMemory(t)
  const { client } = connectOver(cache, { isTakeable: false })
  const { client: other } = connectOver(cache, { isTakeable: false })
  const warnings = warningsOf(t, cache)
  const there = warningsOf(t, client)
  const value = () => 1
  let finish: (value: unknown) => void = () => undefined
  const isAsked = () => finish !== firstFinish
  const firstFinish = finish
  const load = () => new Promise<unknown>((resolve) => (finish = resolve))
  const calls = [client.getOrSet('a', load), client.getOrSet('a', load)]
  await until(isAsked, 'the loader runs')
  const others = [cache.getOrSet('a', load), other.getOrSet('a', load)]
  await loopTurn()
  finish(value)
  for (const call of calls) t.is(await call, value)
  for (const call of others) await t.throwsAsync(call, { instanceOf: ValueError, message: /function/ })
  t.is(await client.getOrSet('alone', () => value), value)
  t.is(cache.size, 0)
  await until(() => there.length === 2, 'the warnings arrive')
  t.true(warnings[0] instanceof ValueError)
  t.true(there[0] instanceof ValueError)
  t.is((there[0] as CacheError).code, 'INVALID_VALUE')
  await client.close()
  await other.close()
})

test('a failure that no call rejects with any more is a warning; one that a call rejects with is none', async (t) => {
  const { cache, clock } = await openMemory(t)
  const warnings = warningsOf(t, cache)
  const mine = new Error('mine')
  await t.throwsAsync(
    cache.getOrSet('a', () => Promise.reject(mine)),
    { is: mine },
  )
  t.deepEqual(warnings, [])
  let fail: (error: unknown) => void = () => undefined
  const load = () => new Promise((_, reject) => (fail = reject))
  const call = cache.getOrSet('a', load, { timeout: 1 })
  await loopTurn()
  clock.advance(1)
  await t.throwsAsync(call, { code: 'LOAD_TIMEOUT' })
  fail(mine)
  await loopTurn()
  t.deepEqual(warnings, [mine])
  const again = cache.getOrSet('b', load, { timeout: 1 })
  await loopTurn()
  clock.advance(1)
  await t.throwsAsync(again, { code: 'LOAD_TIMEOUT' })
  fail('a text')
  await loopTurn()
  t.is(warnings[1]?.message, "Loading 'b' failed: 'a text'")
  t.is(warnings[1]?.cause, 'a text')
})

test('every warning is emitted, also one like the last; a later subscriber gets only the state', async (t) => {
  const { cache } = await openMemory(t)
  const warnings = warningsOf(t, cache)
  for (const _ of [1, 2]) await cache.getOrSet('a', () => Symbol('not stored'))
  t.is(warnings.length, 2)
  const states: object[] = []
  cache.lifecycle$.subscribe((state) => states.push(state))
  t.deepEqual(states, [{ state: 'running' }])
})

test('a subscriber that is told of a warning can load the same key; its call is no part of the load', async (t) => {
  const { cache, clock } = await openMemory(t)
  const results: Promise<unknown>[] = []
  cache.lifecycle$.subscribe(({ warning }) => {
    if (warning !== undefined) results.push(cache.getOrSet('a', () => 'again'))
  })
  const load = () => new Promise((_, reject) => clock.setTimeout(() => reject(new Error('mine')), 2_000))
  const call = cache.getOrSet('a', load, { timeout: 1 })
  await loopTurn()
  clock.advance(1)
  await t.throwsAsync(call, { code: 'LOAD_TIMEOUT' })
  clock.advance(1)
  await loopTurn()
  t.deepEqual(await Promise.all(results), ['again'])
  t.is(cache.get('a'), 'again')
})

test('closing emits no warning for loads that nobody waits for', async (t) => {
  const { cache, clock } = await openMemory(t)
  const warnings: unknown[] = []
  cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
  const client = await connect(cache.share())
  const calls = [
    cache.getOrSet('a', () => new Promise(() => undefined), { timeout: 1 }),
    client.getOrSet('b', () => new Promise(() => undefined), { timeout: 1 }),
  ]
  await until(() => cache.stats().misses === 2, 'both loads have begun')
  clock.advance(1)
  for (const call of calls) await t.throwsAsync(call, { code: 'LOAD_TIMEOUT' })
  await cache.close()
  t.deepEqual(warnings, [])
})
