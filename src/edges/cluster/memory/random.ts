/** A small generator (xorshift32): the same seed gives the same numbers. */
export class Random {
  #state: number

  constructor(seed: number) {
    // Neighbouring seeds must not begin alike.
    this.#state = Math.imul((seed | 0) ^ 0x9e3779b9, 0x85ebca6b) || 1
    for (let i = 0; i < 8; i++) this.below(1)
  }

  /** An integer: 0 ≤ n < limit. */
  below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.below(1_000_000) < probability * 1_000_000
  }
}
