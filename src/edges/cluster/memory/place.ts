/**
 * One run of a node, as the network of a `MemoryLog` sees it. Everything that happens in the node passes through it, so that a
 * crashed node does nothing any more, and a paused one does it when it goes on, as a process does after SIGSTOP and SIGCONT.
 */
import type { Clock } from '../../../core/model/clock.js'

export class Place {
  #state: 'running' | 'paused' | 'crashed' = 'running'
  #held: (() => void)[] = []

  constructor(readonly name: string) {}

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  get hasCrashed(): boolean {
    return this.#state === 'crashed'
  }

  run(what: () => void): void {
    if (this.#state === 'running') what()
    else if (this.#state === 'paused') this.#held.push(what)
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    const held = this.#held
    this.#held = []
    for (const what of held) this.run(what) // one of them may pause it again
  }

  crash(): void {
    this.#state = 'crashed'
    this.#held = []
  }

  /** The node's own clock: it may be wrong by so much, and its timers stop with the node. */
  clock(clock: Clock, skewMs: () => number): Clock {
    return {
      now: () => clock.now() + skewMs(),
      setTimeout: (callback, delayMs, keepsAlive) => {
        const timer = { isCleared: false, timeout: undefined as unknown }
        const fire = () => {
          if (!timer.isCleared) callback()
        }
        timer.timeout = clock.setTimeout(() => this.run(fire), delayMs, keepsAlive)
        return timer
      },
      clearTimeout: (timer) => {
        if (timer === undefined) return
        const ours = timer as { isCleared: boolean; timeout: unknown }
        ours.isCleared = true
        clock.clearTimeout(ours.timeout)
      },
    }
  }
}
