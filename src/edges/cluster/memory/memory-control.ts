/** What the nodes of a `MemoryLog` share, by the cluster's name, and what a test may do to them. */
import type { Clock } from '../../../core/model/clock.js'
import type { Servers } from './memory-wire.js'
import { ENGINE, Network } from './network.js'
import { Records } from './records.js'

export class MemoryControl {
  /** `judge` decides about single messages, and `rates` says how often chance does what. */
  readonly network: Network
  /** That of every log. */
  bodyBytesMax = 1024 * 1024
  readonly #shared = new Map<string, { records: Records; servers: Servers }>()
  readonly #skewsMs = new Map<string, number>()

  constructor(clock: Clock, seed: number | undefined) {
    this.network = new Network(clock, seed)
  }

  /** What is behind the logs of this name, without any delay. */
  shared(name: string): { records: Records; servers: Servers } {
    let shared = this.#shared.get(name)
    if (shared === undefined) this.#shared.set(name, (shared = { records: new Records(), servers: new Map() }))
    return shared
  }

  /** As SIGKILL does: nothing happens in the node any more. The next log that is made for it is that of a new process. */
  crash(node: string): void {
    this.network.crash(node)
  }

  /** As SIGSTOP does: what should happen in the node waits until {@link MemoryControl.resume}. */
  pause(node: string): void {
    this.network.place(node).pause()
  }

  resume(node: string): void {
    this.network.place(node).resume()
  }

  /** No message passes any more between the node and the engine, or another node. What is under way arrives. */
  cut(node: string, other: string = ENGINE): void {
    this.network.cut(node, other)
  }

  heal(node: string, other: string = ENGINE): void {
    this.network.heal(node, other)
  }

  /** The clock to open a node with: its timers wait while it is paused and end when it crashes. Made anew after a crash. */
  clock(node: string): Clock {
    return this.network.place(node).clock(this.network.clock, () => this.#skewsMs.get(node) ?? 0)
  }

  /** From now on the node's clock is ahead by so much, or behind. */
  skew(node: string, ms: number): void {
    this.#skewsMs.set(node, ms)
  }

  /** No fault happens from now on; what was cut is healed. */
  calm(): void {
    this.network.rates = { lost: 0, doubled: 0, stuck: 0, slow: 0, refused: 0 }
    this.network.judge = () => undefined
    this.network.healAll()
  }

  /** Damages the object: its reader throws, at the end. */
  damageObject(name: string, object: string): void {
    const stored = this.shared(name).records.objects.get(object)
    if (stored === undefined) throw new Error(`There is no object ${object}.`)
    stored.bytes[stored.bytes.length >> 1]! ^= 1
    stored.isDamaged = true
  }
}
