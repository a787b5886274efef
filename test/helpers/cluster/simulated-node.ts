/** A node of a simulated cluster: a process with a cache, which is one client. */
import { type ClusterCache, openClusterWithin } from '../../../src/cluster.js'
import type { ClusterNode } from '../../../src/edges/cluster/node/cluster-node.js'
import type { Clock } from '../../../src/testing.js'
import { Random } from '../random.js'
import type { Sample, Step, Stream, Told } from './checkers/history.js'
import { KEYS } from './random-script.js'
import type { LoadedLife, OtherCall } from './script.js'
import type { Surroundings } from './surroundings.js'

/** An iteration of `changesSince`. */
export interface Reading extends Stream {
  /** Why there will be no more; undefined while it goes on. */
  ended: 'gone' | 'closed' | undefined
}

export class SimulatedNode {
  /** Its address. */
  readonly id: string
  readonly clock: Clock
  /** The latest that its clock has shown. */
  #latestMs = 0
  readonly #surroundings: Surroundings
  #cache: ClusterCache<number> | undefined
  node: ClusterNode | undefined
  readonly #items: Told[] = []
  stream: Stream | undefined
  state: 'opening' | 'running' | 'stopped' | 'leaving' | 'gone' = 'opening'

  /** How many nodes there were before. */
  readonly #count: number

  constructor(surroundings: Surroundings, count: number) {
    this.#surroundings = surroundings
    this.#count = count
    this.id = idOf(count, 0)
    const clock = surroundings.engine.control.clock(this.id)
    const now = () => {
      const nowMs = clock.now()
      this.#latestMs = Math.max(this.#latestMs, nowMs)
      return nowMs
    }
    this.clock = { ...clock, now }
  }

