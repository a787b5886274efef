import test from 'ava'
import { complete } from '../../../src/cli/shell/completion.js'
import { openMemory } from '../../helpers/open-memory.js'

async function completing(t: Parameters<typeof openMemory>[0], keys: string[]) {
  const { cache } = await openMemory(t)
  for (const key of keys) cache.set(key, 1)
  return (line: string) => complete(cache, line)
}

test('the first word is completed with commands', async (t) => {
  const completed = await completing(t, ['gamma'])
  t.deepEqual(await completed('comp'), [['compact '], 'comp'])
  t.deepEqual(await completed('de'), [['decrement', 'delete', 'delete-pattern', 'delete-prefix', 'delete-tag'], 'de'])
  t.true((await completed(''))[0].includes('set'))
  t.deepEqual(await completed('help com'), [['compact '], 'com'])
})

test('other words are completed with keys, up to where they differ', async (t) => {
  const completed = await completing(t, ['user:1', 'user:22', 'user:23', 'other'])
  t.deepEqual(await completed('get u'), [['user:'], 'u'])
  t.deepEqual(await completed('get user:'), [['user:1', 'user:22', 'user:23'], 'user:'])
  t.deepEqual(await completed('get user:1'), [['user:1 '], 'user:1'])
  t.deepEqual(await completed('get o'), [['other '], 'o'])
  t.deepEqual(await completed('delete other user:2'), [['user:22', 'user:23'], 'user:2'])
  t.deepEqual(await completed('get zzz'), [[], 'zzz'])
  t.deepEqual(await completed('ttl other u'), [[], 'u'])
  t.deepEqual(await completed('set other u'), [[], 'u'])
  t.deepEqual(await completed('stats u'), [[], 'u'])
})

test('keys with spaces are completed in quotes, also when a quote is open', async (t) => {
  const completed = await completing(t, ['two words', 'x*y', 'x*z'])
  t.deepEqual(await completed('get tw'), [['"two words" '], 'tw'])
  t.deepEqual(await completed('get "two w'), [['"two words" '], '"two w'])
  t.deepEqual(await completed('get x*'), [['x*y', 'x*z'], 'x*'])
})

test('at most 100 keys are listed', async (t) => {
  const completed = await completing(
    t,
    Array.from({ length: 500 }, (_, number) => `k${number}`),
  )
  const [hits] = await completed('get k')
  t.is(hits.length, 101)
  t.is(hits.at(-1), '… 400 more')
})
