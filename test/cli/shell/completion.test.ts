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
  t.deepEqual(completed('comp'), [['compact '], 'comp'])
  t.deepEqual(completed('de'), [['decrement', 'delete', 'delete-pattern', 'delete-prefix', 'delete-tag'], 'de'])
  t.true(completed('')[0].includes('set'))
  t.deepEqual(completed('help com'), [['compact '], 'com'])
})

test('other words are completed with keys, up to where they differ', async (t) => {
  const completed = await completing(t, ['user:1', 'user:22', 'user:23', 'other'])
  t.deepEqual(completed('get u'), [['user:'], 'u'])
  t.deepEqual(completed('get user:'), [['user:1', 'user:22', 'user:23'], 'user:'])
  t.deepEqual(completed('get user:1'), [['user:1 '], 'user:1'])
  t.deepEqual(completed('get o'), [['other '], 'o'])
  t.deepEqual(completed('delete other user:2'), [['user:22', 'user:23'], 'user:2'])
  t.deepEqual(completed('get zzz'), [[], 'zzz'])
  t.deepEqual(completed('ttl other u'), [[], 'u'])
  t.deepEqual(completed('set other u'), [[], 'u'])
  t.deepEqual(completed('stats u'), [[], 'u'])
})

test('keys with spaces are completed in quotes, also when a quote is open', async (t) => {
  const completed = await completing(t, ['two words', 'x*y', 'x*z'])
  t.deepEqual(completed('get tw'), [['"two words" '], 'tw'])
  t.deepEqual(completed('get "two w'), [['"two words" '], '"two w'])
  t.deepEqual(completed('get x*'), [['x*y', 'x*z'], 'x*'])
})

test('at most 100 keys are listed', async (t) => {
  const completed = await completing(
    t,
    Array.from({ length: 500 }, (_, number) => `k${number}`),
  )
  const [hits] = completed('get k')
  t.is(hits.length, 101)
  t.is(hits.at(-1), '… 400 more')
})
