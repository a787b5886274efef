import { existsSync } from 'node:fs'
import path from 'node:path'
import { inspect } from 'node:util'
import test from 'ava'
import { cacheLogic, memoryJournal, openCache } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const BAD: [string, unknown, string][] = [
  ['directory', 5, 'TypeError'],
  ['directory', '', 'TypeError'],
  ['directory', null, 'TypeError'],
  ['journal', {}, 'TypeError'],
  ['journal', 'journal', 'TypeError'],
  ['journal', null, 'TypeError'],
  ['maxSize', 0, 'RangeError'],
  ['maxSize', -1, 'RangeError'],
  ['maxSize', 1.5, 'RangeError'],
  ['maxSize', Number.NaN, 'RangeError'],
  ['maxSize', Number.NEGATIVE_INFINITY, 'RangeError'],
  ['maxSize', '5', 'TypeError'],
  ['maxSize', 5n, 'TypeError'],
  ['maxSize', null, 'TypeError'],
  ['maxBytes', 0, 'RangeError'],
  ['maxBytes', -1, 'RangeError'],
  ['maxBytes', 0.5, 'RangeError'],
  ['maxBytes', '1MB', 'TypeError'],
  ['maxBytes', null, 'TypeError'],
  ['ttl', 0, 'RangeError'],
  ['ttl', '0s', 'RangeError'],
  ['ttl', -1, 'RangeError'],
  ['ttl', Number.NaN, 'RangeError'],
  ['ttl', 1e300, 'RangeError'],
  ['ttl', '5 parsecs', 'TypeError'],
  ['ttl', null, 'TypeError'],
  ['fsync', 'sometimes', 'RangeError'],
  ['fsync', '', 'RangeError'],
  ['fsync', true, 'TypeError'],
  ['fsync', null, 'TypeError'],
  ['cleanupInterval', -1, 'RangeError'],
  ['cleanupInterval', Number.NaN, 'RangeError'],
  ['cleanupInterval', 'often', 'TypeError'],
  ['cleanupInterval', null, 'TypeError'],
  ['statsInterval', -1, 'RangeError'],
  ['statsInterval', 0, 'RangeError'],
  ['statsInterval', {}, 'TypeError'],
  ['statsInterval', null, 'TypeError'],
  ['history', 'a week', 'TypeError'],
  ['history', -1, 'RangeError'],
  ['history', null, 'TypeError'],
  ['history', { keep: 'long' }, 'TypeError'],
  ['history', { bytes: 0 }, 'RangeError'],
  ['history', { bytes: '1GB' }, 'TypeError'],
  ['compaction', true, 'TypeError'],
  ['compaction', 5, 'TypeError'],
  ['compaction', null, 'TypeError'],
  ['compaction', { journalBytes: -1 }, 'RangeError'],
  ['compaction', { journalBytes: '1' }, 'TypeError'],
  ['compaction', { segmentBytes: 0 }, 'RangeError'],
  ['compaction', { factor: -1 }, 'RangeError'],
  ['compaction', { factor: Number.NaN }, 'RangeError'],
  ['compaction', { factor: '2' }, 'TypeError'],
  ['isolation', 'deep', 'RangeError'],
  ['isolation', 5, 'TypeError'],
  ['isolation', null, 'TypeError'],
  ['lock', 'yes', 'TypeError'],
  ['lock', null, 'TypeError'],
  ['lock', true, 'TypeError'], // there is a journal, not a directory
  ['clock', {}, 'TypeError'],
  ['clock', null, 'TypeError'],
  ['clock', { now: Date.now }, 'TypeError'],
  ['inspect', 5, 'TypeError'],
  ['inspect', 'console', 'TypeError'],
  ['inspect', null, 'TypeError'],
  ['random', 0.5, 'TypeError'],
  ['random', null, 'TypeError'],
  ['onProgress', 5, 'TypeError'],
  ['onProgress', null, 'TypeError'],
]

/** As it appears in messages. */
function asInMessages(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    const [inner] = Object.values(value)
    return inner === undefined || typeof inner === 'function' ? 'an object' : asInMessages(inner)
  }
  return typeof value === 'string' ? `'${value}'` : String(value)
}

for (const [name, value, kind] of BAD) {
  test(`${name}: ${inspect(value)} is a ${kind} that names both`, async (t) => {
    const options = { journal: memoryJournal(), [name]: value } as never
    const error = (await t.throwsAsync(openCache(options), { name: kind })) as Error
    t.regex(error.message, new RegExp(`\\b${name}`))
    t.true(error.message.includes(asInMessages(value)), error.message)
    t.throws(() => cacheLogic(options), { name: kind, message: error.message })
  })
}

