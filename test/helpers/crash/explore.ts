/**
 * Tries the states that `crash-states.ts` enumerates: each is recovered by the real recovery, and the result is compared with the
 * ledger. Some of the recoveries are recorded in turn, cut short at every place, and recovered again.
 */
import type { Sequence } from '../../../src/core/model/sequence.js'
import { findJournalFiles } from '../../../src/durable/format/journal-files.js'
import { Past } from '../../../src/durable/history/past.js'
import { anchorsIn } from '../../../src/durable/snapshot/retention.js'
import type { Image, SimulatedDisk } from '../durable/simulated-disk.js'
import { Random } from '../random.js'
import { type CrashState, DiskHistory } from './crash-states.js'
import { Ledger, Model } from './model.js'
import { type Outcome, recoverImage } from './recover-image.js'
import { DIRECTORY, UNCHANGED, type Wrap } from './stage.js'

export interface Violation {
  script: string
  /** Operations before the power cut. */
  at: number
  what: string
  image: Image
}

export interface Options {
  statesPerPlace: number
  /** One of this many recoveries that change something is cut short in turn. */
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
    this.#wrap = options.wrap ?? UNCHANGED
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
          const found =
            this.#check(script, history.at, state, outcome, ledger) &&
            (await this.#checkPast(script, history.at, state, outcome, ledger))
          if (found && depth < 2) await this.#nest(script, outcome, depth)
          // The disk is not needed when the state is checked again at later places.
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

  /** Everything from the oldest sequence on can be looked back to, and what was promised is still there. */
  async #checkPast(script: string, at: number, state: CrashState, { disk, sequence }: Outcome, ledger: Ledger) {
    const storage = disk.process()
    const what = await whatIsWrongWithThePast(new Past(storage, DIRECTORY), sequence, ledger)
    storage.kill()
    if (what !== undefined) this.violations.push({ script, at, what, image: state.image })
    return what === undefined
  }

  async #nest(script: string, outcome: Outcome, depth: number): Promise<void> {
    const isChanging = outcome.disk.log.length > 0
    if (!isChanging || this.#random.below(this.#options.nestedOneIn) > 0) return
    await this.explore(`${script} › recovery`, outcome.disk, outcome, depth + 1)
  }
}

async function whatIsWrongWithThePast(past: Past, last: number, ledger: Ledger): Promise<string | undefined> {
  const oldest = anchorsIn(await findJournalFiles(past.storage, past.directory))[0]?.sequence ?? 0
  if (oldest > ledger.promised) return `the past begins with sequence ${oldest}, but ${ledger.promised} was promised`
  const sequences = [...ledger.states.keys()].filter((sequence) => sequence >= oldest && sequence <= last)
  for (const sequence of ledger.promised === Number.POSITIVE_INFINITY ? sequences.slice(0, 1) : sequences) {
    const model = new Model()
    try {
      await past.readAt(sequence as Sequence, model)
    } catch (error) {
      return `the state at sequence ${sequence} cannot be read: ${(error as Error).stack}`
    }
    const expected = ledger.states.get(sequence)?.digest
    if (model.digest() !== expected) return `sequence ${sequence} was ${model.digest()}, not ${expected}`
  }
  return undefined
}

/** Compares the result of a recovery with the ledger. */
export function whatIsWrong({ sequence, model, error }: Outcome, ledger: Ledger): string | undefined {
  if (error !== undefined) return `recovery failed: ${(error as Error).stack}`
  const expected = ledger.states.get(sequence)
  if (expected === undefined) return `sequence ${sequence} is not the end of a frame`
  if (model.digest() !== expected.digest)
    return `the state at sequence ${sequence} is ${model.digest()}, not ${expected.digest}`
  if (model.tally !== '' && !ledger.allows(sequence, model.tally))
    return `the counters at sequence ${sequence} are ${model.tally}, not one of ${[...expected.counters].join(' / ')}`
  if (sequence < ledger.required) return `sequence ${sequence}, but ${ledger.required} was durable`
  return undefined
}
