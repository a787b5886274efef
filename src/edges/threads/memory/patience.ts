/**
 * Looks at shared memory for some microseconds before going to sleep: a sleep and a wake-up cost more than most waits. Where
 * that does not help nearly every time (the other thread is busy, or has no processor to itself) it soon stops, and tries again
 * only now and then: looking in vain takes the very time that the other side needs.
 */
export class Patience {
  readonly #looks: number
  #confidence = CONFIDENCE_MAX
  #skipped = 0

  constructor(looks: number) {
    this.#looks = looks
  }

  /** Whether `isThere` became true while looking. */
  await(isThere: () => boolean): boolean {
    if (this.#confidence <= 0 && ++this.#skipped % TRY_AGAIN_EVERY !== 0) return false
    for (let look = 0; look < this.#looks; look++) {
      if (isThere()) {
        this.#confidence = Math.min(CONFIDENCE_MAX, this.#confidence + 1)
        return true
      }
    }
    this.#confidence = Math.max(0, this.#confidence - LOST_BY_FAILURE)
    return false
  }
}

const CONFIDENCE_MAX = 16
const LOST_BY_FAILURE = 4
const TRY_AGAIN_EVERY = 64
