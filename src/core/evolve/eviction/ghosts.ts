/**
 * The keys that were evicted last, as fingerprints of 32 bits: a hash table in which a key can be at one of four places. How long
 * ago a key was evicted is counted in evictions, so nothing has to be removed: what is too old is no ghost any more, and is
 * overwritten.
 *
 * The table takes 16 bytes for each entry that the columns have room for, whatever the keys are. A key of another fingerprint can
 * push an old one out before its time, and one key in thousands is mistaken for another. Both only cost a hit or two.
 */
export class Ghosts {
  /** For each place a fingerprint, 0 if it is empty, and the number of its eviction. */
  #table: Uint32Array
  /** How many keys were ever added, modulo 2^32. */
  #added = 0

  /** @param capacity A power of two: for this many entries there are twice as many places. */
  constructor(capacity: number) {
    this.#table = new Uint32Array(4 * capacity)
  }

  /** Forgets all ghosts. */
  grow(capacity: number): void {
    this.#table = new Uint32Array(4 * capacity)
    this.#added = 0
  }

  add(key: string): void {
    const table = this.#table
    const added = this.#added
    const fingerprint = fingerprintOf(key)
    const first = this.#firstPlace(fingerprint)
    let place = first
    let oldest = -1
    for (let at = first; at < first + BUCKET; at += PLACE) {
      const there = table[at] as number
      const age = there === EMPTY || there === fingerprint ? 2 ** 32 : (added - (table[at + 1] as number)) >>> 0
      if (age <= oldest) continue
      oldest = age
      place = at
    }
    table[place] = fingerprint
    table[place + 1] = added
    this.#added = (added + 1) >>> 0
  }

  /** Whether a key is one of the last `count` that were added. Then it is no ghost any more. */
  take(key: string, count: number): boolean {
    if (this.#added === 0) return false
    const table = this.#table
    const fingerprint = fingerprintOf(key)
    const first = this.#firstPlace(fingerprint)
    for (let at = first; at < first + BUCKET; at += PLACE) {
      if (table[at] !== fingerprint) continue
      table[at] = EMPTY
      return (this.#added - (table[at + 1] as number)) >>> 0 <= count
    }
    return false
  }

  #firstPlace(fingerprint: number): number {
    return (fingerprint & (this.#table.length / BUCKET - 1)) * BUCKET // the length is a power of two
  }
}

/** FNV-1a, mixed as MurmurHash3 does at the end so that the low bits depend on all characters. Never {@link EMPTY}. */
function fingerprintOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = (hash ^ (hash >>> 16)) >>> 0
  return hash === EMPTY ? 1 : hash
}

const EMPTY = 0
/** Elements of the table for one key, and for the places that one key can be at. */
const PLACE = 2
const BUCKET = 4 * PLACE