test('options that are not an object are a TypeError', async (t) => {
  for (const options of [null, 5, 'journal', true]) {
    await t.throwsAsync(openCache(options as never), { name: 'TypeError', message: /options/ })
  }
})

test('an option that does not exist is a TypeError that names the nearest one, before anything is made', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'not-made')
  for (const [options, name, nearest] of [
    [{ maxsize: 5 }, 'maxsize', 'maxSize'],
    [{ tll: 5 }, 'tll', 'ttl'],
    [{ fsync: 'never', cleanUpInterval: undefined }, 'cleanUpInterval', 'cleanupInterval'],
    [{ compaction: { journalbytes: 5 } }, 'journalbytes', 'journalBytes'],
  ] as const) {
    const error = await t.throwsAsync(openCache({ directory, ...options } as never), { name: 'TypeError' })
    t.true(error?.message.includes(`'${name}' is not an option here. Did you mean ${nearest}?`), error?.message)
    t.throws(() => cacheLogic({ directory, ...options } as never), { name: 'TypeError', message: error?.message ?? '' })
  }
  t.false(existsSync(directory))
})

test('an inherited property and a symbol are no options', async (t) => {
  const options = Object.create({ other: 1 }, { journal: { value: memoryJournal(), enumerable: true } })
  options[Symbol('s')] = 1
  await t.notThrowsAsync((await openCache(options)).close())
})

test('a directory and a journal together are a TypeError', async (t) => {
  const error = await t.throwsAsync(openCache({ directory: 'somewhere', journal: memoryJournal() }), {
    name: 'TypeError',
  })
  t.regex(error?.message ?? '', /directory/)
})

test('lock is a boolean', async (t) => {
  for (const lock of ['yes', null, 0])
    await t.throwsAsync(openCache({ lock: lock as never }), {
      name: 'TypeError',
      message: /^lock must be true or false/,
    })
})

test('an option that is undefined means its default', async (t) => {
  const cache = await openCache({
    directory: undefined,
    journal: memoryJournal(),
    lock: undefined,
    maxSize: undefined,
    maxBytes: undefined,
    ttl: undefined,
    fsync: undefined,
    cleanupInterval: undefined,
    statsInterval: undefined,
    compaction: undefined,
    isolation: undefined,
    clock: undefined,
    inspect: undefined,
    random: undefined,
    onProgress: undefined,
  })
  for (let index = 0; index < 1_001; index++) cache.set(`key${index}`, {})
  t.is(cache.size, 1_000)
  t.is(cache.ttl('key5'), Number.POSITIVE_INFINITY)
  t.not(cache.get('key5'), cache.get('key5'))
  await cache.close()
})

test('a bad option does not lock the journal', async (t) => {
  const journal = memoryJournal()
  await t.throwsAsync(openCache({ journal, maxSize: -1 }), { name: 'RangeError' })
  const cache = await openCache({ journal })
  t.true(cache.set('a', 1))
  await cache.close()
})

test('maxSize and maxBytes can be Infinity', async (t) => {
  const cache = await openCache({
    journal: memoryJournal(),
    maxSize: Number.POSITIVE_INFINITY,
    maxBytes: Number.POSITIVE_INFINITY,
  })
  for (let index = 0; index < 5_000; index++) cache.set(`key${index}`, index)
  t.is(cache.size, 5_000)
  await cache.close()
})

test('intervals can be Infinity: no background cleanup, no second stats', async (t) => {
  const clock = new ManualClock()
  const cache = await openCache({
    journal: memoryJournal(),
    clock,
    cleanupInterval: Number.POSITIVE_INFINITY,
    statsInterval: Number.POSITIVE_INFINITY,
  })
  let stats = 0
  cache.stats$.subscribe(() => stats++)
  cache.set('a', 1, { ttl: 1 })
  clock.jump(1_000)
  clock.advance('1ms')
  cache.set('b', 1)
  clock.advance('1d')
  t.is(stats, 1)
  await cache.close()
})

for (const cleanupInterval of [0, '0s', Number.POSITIVE_INFINITY] as const) {
  test(`a cleanupInterval of ${cleanupInterval} turns the background cleanup off`, async (t) => {
    const clock = new ManualClock()
    const cache = await openCache({ journal: memoryJournal(), clock, cleanupInterval })
    cache.set('a', 1, { ttl: '2d' })
    clock.jump(172_800_000)
    clock.advance('1d')
    t.is(cache.size, 1, 'the timer of the deadline is a day away')
    t.is(cache.cleanup(), 1)
    await cache.close()
  })
}