  async open(): Promise<void> {
    const { engine, script, time, open, name, observer } = this.#surroundings
    let ids = 0
    const random = new Random(script.seed * 31 + this.#count)
    const cache = await openClusterWithin<number>(
      {
        name,
        engine,
        ...(observer.last === 0 && { maxSize: script.maxSize }), // later it may be another
        compaction: { journalBytes: script.snapshotBytes, factor: 0 },
        cleanupInterval: 1,
      },
      {
        clock: this.clock,
        random: () => random.below(1_000) / 1_000,
        newId: () => idOf(this.#count, ids++),
        onNode: (node) => {
          this.node = node
        },
        open,
      },
    )
    time.stir()
    if (this.state === 'gone') return
    this.#cache = cache
    this.state = 'running'
    this.stream = { node: this.id, after: this.sequence, items: this.#items }
    cache.changes$.subscribe({
      next: (change) => {
        if (this.state !== 'gone') this.#items.push(change as Told)
      },
      error: (error: Error) => this.#items.push({ type: `error: ${error.stack}`, sequence: -1 }),
    })
  }

  /** Of the last event that is in the log for good, as far as it knows. */
  get sequence(): number {
    return this.#cache?.local.stats().journal.durableSequence ?? -1
  }

  crash(): void {
    this.state = 'gone'
    this.#surroundings.engine.control.crash(this.id)
  }

  async leave(): Promise<void> {
    this.state = 'leaving'
    await this.#cache?.close()
    this.#surroundings.time.stir()
    this.state = 'gone'
  }

  stop(): void {
    if (this.state === 'running') this.state = 'stopped'
    this.#surroundings.engine.control.pause(this.id)
  }

  continue(): void {
    if (this.state === 'gone') return
    if (this.state === 'stopped') this.state = 'running'
    this.#surroundings.engine.control.resume(this.id)
  }

  // ── calls ──

  async ask(steps: readonly Step[]): Promise<unknown[]> {
    const cache = this.#cache as ClusterCache<number> // it runs
    const [step] = steps
    if (steps.length > 1) return (await cache.transact(steps.map(transacted) as never)) as unknown[]
    switch (step?.do) {
      case 'get':
        return [await cache.get(step.key)]
      case 'set':
        return [await cache.set(step.key, step.value, setOptions(step))]
      case 'delete':
        return [await cache.delete(step.key)]
      case 'increment':
        return [await cache.increment(step.key, step.by)]
      case 'deleteTag':
      case 'expireTag':
        return [await cache[step.do](step.tag)]
      case 'load': {
        const result = await cache.load(await this.#surroundings.newFile(step.rows), { format: 'snapshot' })
        if (!result.ok && (result.error as { code?: unknown }).code !== 'ENGINE_UNAVAILABLE') throw result.error
        return [result.ok]
      }
      default:
        return [await cache.clear()]
    }
  }

  async askOther(call: OtherCall): Promise<unknown> {
    const cache = this.#cache as ClusterCache<number> // it runs
    switch (call.method) {
      case 'expire':
      case 'touch':
        return cache[call.method](call.key, call.ttlMs / 1_000)
      case 'persist':
      case 'take':
        return cache[call.method](call.key)
      case 'resize':
        return cache.resize({ maxSize: call.maxSize })
      case 'use':
        return cache.local.get(call.key)
      case 'compact':
      case 'cleanup':
        return cache[call.method]()
    }
  }

  load(key: string, loadMs: number, { ttlMs, staleMs, tags }: LoadedLife): Promise<number> {
    const cache = this.#cache as ClusterCache<number> // it runs
    const { observer } = this.#surroundings
    const loader = () =>
      new Promise<number>((resolve) => {
        const { epoch } = observer
        this.clock.setTimeout(() => resolve(this.#surroundings.newLoaded({ key, epoch })), loadMs)
      })
    const life = ttlMs === 0 ? {} : { ttl: ttlMs / 1_000, ...(staleMs > 0 && { stale: staleMs / 1_000 }) }
    return cache.getOrSet(key, loader, { ...life, tags })
  }

  /** Reads the changes after a sequence, as long as there are more. */
  readChanges(after: number): { reading: Reading; done: Promise<void> } {
    const items: Told[] = []
    const changes = (this.#cache as ClusterCache<number>).changesSince(after) // it runs
    const read = async () => {
      try {
        for await (const change of changes) {
          this.#surroundings.time.stir()
          if (this.state !== 'gone') items.push(change as Told)
        }
        reading.ended = 'closed'
      } catch (error) {
        this.#surroundings.time.stir()
        reading.ended = 'gone'
        throw error
      }
    }
    const reading: Reading = { node: this.id, after, items, ended: undefined }
    return { reading, done: read() }
  }

  /** What it shows now; undefined while it shows what may be taken back. */
  sample(): Sample | undefined {
    if (this.state !== 'running' || this.#cache === undefined || this.node === undefined) return undefined
    const { sequence, durableSequence } = this.#cache.local.stats().journal
    if (sequence !== durableSequence) return undefined
    const { local } = this.#cache
    const { cache, journal } = this.node
    const entries = new Map(local.entries())
    const tags = new Map([...entries.keys()].map((key) => [key, cache.entry(key)?.tags ?? []]))
    const evenStale = new Map(KEYS.map((key) => [key, local.get(key, { stale: true })]))
    const { position } = journal.applier
    const nowMs = this.clock.now()
    return { node: this.id, position, sequence, nowMs, latestMs: this.#latestMs, entries, tags, evenStale }
  }
}

/** 16 hexadecimal digits. */
function idOf(node: number, count: number): string {
  return `${node.toString(16).padStart(4, 'a')}${count.toString(16).padStart(12, '0')}`
}

function setOptions({ only, ttlMs, staleMs, tags }: Step & { do: 'set' }) {
  return {
    ...(only && { only }),
    ...(ttlMs !== undefined && { ttl: ttlMs / 1_000 }),
    ...(staleMs !== undefined && { stale: staleMs / 1_000 }),
    ...(tags && { tags }),
  }
}

function transacted(step: Step): object {
  const { do: type, ...rest } = step
  if (step.do === 'deleteTag' || step.do === 'expireTag') return { type, tags: [step.tag] }
  if (step.do !== 'set') return { type, ...rest }
  return { type, key: step.key, value: step.value, ...setOptions(step) }
}
