/** The cache's methods in a cluster of three, from the leader and from a node that follows. */
import type { ExecutionContext } from 'ava'
import { systemClock } from '../../../src/cache/system-clock.js'
import type { ClusterCache, ClusterOptions } from '../../../src/cluster.js'
import { type AnyCache, CACHE_CASES, type CacheCase, casesWithin } from '../../conformance/cache.js'
import { threeNodes } from '../../helpers/cluster/three-nodes.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { runCases } from '../../helpers/run-cases.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { withinNamespace } from '../../helpers/within-namespace.js'

const isAboutANode = ({ about }: { about?: string }) =>
  about !== 'the end of the cache' && about !== 'a cache in memory'

/** Clusters that run at the same time: AVA begins all tests of a file at once, and 600 nodes would only wait for each other. */
let free = 24
const waiting: (() => void)[] = []

async function admitted(t: ExecutionContext): Promise<void> {
  if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
  else free--
  t.timeout(60_000)
  t.teardown(() => {
    const next = waiting.shift()
    if (next === undefined) free++
    else next()
  })
}

function conforms(
  subject: string,
  cases: CacheCase[],
  pick: (nodes: Awaited<ReturnType<typeof threeNodes>>) => ClusterCache,
  face = (cache: AnyCache) => cache,
) {
  runCases(subject, cases, async (t, { options }) => {
    await admitted(t)
    const clock = new CountingClock()
    const nodes = await threeNodes(t, options as Partial<ClusterOptions>, { clock, timers: systemClock })
    const cache = pick(nodes)
    return {
      cache: face(cache as unknown as AnyCache),
      clock,
      closeCache: () => cache.close(),
      directory: temporaryDirectory(t),
    }
  })
}

conforms('from the leader', CACHE_CASES.filter(isAboutANode), ({ leader }) => leader)
conforms('from a follower', CACHE_CASES.filter(isAboutANode), ({ followers }) => followers[0] as ClusterCache)
conforms(
  'from a follower, in a namespace',
  casesWithin('namespace').filter(isAboutANode),
  ({ followers }) => followers[1] as ClusterCache,
  withinNamespace,
)
