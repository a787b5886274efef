/** Long work in slices: generators that yield when the event loop should turn. */

/** Short against what anybody would notice, long against a look at the clock. */
const SLICE_MS = 3

/** Short steps between two looks at the clock. */
const LOOK_STEPS = 128

export class Slice {
  #steps = 0
  #endsAtMs = performance.now() + SLICE_MS
  readonly #lookSteps: number

  constructor(lookSteps = LOOK_STEPS) {
    this.#lookSteps = lookSteps
  }

  /** To be asked after every step. */
  isOver(): boolean {
    return ++this.#steps % this.#lookSteps === 0 && performance.now() >= this.#endsAtMs
  }

  /** The next slice begins. */
  begin(): void {
    this.#endsAtMs = performance.now() + SLICE_MS
  }
}

/** All slices, one after the other: for who can wait. */
export function atOnce<T>(work: Generator<unknown, T, void>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}
