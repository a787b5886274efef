/** Clients over both kinds of lines: one that can be read without the event loop, like a port, and one that cannot, like a socket. */
import { type Cache, memoryJournal, openCache } from '../../../src/index.js'
import { CACHE_CASES } from '../../conformance/cache.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { connectOver } from '../../helpers/edges/connected.js'
import { runCases } from '../../helpers/run-cases.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

for (const [name, isTakeable] of [
  ['over a line', false],
  ['over a line that can be read synchronously', true],
] as const) {
  runCases(name, CACHE_CASES, async (t, { options }) => {
    const clock = new CountingClock()
    const cache: Cache = await openCache({ journal: memoryJournal(), clock, ...options })
    const { client } = connectOver(cache, { isTakeable })
    t.teardown(async () => {
      await client.close()
      await cache.close()
    })
    return { cache: client, clock, closeCache: () => cache.close(), directory: temporaryDirectory(t) }
  })
}
