/**
 * Polls shared memory for some microseconds before going to sleep, because sleeping and waking up take longer than most waits.
 * If polling does not succeed nearly every time (the other thread is busy, or has no processor to itself), it soon stops and is
 * tried again only occasionally: polling in vain uses the processor time that the other thread needs.
 */
export class Patience {
  readonly #looks: number
  #confidence = CONFIDENCE_MAX
  #skipped = 0

  constructor(looks: number) {
    this.#looks = looks
  }

  /** Whether `isThere` became true during the poll. */
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
