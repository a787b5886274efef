/** What both kinds of metrics read. */
import test from 'ava'
import { checkMetricsOptions, figuresReader } from '../../../src/edges/adapters/figures.js'
import { connectOver } from '../../helpers/edges/connected.js'
import { openMemory } from '../../helpers/open-memory.js'

test('readings at the same time are one; the next one is new', async (t) => {
  const { cache } = await openMemory(t)
  let count = 0
  const stats = () => {
    count++
    return cache.stats()
  }
  const read = figuresReader({ stats })
  const [one, other] = await Promise.all([read(), read()])
  t.is(one, other)
  t.is(count, 1)
  cache.set('a', 1)
  t.is((await read())?.stats.sets, 1)
  t.is(count, 2)
})

test('the stats of a client and of a promise are read like those of a cache', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  const { client } = connectOver(cache, { isTakeable: false })
  for (const source of [cache, Promise.resolve(cache), client]) t.is((await figuresReader(source)())?.stats.size, 1)
})

test('a cache that is closed, or could not be opened, has no stats', async (t) => {
  const { cache } = await openMemory(t)
  await cache.close()
  t.is(await figuresReader(cache)(), undefined)
  const refused = Promise.reject(new Error('locked'))
  t.is(await figuresReader(refused)(), undefined)
})

test('wrong options are refused by name', async (t) => {
  const { cache } = await openMemory(t)
  t.is(checkMetricsOptions({ cache }, []).name, 'daybook')
  t.throws(() => checkMetricsOptions({ cache: new Map() as never }, []), {
    instanceOf: TypeError,
    message: /^cache must/,
  })
  t.throws(() => checkMetricsOptions({ cache, name: 1 as never }, []), {
    instanceOf: TypeError,
    message: /^name must be/,
  })
  t.throws(() => checkMetricsOptions({ cache, nmae: 'a' } as never, []), {
    instanceOf: TypeError,
    message: /mean name/,
  })
})
