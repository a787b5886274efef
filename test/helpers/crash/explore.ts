/**
 * Tries the states that `crash-states.ts` enumerates: each is recovered by the real recovery, and the result is compared with the
 * ledger. Some of the recoveries are recorded in turn, cut short at every place, and recovered again.
 */
import type { Image, SimulatedDisk } from '../durable/simulated-disk.js'
import { Random } from '../random.js'
import { type CrashState, DiskHistory } from './crash-states.js'
import { Ledger, type Model } from './model.js'
import { type Outcome, recoverImage } from './recover-image.js'
import { UNCHANGED, type Wrap } from './stage.js'

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
          const found = this.#check(script, history.at, state, outcome, ledger)
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

  async #nest(script: string, outcome: Outcome, depth: number): Promise<void> {
    const isChanging = outcome.disk.log.length > 0
    if (!isChanging || this.#random.below(this.#options.nestedOneIn) > 0) return
    await this.explore(`${script} › recovery`, outcome.disk, outcome, depth + 1)
  }
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
