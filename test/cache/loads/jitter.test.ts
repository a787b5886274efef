import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { openMemory } from '../../helpers/open-memory.js'

for (const [drawn, ttlMs] of [
  [0, 9_000],
  [0.5, 10_000],
  [0.75, 10_500],
  [1, 11_000],
] as const) {
  test(`jitter: 0.1 makes a ttl of 10 s ${ttlMs} ms when random() returns ${drawn}`, async (t) => {
    const { cache, clock } = await openMemory(t, { random: () => drawn })
    await cache.getOrSet('a', () => 1, { ttl: 10, jitter: 0.1 })
    t.is(cache.entry('a')?.expiresAtMs, clock.now() + ttlMs)
  })
}

test('jitter also spreads the default ttl, in a namespace, by message and through a port', async (t) => {
  const { cache, clock } = await openMemory(t, { ttl: 10, random: () => 1 })
  await cache.getOrSet('a', () => 1, { jitter: 0.5 })
  await cache.namespace('n:').getOrSet('a', () => 1, { jitter: 0.5 })
  await new Promise<void>((resolve) =>
    cache.actor.send({
      type: 'getOrSet',
      key: 'm',
      loader: () => 1,
      jitter: 0.5,
      replyTo: { send: () => resolve() },
    } as never),
  )
  const client = await connect(cache.share())
  await client.getOrSet('c', () => 1, { jitter: 0.5 })
  await t.throwsAsync(
    client.getOrSet('d', () => t.fail(), { jitter: 2 }),
    { name: 'RangeError', message: /jitter/ },
  )
  await client.close()
  for (const key of ['a', 'n:a', 'm', 'c']) t.is(cache.entry(key)?.expiresAtMs, clock.now() + 15_000)
})

test('an entry without a deadline, or without jitter, draws nothing', async (t) => {
  const { cache, clock } = await openMemory(t, { random: () => t.fail() as never })
  await cache.getOrSet('a', () => 1, { jitter: 1 })
  await cache.getOrSet('b', () => 1, { ttl: 10 })
  t.is(cache.entry('a')?.expiresAtMs, undefined)
  t.is(cache.entry('b')?.expiresAtMs, clock.now() + 10_000)
})

for (const [jitter, name] of [
  ['0.1', 'TypeError'],
  [null, 'TypeError'],
  [-0.1, 'RangeError'],
  [1.1, 'RangeError'],
  [Number.NaN, 'RangeError'],
] as const) {
  test(`jitter: ${typeof jitter} ${jitter} is a ${name}, and nothing is loaded`, async (t) => {
    const { cache } = await openMemory(t)
    await t.throwsAsync(
      cache.getOrSet('a', () => t.fail(), { jitter: jitter as number }),
      { name, message: /jitter/ },
    )
  })
}

const WRONG: readonly (() => number)[] = [
  () => -0.1,
  () => 1.1,
  () => Number.NaN,
  () => 'a' as never,
  () => {
    throw new RangeError('random() is broken')
  },
]
for (const random of WRONG) {
  test(`a value is stored without jitter, and a warning emitted, if random is ${random}`, async (t) => {
    const { cache, clock } = await openMemory(t, { random })
    const warnings: unknown[] = []
    cache.lifecycle$.subscribe(({ warning }) => warning !== undefined && warnings.push(warning))
    t.is(await cache.getOrSet('a', () => 1, { ttl: 10, jitter: 0.1 }), 1)
    t.is(cache.entry('a')?.expiresAtMs, clock.now() + 10_000)
    t.is(warnings.length, 1)
    t.true(warnings[0] instanceof RangeError)
    t.regex((warnings[0] as Error).message, /random/)
  })
}
