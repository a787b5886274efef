/** The objects that a walk has met, and their copies, so that a part that occurs twice is copied once. */

/** Beyond this many parts, a Map finds those that were met before. */
const LISTED_MAX = 16
/** Room for more is not kept for the next value. */
const KEPT_MAX = 1_000

/** A part's place in the order in which they were met. */
export type Place = number

export class MetParts {
  readonly #originals: (object | undefined)[] = []
  /** There is none of what was only written. */
  readonly #copies: (object | undefined)[] = []
  /** How many these are. The arrays are longer: so V8 need not make room again for each value. */
  count = 0
  #places: Map<object, Place> | undefined

  find(source: object): Place | undefined {
    if (this.#places !== undefined) return this.#places.get(source)
    for (let place = 0; place < this.count; place++) if (this.#originals[place] === source) return place
    return undefined
  }

  copyAt(place: Place): object {
    return this.#copies[place] as object // there is one, or it is not asked for
  }

  add(source: object): Place {
    const place = this.count++
    this.#originals[place] = source
    if (this.#places !== undefined) this.#places.set(source, place)
    else if (place === LISTED_MAX)
      this.#places = new Map(this.#originals.slice(0, this.count).map((one, at) => [one as object, at]))
    return place
  }

  setCopy(place: Place, copy: object): void {
    this.#copies[place] = copy
  }

  /** Forgets the parts that were met after the first `count`. */
  forget(count: number): void {
    if (count < LISTED_MAX) this.#places = undefined
    for (let place = count; place < this.count; place++) {
      this.#places?.delete(this.#originals[place] as object)
      this.#originals[place] = undefined
      if (this.#copies[place] !== undefined) this.#copies[place] = undefined
    }
    this.count = count
    if (this.#originals.length > KEPT_MAX) this.#originals.length = this.#copies.length = count
  }
}
