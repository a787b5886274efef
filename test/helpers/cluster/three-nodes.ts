/** A cluster whose nodes are all in this process, over a log in memory or another engine. */
import type { ExecutionContext } from 'ava'
import {
  type ClusterCache,
  type ClusterOptions,
  type ClusterSurroundings,
  openClusterWithin,
} from '../../../src/cluster.js'
import { type MemoryLogEngine, memoryLog } from '../../../src/testing.js'

export interface Nodes {
  readonly leader: ClusterCache
  readonly followers: readonly ClusterCache[]
}

export interface ThreeNodes extends Nodes {
  readonly engine: MemoryLogEngine
}

/** Three nodes over a log in memory. They are closed after the test. */
export async function threeNodes(
  t: ExecutionContext,
  options: Partial<ClusterOptions> = {},
  around: ClusterSurroundings = {},
): Promise<ThreeNodes> {
  const engine = memoryLog()
  return { engine, ...(await openNodes(t, 3, { name: 'cluster', engine, ...options }, around)) }
}

/** Opens nodes one after the other, and waits until all know who leads. They are closed after the test. */
export async function openNodes(
  t: ExecutionContext,
  count: number,
  options: ClusterOptions,
  around: ClusterSurroundings = {},
): Promise<Nodes> {
  const nodes: ClusterCache[] = []
  t.teardown(() => Promise.all(nodes.map((node) => node.close().catch(() => undefined))))
  for (let opened = 0; opened < count; opened++) nodes.push(await openClusterWithin(options, around))
  for (const node of nodes) await node.flush()
  const roles = await Promise.all(nodes.map((node) => roleOf(node)))
  const leader = nodes[roles.indexOf('leader')] as ClusterCache
  return { leader, followers: nodes.filter((node) => node !== leader) }
}

export function roleOf(node: ClusterCache): Promise<'leader' | 'follower'> {
  return new Promise((resolve) => {
    node.role$.subscribe(({ role }) => resolve(role)).unsubscribe()
  })
}
