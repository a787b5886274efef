/** A small, fast generator (xorshift32) with a seed, so that a failure can be repeated. */
export class Random {
  #state: number
  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }
  below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }
}
