import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import type { CacheError } from '../../../src/index.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { openMemory } from '../../helpers/open-memory.js'

test('require: unless it holds, the transaction changes nothing', async (t) => {
  const { cache } = await openMemory<number>(t)
  const client = await connect<number>(cache.share())
  await client.set('stock', 1)
  const take = () =>
    client.transact([
      { type: 'require', key: 'stock', atLeast: 1 },
      { type: 'decrement', key: 'stock' },
      { type: 'increment', key: 'sold' },
    ])
  t.deepEqual(await take(), [true, 0, 1])
  const { sequence } = cache.stats().journal
  const error = (await t.throwsAsync(take)) as CacheError
  t.is(error.code, 'CONDITION_FAILED')
  t.regex(error.message, /'stock' in step 0 .* No step of the transaction has taken effect/)
  t.is(cache.stats().journal.sequence, sequence)
})

test('when: only its own step is skipped', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const first = { type: 'set', key: 'first', value: 'me', when: { key: 'first', exists: false } } as const
  t.deepEqual(await client.transact([first, first, { type: 'get', key: 'first' }]), [true, undefined, 'me'])
})

test('equals compares structurally, and conditions do not count as a use of an entry', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  await client.set('doc', { version: 1, at: new Date(5), tags: new Set(['a']) })
  const swap = (version: number) =>
    client.transact([
      { type: 'require', key: 'doc', equals: { at: new Date(5), tags: new Set(['a']), version } },
      { type: 'set', key: 'doc', value: { version: version + 1 } },
    ])
  t.is(((await t.throwsAsync(swap(2))) as CacheError).code, 'CONDITION_FAILED')
  t.deepEqual(await swap(1), [true, true])
  const { hits, misses } = cache.stats()
  t.deepEqual({ hits, misses }, { hits: 0, misses: 0 })
})

test('several conditions, bounds and values of other kinds', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  await client.setMany([
    ['n', 5],
    ['text', '5'],
  ])
  const holds = async (
    ...when: { key: string; exists?: boolean; equals?: unknown; atLeast?: number; atMost?: number }[]
  ) => (await client.transact([{ type: 'has', key: 'n', when }]))[0] === true
  t.true(await holds({ key: 'n', atLeast: 5, atMost: 5 }, { key: 'text', equals: '5' }))
  t.false(await holds({ key: 'n', atLeast: 6 }))
  t.false(await holds({ key: 'n', atMost: 4 }))
  t.false(await holds({ key: 'text', atLeast: 0 }))
  t.false(await holds({ key: 'none', equals: null }))
  t.true(await holds({ key: 'none', exists: false }))
  t.false(await holds({ key: 'n', atLeast: 5 }, { key: 'none', exists: true }))
})

test('an invalid step is refused before anything changes', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const steps = [{ type: 'flush' }, { type: 'getOrSet', key: 'k' }, { type: 'constructor' }, 5, undefined]
  for (const step of steps) {
    const error = await t.throwsAsync(client.transact([{ type: 'set', key: 'k', value: 1 }, step as never]))
    t.is((error as CacheError).code, 'UNKNOWN_COMMAND')
  }
  await t.throwsAsync(client.transact([{ type: 'require', key: 'k', atLeast: 'many' as never }]), {
    instanceOf: TypeError,
  })
  for (const nothing of [{}, { equals: undefined }, { exists: undefined, atLeast: undefined, atMost: undefined }])
    for (const step of [
      { type: 'require', key: 'k', ...nothing },
      { type: 'set', key: 'k', value: 1, when: [{ key: 'k', ...nothing }] },
    ] as const)
      await t.throwsAsync(client.transact([step]), {
        instanceOf: TypeError,
        message: /A condition must have exists, equals, atLeast or atMost/,
      })
  await t.throwsAsync(client.transact([{ type: 'set', key: 'k', value: undefined }]), { name: 'ValueError' })
  for (const [step, name, nearest] of [
    [{ type: 'set', key: 'k', value: 1, tll: undefined }, 'tll', 'ttl'],
    [{ type: 'set', key: 'k', value: 1, whn: { key: 'k' } }, 'whn', 'when'],
    [{ type: 'set', key: 'k', value: 1, when: { key: 'k', exist: true } }, 'exist', 'exists'],
    [{ type: 'require', key: 'k', atleast: 1 }, 'atleast', 'atLeast'],
  ] as const) {
    const error = await t.throwsAsync(client.transact([{ type: 'set', key: 'k', value: 1 }, step as never]))
    t.is(error?.name, 'TypeError')
    t.regex(error?.message ?? '', new RegExp(`^'${name}' is not an .* here. Did you mean ${nearest}\\?`))
  }
  t.is(cache.size, 0)
})

test('ten workers that take from one stock never take more than there is', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('stock', 100)
  const workers = Array.from({ length: 10 }, () =>
    inWorker(cache.share(), 'async', async (client) => {
      let taken = 0
      for (let attempt = 0; attempt < 20; attempt++) {
        const took = client.transact([
          { type: 'require', key: 'stock', atLeast: 1 },
          { type: 'decrement', key: 'stock' },
        ])
        if (
          await took.then(
            () => true,
            () => false,
          )
        )
          taken++
      }
      return taken
    }),
  )
  const taken = await Promise.all(workers.map(({ result }) => result))
  t.is(
    taken.reduce((sum, each) => sum + each, 0),
    100,
  )
  t.is(cache.get('stock'), 0)
})
