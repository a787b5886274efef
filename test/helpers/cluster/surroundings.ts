/** What all nodes of a simulation share: time, the log with its network, and a broken part if there is one. */
import type { Cache } from '../../../src/cache/cache.js'
import { Counters } from '../../../src/core/model/counters.js'
import { MemoryStorage } from '../../../src/durable/storage/memory.js'
import type { Storage } from '../../../src/durable/storage/storage.js'
import type { MemoryLogEngine } from '../../../src/edges/cluster/memory/engine.js'
import type { Fate, Message } from '../../../src/edges/cluster/memory/network.js'
import { writeSave } from '../../../src/files/save.js'
import type { CacheOptions } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { memoryLog } from '../../../src/testing.js'
import { Random } from '../random.js'
import type { LoadedValue } from './checkers/history.js'
import { LogObserver } from './log-observer.js'
import type { MessageFault, Script } from './script.js'
import { SimulatedTime } from './simulated-time.js'

/** Breaks one rule of the protocol. */
export interface Mutant {
  readonly name: string
  /** Where to look first. Default 1. */
  readonly firstSeed?: number
  /** Changes the engine, or parts of it. */
  engine?(engine: MemoryLogEngine, name: string): MemoryLogEngine
  /** Opens the cache of a node. */
  open?(options: CacheOptions, around: { storage: Storage }): Promise<Cache>
  /** Changes the code itself. Returns the function that undoes it. */
  sabotage?(): () => void
}

/** Messages that a fault can happen to, by what they are, and whose. */
interface Armed {
  readonly node: string
  readonly what: string
  readonly fault: MessageFault
  readonly byMs: number | undefined
}

export class Surroundings {
  readonly name = 'simulated'
  readonly time = new SimulatedTime()
  readonly script: Script
  readonly engine: MemoryLogEngine
  readonly observer: LogObserver
  /** Opens the cache of a node. */
  readonly open: (options: CacheOptions) => Promise<Cache>
  /** The files that nodes load. */
  readonly #storage = new MemoryStorage()
  readonly #random: Random
  readonly #armed: Armed[] = []
  /** How many messages of each kind were sent, by `node kind`. */
  readonly sent = new Map<string, number>()
  /** The values that loaders have returned. */
  readonly loaded = new Map<number, LoadedValue>()
  #files = 0

  constructor(script: Script, mutant?: Mutant) {
    this.script = script
    this.#random = new Random(script.seed)
    const engine = memoryLog({ seed: script.seed, clock: this.time })
    this.observer = new LogObserver(engine, this.name)
    const { network } = engine.control
    if (script.bodyBytesMax !== undefined) engine.control.bodyBytesMax = script.bodyBytesMax
    network.rates = { ...network.rates, ...script.rates }
    network.judge = (message) => this.#judge(message)
    this.engine = mutant?.engine?.(engine, this.name) ?? engine
    this.open = (options) => (mutant?.open ?? openWithin)(options, { storage: this.#storage })
  }

  /** Something that no call has set. */
  newLoaded(loaded: LoadedValue): number {
    const value = -this.loaded.size - 1
    this.loaded.set(value, loaded)
    return value
  }

  /** Resolves with the path of a file with these rows. */
  async newFile(rows: Readonly<Record<string, number>>): Promise<string> {
    const path = `/file ${++this.#files}`
    const entries = Object.entries(rows).map(([key, value]) => ({ key, value, expiresAtMs: Number.POSITIVE_INFINITY }))
    const source = {
      count: entries.length,
      counters: new Counters(),
      read: () => entries.shift(),
      release: () => undefined,
    }
    await writeSave({ storage: this.#storage, path, format: 'snapshot', source, nowMs: 0 })
    return path
  }

  /** Happens to the node's next message of this kind. */
  arm(node: string, what: string, fault: MessageFault, byMs?: number): void {
    this.#armed.push({ node, what, fault, byMs })
  }

  calm(): void {
    this.#armed.length = 0
    this.engine.control.calm()
  }

  #judge({ from, to, what }: Message): Fate | undefined {
    const kind = `${from} ${what}`
    this.sent.set(kind, (this.sent.get(kind) ?? 0) + 1)
    const at = this.#armed.findIndex(({ node, what: armed, fault }) =>
      fault.includes('answered') ? to === node && what === `${armed} answered` : from === node && what === armed,
    )
    const [armed] = at < 0 ? [] : this.#armed.splice(at, 1)
    switch (armed?.fault) {
      case undefined:
        return undefined
      case 'lost':
      case 'unanswered':
        return 'lose'
      case 'doubled':
        return 'double'
      case 'late':
      case 'answered late':
        return armed?.byMs ?? this.#random.below(8_000)
      case 'refused':
        return 'refuse'
    }
  }
}
