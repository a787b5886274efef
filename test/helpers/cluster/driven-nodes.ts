/** Nodes whose time a test moves, over a log in memory whose faults the test chooses. Files are in memory, too: a disk takes real time. */
import type { ExecutionContext } from 'ava'
import type { CacheOptions } from '../../../src/cache/options.js'
import { type ClusterCache, type ClusterOptions, openClusterWithin } from '../../../src/cluster.js'
import { MemoryStorage } from '../../../src/durable/storage/memory.js'
import type { ClusterNode } from '../../../src/edges/cluster/node/cluster-node.js'
import { openWithin } from '../../../src/open.js'
import { ManualClock, type MemoryLogEngine, memoryLog } from '../../../src/testing.js'
import { loopTurn } from '../loop-turn.js'
import { roleOf } from './three-nodes.js'
import '../../../src/files/load.js' // as does a module that is loaded when it is needed
import '../../../src/files/save.js'

const STEP_MS = 10
const LIMIT_MS = 60_000

export interface DrivenNodes {
  readonly clock: ManualClock
  readonly engine: MemoryLogEngine
  /** The node's parts, by its id. */
  readonly nodes: Map<string, ClusterNode>
  /** Opens a node with this id. */
  open(node: string, options?: Partial<ClusterOptions>): Promise<ClusterCache>
  /** Moves the time until a promise is settled. */
  during<T>(promise: Promise<T>): Promise<T>
  /** Moves the time by so many milliseconds. */
  pass(ms: number): Promise<void>
  /** Moves the time until something is true. */
  until(isTrue: () => boolean): Promise<void>
  leaderOf(caches: readonly ClusterCache[]): Promise<ClusterCache>
}

export function drivenNodes(t: ExecutionContext): DrivenNodes {
  const clock = new ManualClock()
  const engine = memoryLog({ clock })
  const nodes = new Map<string, ClusterNode>()
  const storage = new MemoryStorage()
  let ids = 0
  let draws = 0
  const newId = () => (++ids).toString(16).padStart(16, '0')
  const random = () => (++draws * 0.37) % 1

  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      clock.advance(`${STEP_MS}ms`)
      for (let turn = 0; turn < 8; turn++) await loopTurn()
    }
  }
  async function until(isTrue: () => boolean): Promise<void> {
    for (let passed = 0; !isTrue(); passed += STEP_MS) {
      if (passed > LIMIT_MS) throw new Error(`This never happened: ${isTrue}`)
      await pass(STEP_MS)
    }
  }
  let isOver = false
  async function during<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = () => {
      isSettled = true
    }
    promise.then(settle, settle)
    await until(() => isSettled || isOver)
    return promise
  }
  const opened: ClusterCache[] = []
  t.teardown(async () => {
    engine.control.calm()
    for (const name of nodes.keys()) engine.control.resume(name)
    const closed = Promise.all(opened.map((cache) => cache.close().catch(() => undefined)))
    await Promise.race([during(closed), pass(5_000)]) // a node that has crashed never closes
    isOver = true
  })
  return {
    clock,
    engine,
    nodes,
    pass,
    until,
    during,
    async open(node, options = {}) {
      const around = {
        node,
        newId,
        random,
        clock: engine.control.clock(node),
        open: (given: CacheOptions) => openWithin(given, { storage }),
        onNode: (parts: ClusterNode) => void nodes.set(node, parts),
      }
      const cache = await during(openClusterWithin({ name: 'cluster', engine, ...options }, around))
      opened.push(cache)
      return cache
    },
    async leaderOf(caches) {
      let leader: ClusterCache | undefined
      for (let tries = 0; leader === undefined && tries < 1_000; tries++) {
        const roles = await Promise.all(caches.map(roleOf))
        leader = caches[roles.indexOf('leader')]
        await pass(STEP_MS)
      }
      if (leader === undefined) throw new Error('Nobody leads')
      return leader
    },
  }
}
