/** The cache's methods over a socket, and over the line of a process that owns the cache itself. */
import { CACHE_CASES, casesWithin } from '../../conformance/cache.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { sharedPlace } from '../../helpers/edges/shared.js'
import { runCases } from '../../helpers/run-cases.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { withinNamespace } from '../../helpers/within-namespace.js'

const isAboutAProcess = ({ about }: { about?: string }) =>
  about !== 'the end of the cache' && about !== 'a cache in memory'

runCases('through a socket', CACHE_CASES.filter(isAboutAProcess), async (t, { options }) => {
  const { join } = sharedPlace(t)
  const clock = new CountingClock()
  await join({ owner: 'prefer' }, { clock, ...options })
  const client = await join({ owner: 'never' })
  return { cache: client, clock, closeCache: () => client.close(), directory: temporaryDirectory(t) }
})

runCases('in the owner', CACHE_CASES.filter(isAboutAProcess), async (t, { options }) => {
  const { join } = sharedPlace(t)
  const clock = new CountingClock()
  const owner = await join({ owner: 'prefer' }, { clock, ...options })
  return { cache: owner, clock, closeCache: () => owner.close(), directory: temporaryDirectory(t) }
})

runCases(
  'through a socket, in a namespace',
  casesWithin('namespace').filter(isAboutAProcess),
  async (t, { options }) => {
    const { join } = sharedPlace(t)
    const clock = new CountingClock()
    await join({ owner: 'prefer' }, { clock, ...options })
    const client = await join({ owner: 'never' })
    return {
      cache: withinNamespace(client),
      clock,
      closeCache: () => client.close(),
      directory: temporaryDirectory(t),
    }
  },
)
