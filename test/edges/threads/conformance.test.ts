import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, memoryJournal, openCache } from '../../../src/index.js'
import { awaited, CACHE_CASES, casesWithin } from '../../conformance/cache.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { runCases } from '../../helpers/run-cases.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { withinNamespace } from '../../helpers/within-namespace.js'

runCases('in process', CACHE_CASES, async (t, { options }) => {
  const clock = new CountingClock()
  const cache: Cache = await openCache({ journal: memoryJournal(), clock, ...options })
  t.teardown(() => cache.close())
  return { cache: awaited(cache), clock, closeCache: () => cache.close(), directory: temporaryDirectory(t) }
})

runCases('through a port', CACHE_CASES, async (t, { options }) => {
  const clock = new CountingClock()
  const cache: Cache = await openCache({ journal: memoryJournal(), clock, ...options })
  const client = await connect(cache.share())
  t.teardown(async () => {
    await client.close()
    await cache.close()
  })
  return { cache: client, clock, closeCache: () => cache.close(), directory: temporaryDirectory(t) }
})

runCases('through a port, in a namespace', casesWithin('namespace'), async (t, { options }) => {
  const clock = new CountingClock()
  const cache: Cache = await openCache({ journal: memoryJournal(), clock, ...options })
  const client = await connect(cache.share())
  t.teardown(async () => {
    await client.close()
    await cache.close()
  })
  return {
    cache: withinNamespace(client),
    clock,
    closeCache: () => cache.close(),
    directory: temporaryDirectory(t),
  }
})
