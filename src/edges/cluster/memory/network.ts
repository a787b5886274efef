/**
 * What lies between the nodes and the engine of a `MemoryLog`: messages from one place to another, in order, each delivered once.
 * With a seed they take time, and some are lost, doubled or stuck; all of it by the clock and by one sequence of random numbers.
 * Whatever may happen to a call (never done; done but unanswered; done after the caller gave up) is what happens to its messages.
 */
import type { Clock } from '../../../core/model/clock.js'
import { Place } from './place.js'
import { Random } from './random.js'

/** The name of the place where the engine is. No node may have it. */
export const ENGINE = 'engine'

export interface Message {
  readonly from: string
  readonly to: string
  /** `append`, `trim`, `request`, … and with the suffix ` answered` for the way back; `records` to a follower. */
  readonly what: string
}

/** `refuse`: the engine answers an append with a conflict. A number: arrives so many ms later, and others may overtake it. */
export type Fate = 'deliver' | 'lose' | 'double' | 'refuse' | number

/** The probability of each fault, for a message that it can happen to. */
export interface FaultRates {
  lost: number
  doubled: number
  /** Arrives up to twice {@link TIMEOUT_MS} later: often after the caller gave up. */
  stuck: number
  /** Holds up what is behind it on the same way, for up to a second. */
  slow: number
  refused: number
}

const SEEDED: FaultRates = { lost: 0.01, doubled: 0.01, stuck: 0.01, slow: 0.05, refused: 0.002 }

/** A caller gives up after this time. */
export const TIMEOUT_MS = 5_000
const RETRY_MS = 100

export class Network {
  rates: FaultRates
  /** Decides about a message in place of chance, unless it returns undefined. */
  judge: (message: Message) => Fate | undefined = () => undefined
  readonly #random: Random | undefined
  readonly #places = new Map<string, Place>()
  readonly #cuts = new Set<string>()
  /** What is under way, by direction. */
  readonly #ways = new Map<string, { queue: (() => void)[]; busyUntilMs: number }>()

  constructor(
    readonly clock: Clock,
    seed: number | undefined,
  ) {
    this.#random = seed === undefined ? undefined : new Random(seed)
    this.rates = seed === undefined ? { lost: 0, doubled: 0, stuck: 0, slow: 0, refused: 0 } : { ...SEEDED }
  }

  /** The present run of a node; a new one if there is none or it crashed. */
  place(node: string): Place {
    let place = this.#places.get(node)
    if (place === undefined) this.#places.set(node, (place = new Place(node)))
    return place
  }

  crash(node: string): void {
    this.#places.get(node)?.crash()
    this.#places.delete(node)
  }

  /** From now on no message passes between the two, in either direction. */
  cut(a: string, b: string): void {
    this.#cuts.add(directed(a, b)).add(directed(b, a))
  }

  heal(a: string, b: string): void {
    this.#cuts.delete(directed(a, b))
    this.#cuts.delete(directed(b, a))
  }

  healAll(): void {
    this.#cuts.clear()
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(directed(from, to))
  }

  /** `arrive` is called with whether it is the copy of a doubled message, and whether it is to be refused; or never. */
  send(message: Message, arrive: (how: { isCopy: boolean; isRefused: boolean }) => void): void {
    if (this.isCut(message.from, message.to)) return
    const fate = this.judge(message) ?? this.#chance(message)
    if (fate === 'lose') return
    if (typeof fate === 'number') {
      this.clock.setTimeout(() => arrive({ isCopy: false, isRefused: false }), fate)
      return
    }
    this.#queue(message, () => arrive({ isCopy: false, isRefused: fate === 'refuse' }))
    if (fate === 'double') this.#queue(message, () => arrive({ isCopy: true, isRefused: false }))
  }

  /** As {@link send}, but nothing is lost: it waits until the way is open again. For what a connection repeats. */
  sendSurely(message: Message, isWanted: () => boolean, arrive: () => void): void {
    if (!isWanted()) return
    if (this.isCut(message.from, message.to))
      this.clock.setTimeout(() => this.sendSurely(message, isWanted, arrive), RETRY_MS)
    else this.#queue(message, arrive)
  }

  #chance({ from, what }: Message): Fate {
    const random = this.#random
    if (random === undefined) return 'deliver'
    const { lost, stuck, doubled, refused } = this.rates
    if (random.chance(lost)) return 'lose'
    if (random.chance(stuck)) return random.below(2 * TIMEOUT_MS)
    if (from !== ENGINE && random.chance(doubled)) return 'double'
    return what === 'append' && random.chance(refused) ? 'refuse' : 'deliver'
  }

  #queue({ from, to, what }: Message, arrive: () => void): void {
    const random = this.#random
    if (random === undefined) {
      setImmediate(arrive) // in order
      return
    }
    // Records come on a connection of their own: before or after the answers to appends.
    const key = directed(from, what === 'records' ? `${to} (records)` : to)
    let way = this.#ways.get(key)
    if (way === undefined) this.#ways.set(key, (way = { queue: [], busyUntilMs: 0 }))
    const { queue } = way
    const nowMs = this.clock.now()
    const delayMs = random.chance(this.rates.slow) ? random.below(1_000) : 1 + random.below(4)
    way.busyUntilMs = Math.max(way.busyUntilMs, nowMs + delayMs)
    queue.push(arrive)
    // Whichever timer fires first delivers the oldest.
    this.clock.setTimeout(() => queue.shift()?.(), way.busyUntilMs - nowMs)
  }
}

function directed(from: string, to: string): string {
  return `${from} → ${to}`
}
