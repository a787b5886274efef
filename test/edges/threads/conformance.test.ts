import { connect } from '../../../src/edges/threads/threads.js'
import { type Cache, memoryJournal, openCache } from '../../../src/index.js'
import { awaited, testCache } from '../../conformance/cache.js'

testCache('in process', async (t, options) => {
  const cache: Cache = await openCache({ journal: memoryJournal(), ...options })
  t.teardown(() => cache.close())
  return { cache: awaited(cache), closeCache: () => cache.close() }
})

testCache('through a port', async (t, options) => {
  const cache: Cache = await openCache({ journal: memoryJournal(), ...options })
  const client = await connect(cache.share())
  t.teardown(async () => {
    await client.close()
    await cache.close()
  })
  return { cache: client, closeCache: () => cache.close() }
})
