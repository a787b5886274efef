/** Long work in slices: generators that yield when the event loop should run. */

/** Too short to be noticed, but long compared with reading the clock. */
const SLICE_MS = 3

/** Short steps between two readings of the clock. */
const CLOCK_STEPS = 128

export class Slice {
  #steps = 0
  #endsAtMs = performance.now() + SLICE_MS
  readonly #clockSteps: number

  constructor(clockSteps = CLOCK_STEPS) {
    this.#clockSteps = clockSteps
  }

  /** To be called after every step. */
  isOver(): boolean {
    return ++this.#steps % this.#clockSteps === 0 && performance.now() >= this.#endsAtMs
  }

  /** Begins the next slice. */
  begin(): void {
    this.#endsAtMs = performance.now() + SLICE_MS
  }
}

/** Runs all slices without a pause. */
export function atOnce<T>(work: Generator<unknown, T, void>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}
