/** A cluster of three nodes in this process, over a log in memory. */
import type { ExecutionContext } from 'ava'
import {
  type ClusterCache,
  type ClusterOptions,
  type ClusterSurroundings,
  openClusterWithin,
} from '../../../src/cluster.js'
import { type MemoryLogEngine, memoryLog } from '../../../src/testing.js'

export interface ThreeNodes {
  readonly engine: MemoryLogEngine
  readonly leader: ClusterCache
  readonly followers: readonly ClusterCache[]
}

/** Opens three nodes, and waits until all know who leads. They are closed after the test. */
export async function threeNodes(
  t: ExecutionContext,
  options: Partial<ClusterOptions> = {},
  around: ClusterSurroundings = {},
): Promise<ThreeNodes> {
  const engine = memoryLog()
  const nodes: ClusterCache[] = []
  t.teardown(() => Promise.all(nodes.map((node) => node.close().catch(() => undefined))))
  for (let count = 0; count < 3; count++)
    nodes.push(await openClusterWithin({ name: 'cluster', engine, ...options }, around))
  for (const node of nodes) await node.flush()
  const roles = await Promise.all(nodes.map((node) => roleOf(node)))
  const leader = nodes[roles.indexOf('leader')] as ClusterCache
  return { engine, leader, followers: nodes.filter((node) => node !== leader) }
}

export function roleOf(node: ClusterCache): Promise<'leader' | 'follower'> {
  return new Promise((resolve) => {
    node.role$.subscribe(({ role }) => resolve(role)).unsubscribe()
  })
}
