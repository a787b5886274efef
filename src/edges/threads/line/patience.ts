/**
 * Polls shared memory for some microseconds before going to sleep, because sleeping and waking up take longer than most waits.
 * If polling does not succeed nearly every time (the other thread is busy, or has no processor to itself), it soon stops and is
 * tried again only occasionally: polling in vain uses the processor time that the other thread needs.
 *
 * The two ends of a line wait for each other, and a thread that sleeps takes longer to wake than the other one polls. So once both
 * had stopped, they would find each other again only if both happened to try at the same moment. Therefore the client leads: it says in
 * shared memory what it will do at its next wait, and an owner whose client tries again tries, too. Such a poll is long enough for an
 * owner that has to be woken first.
 */
export class Patience {
  readonly #looks: number
  #confidence = CONFIDENCE_MAX
  /** Waits without polling that are left. */
  #skips = 0
  /** As many follow when it next gives up. */
  #skipsAfterFailure = SKIPS_MIN
  /** What the next wait does. */
  next: Attempt = BRIEFLY

  /** @param looks How often a brief poll looks. */
  constructor(looks: number) {
    this.#looks = looks
  }

  /** Whether `isThere` became true during the poll. */
  await(isThere: () => boolean, attempt: Attempt = this.next): boolean {
    if (attempt === NOT_AT_ALL) {
      if (--this.#skips <= 0) this.next = LONG
      return false
    }
    const looks = attempt === LONG ? LONG_FACTOR * this.#looks : this.#looks
    for (let look = 0; look < looks; look++) {
      if (isThere()) {
        this.#gain()
        return true
      }
    }
    this.#lose(attempt)
    return false
  }

  /** The same of an owner. @param client What the client does at its next wait. */
  awaitClient(isThere: () => boolean, client: number): boolean {
    // A client that sleeps would be too late anyway.
    return client !== NOT_AT_ALL && this.await(isThere, client === LONG ? LONG : this.next)
  }

  #gain(): void {
    this.#confidence = Math.min(CONFIDENCE_MAX, this.#confidence + 1)
    this.#skipsAfterFailure = SKIPS_MIN
    this.next = BRIEFLY
  }

  #lose(attempt: Attempt): void {
    this.#confidence = Math.max(0, this.#confidence - LOST_BY_FAILURE)
    if (this.#confidence > 0) return
    this.next = NOT_AT_ALL
    this.#skips = this.#skipsAfterFailure
    if (attempt === LONG) this.#skipsAfterFailure = Math.min(SKIPS_MAX, 2 * this.#skipsAfterFailure)
  }
}

export const NOT_AT_ALL = 0
export const BRIEFLY = 1
export const LONG = 2
type Attempt = typeof NOT_AT_ALL | typeof BRIEFLY | typeof LONG

const CONFIDENCE_MAX = 16
const LOST_BY_FAILURE = 4
/** It takes about as long as waking a thread whose processor sleeps: up to 100 µs. */
const LONG_FACTOR = 16
/** They double as attempts go on failing, as they do while both threads have to share a processor. */
const SKIPS_MIN = 8
const SKIPS_MAX = 512
