/** Whatever carries the messages: a line that can be read without the event loop, like a port, and one that cannot, like a socket. */
import { type Cache, memoryJournal, openCache } from '../../../src/index.js'
import { testCache } from '../../conformance/cache.js'
import { connectOver } from './connected.js'

for (const [name, isTakeable] of [
  ['over a line', false],
  ['over a line that can be read synchronously', true],
] as const) {
  testCache(name, async (t, options) => {
    const cache: Cache = await openCache({ journal: memoryJournal(), ...options })
    const { client } = connectOver(cache, { isTakeable })
    t.teardown(async () => {
      await client.close()
      await cache.close()
    })
    return { cache: client, closeCache: () => cache.close() }
  })
}
