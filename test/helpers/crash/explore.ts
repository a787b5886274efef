/**
 * Tries the states that `crash-states.ts` enumerates: each is recovered by the real recovery, and what comes out is held
 * against the ledger. Some of the recoveries are recorded in their turn, cut short at every place, and recovered again.
 */

import { Counters } from '../../../src/core/model/counters.js'
import type { RecoveryReport } from '../../../src/durable/contract.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import type { Storage } from '../../../src/durable/storage/storage.js'
import type { Cache } from '../../../src/index.js'
import { openCache } from '../../../src/open.js'
import { ManualClock } from '../../../src/testing.js'
import { type Image, SimulatedDisk } from '../durable/simulated-disk.js'
import { type CrashState, DiskHistory, Random } from './crash-states.js'
import { Ledger, Model } from './model.js'

export const DIRECTORY = '/j'
export const JOURNAL_ID = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

/** A storage around a process's own: a broken protocol (`broken-protocols.ts`), or none. */
export type Wrap = (storage: Storage) => Storage

export interface Outcome {
  sequence: number
  report: RecoveryReport | undefined
  model: Model
  disk: SimulatedDisk
  error: unknown
}

/** Recovers a copy of an image. */
export async function recoverImage(image: Image, wrap: Wrap): Promise<Outcome> {
  const disk = SimulatedDisk.of(image)
  const process = disk.process()
  const journal = new FileJournal(wrap(process), DIRECTORY, () => JOURNAL_ID)
  const model = new Model()
  const session = {
    fsync: 'never' as const,
    clock: new ManualClock(),
    compaction: false as const,
    counters: new Counters(),
    receiver: model,
  }
  try {
    const report = await journal.open(session)
    process.kill()
    await journal.close([]).catch(() => undefined) // of a dead process: nothing but the memory is given back
    return { sequence: report.sequence, report, model, disk, error: undefined }
  } catch (error) {
    return { sequence: -1, report: undefined, model, disk, error }
  }
}

export interface Violation {
  script: string
  /** Operations done when the power went. */
  at: number
  what: string
  image: Image
}

export interface Options {
  statesPerPlace: number
  /** One in so many recoveries that changed something is cut short itself. */
  nestedOneIn: number
  nestedStatesPerPlace: number
  seed: number
  wrap?: Wrap
  /** Stops at the first violation. */
  isImpatient?: boolean
}

export class Exploration {
  states = 0
  recoveries = 0
  nestedStates = 0
  nestedRecoveries = 0
  readonly violations: Violation[] = []
  readonly #options: Options
  readonly #random: Random
  readonly #wrap: Wrap

  constructor(options: Options) {
    this.#options = options
    this.#random = new Random(options.seed)
    this.#wrap = options.wrap ?? ((storage) => storage)
  }

  get isOver(): boolean {
    return this.#options.isImpatient === true && this.violations.length > 0
  }

  async explore(
    script: string,
    disk: SimulatedDisk,
    base?: { sequence: number; model: Model },
    depth = 0,
  ): Promise<Ledger> {
    const { statesPerPlace, nestedStatesPerPlace } = this.#options
    const limit = depth === 0 ? statesPerPlace : nestedStatesPerPlace
    const history = new DiskHistory(disk)
    const ledger = new Ledger(disk, base)
    const seen = new Map<string, Outcome>()
    for (;;) {
      for (const state of history.statesAt(limit, this.#random)) {
        let outcome = seen.get(state.key)
        if (outcome === undefined) {
          outcome = await recoverImage(state.image, this.#wrap)
          seen.set(state.key, outcome)
          if (depth === 0) this.recoveries++
          else this.nestedRecoveries++
          const found = this.#check(script, history.at, state, outcome, ledger)
          if (found && depth < 2) await this.#nest(script, outcome, depth)
          // Only what is checked again at later places is kept.
          outcome.disk = undefined as never
        } else this.#check(script, history.at, state, outcome, ledger)
        if (depth === 0) this.states++
        else this.nestedStates++
        if (this.isOver) return ledger
      }
      if (history.isAtEnd) return ledger
      ledger.take(history.step(), history)
    }
  }

  #check(script: string, at: number, state: CrashState, outcome: Outcome, ledger: Ledger): boolean {
    const what = whatIsWrong(outcome, ledger)
    if (what !== undefined) this.violations.push({ script, at, what, image: state.image })
    return what === undefined
  }

  async #nest(script: string, outcome: Outcome, depth: number): Promise<void> {
    const isChanging = outcome.disk.log.length > 0
    if (!isChanging || this.#random.below(this.#options.nestedOneIn) > 0) return
    await this.explore(`${script} › recovery`, outcome.disk, outcome, depth + 1)
  }
}

/** Holds what recovery came to against what it may come to. */
export function whatIsWrong({ sequence, model, error }: Outcome, ledger: Ledger): string | undefined {
  if (error !== undefined) return `recovery failed: ${(error as Error).stack}`
  const expected = ledger.states.get(sequence)
  if (expected === undefined) return `sequence ${sequence} is not the end of a frame`
  if (model.digest() !== expected.digest)
    return `the state at sequence ${sequence} is ${model.digest()}, not ${expected.digest}`
  if (model.told !== '' && !ledger.allows(sequence, model.told))
    return `the counters at sequence ${sequence} are ${model.told}, not one of ${[...expected.counters].join(' / ')}`
  if (sequence < ledger.required) return `sequence ${sequence}, but ${ledger.required} was durable`
  return undefined
}

/** What a script has: a disk, and caches on it that are opened, used, killed and closed. */
export class Stage {
  readonly disk: SimulatedDisk
  readonly clock = new ManualClock()
  readonly #wrap: Wrap
  kill: () => void = () => undefined

  readonly #journalId: Buffer

  constructor(disk: SimulatedDisk, wrap: Wrap, journalId: Buffer = JOURNAL_ID) {
    this.disk = disk
    this.#wrap = wrap
    this.#journalId = journalId
  }

  async open(options: Parameters<typeof openCache>[0] = {}): Promise<Cache> {
    const { cache } = await this.openBoth(options)
    return cache
  }

  async openBoth(options: Parameters<typeof openCache>[0] = {}): Promise<{ cache: Cache; journal: FileJournal }> {
    const process = this.disk.process()
    this.kill = () => process.kill()
    const journal = new FileJournal(this.#wrap(process), DIRECTORY, () => this.#journalId)
    const cache = await openCache({ cleanupInterval: 0, compaction: false, ...options, clock: this.clock, journal })
    return { cache, journal }
  }

  /** Waits for durability; what is durable then must never be lost. */
  async flush(cache: Cache): Promise<void> {
    this.acknowledge(await cache.flush())
  }

  acknowledge(sequence: number): void {
    this.disk.note({ acknowledged: sequence })
  }

  turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }
}
