/** The cases of the cache's methods, each on a node of a cluster of its own. */
import type { ExecutionContext } from 'ava'
import { systemClock } from '../../../src/cache/system-clock.js'
import type { ClusterCache, ClusterOptions, ClusterSurroundings } from '../../../src/cluster.js'
import { type AnyCache, CACHE_CASES, casesWithin } from '../../conformance/cache.js'
import { CountingClock } from '../counting-clock.js'
import { runCases } from '../run-cases.js'
import { temporaryDirectory } from '../temporary-directory.js'
import { withinNamespace } from '../within-namespace.js'
import type { Nodes } from './three-nodes.js'

type Open = (t: ExecutionContext, options: Partial<ClusterOptions>, around: ClusterSurroundings) => Promise<Nodes>

/** Of the leader, of a follower, and of a namespace of a follower. */
const NODES = {
  'the leader': { pick: ({ leader }) => leader, isNamespace: false },
  'a follower': { pick: ({ followers }) => followers[0] as ClusterCache, isNamespace: false },
  'a follower, in a namespace': { pick: ({ followers }) => followers.at(-1) as ClusterCache, isNamespace: true },
} satisfies Record<string, { pick: (nodes: Nodes) => ClusterCache; isNamespace: boolean }>

/**
 * Declares a test for each case and kind of node. AVA begins all tests of a file at once, and hundreds of nodes would only wait for
 * each other: `atOnce` clusters are open at the same time.
 */
export function testNodeCases(atOnce: number, open: Open, prefix = ''): void {
  const admitted = admission(atOnce)
  for (const [which, { pick, isNamespace }] of Object.entries(NODES)) {
    const cases = isNamespace ? casesWithin('namespace') : CACHE_CASES
    const ofNode = cases.filter(({ about }) => about !== 'the end of the cache' && about !== 'a cache in memory')
    runCases(`${prefix}from ${which}`, ofNode, async (t, { options }) => {
      await admitted(t)
      const clock = new CountingClock()
      const nodes = await open(t, options as Partial<ClusterOptions>, { clock, timers: systemClock })
      const cache = pick(nodes)
      const face = cache as unknown as AnyCache
      return {
        cache: isNamespace ? withinNamespace(face) : face,
        clock,
        closeCache: () => cache.close(),
        directory: temporaryDirectory(t),
      }
    })
  }
}

function admission(atOnce: number): (t: ExecutionContext) => Promise<void> {
  let free = atOnce
  const waiting: (() => void)[] = []
  return async (t) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve))
    else free--
    t.timeout(60_000)
    t.teardown(() => {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    })
  }
}
