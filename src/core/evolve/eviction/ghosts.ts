/**
 * The keys that were evicted last, as fingerprints: a hash table in which a key can be at one of four places. How long ago a key was
 * evicted is counted in evictions, so nothing has to be removed: a key that is too old is no longer a ghost, and is overwritten.
 *
 * A place is 32 bits: the upper half of the key's hash, and when it was evicted, which is counted in steps of a 2^15th of the places.
 * With a million entries each access misses the CPU's caches. Nothing waits for one, if no branch depends on what it reads: {@link add}
 * only writes, and what {@link take} reads is hardly ever what it looks for, as the processor soon predicts.
 *
 * The table takes 8.6 bytes for each entry that the columns have room for, however long the keys are. A key with another fingerprint can
 * push an old one out before its time, and one key in thousands is mistaken for another. Both only cost a hit or two.
 */
export class Ghosts {
  /** {@link EMPTY}, or the fingerprint in the upper half and the step of its eviction in the lower half. */
  #table: Uint32Array
  /** For each four places, which of them the next key takes: in turn, so that the oldest is overwritten. Small enough for the CPU's caches. */
  #next: Uint8Array
  /** How many keys were ever added, modulo 2^32. */
  #added = 0
  /** Evictions in a step, as a power of two. */
  #stepBits: number

  /** @param capacity For this many entries there are at least twice as many places: a power of two. */
  constructor(capacity: number) {
    const places = placesFor(capacity)
    this.#table = new Uint32Array(places)
    this.#next = new Uint8Array(places / BUCKET)
    this.#stepBits = stepBitsOf(places)
  }

  /** Forgets all ghosts. */
  grow(capacity: number): void {
    const places = placesFor(capacity)
    this.#table = new Uint32Array(places)
    this.#next = new Uint8Array(places / BUCKET)
    this.#stepBits = stepBitsOf(places)
    this.#added = 0
  }

  get isEmpty(): boolean {
    return this.#added === 0
  }

  /** @param hash Of a key: {@link hashOf}. */
  add(hash: number): void {
    const bucket = this.#bucketOf(hash)
    const place = this.#next[bucket] as number
    this.#next[bucket] = (place + 1) % BUCKET
    this.#table[bucket * BUCKET + place] = (hash & FINGERPRINT) | this.#step
    this.#added = (this.#added + 1) >>> 0
  }

  /** Whether a key is one of the last `count` that were added, give or take a step. It is removed. */
  take(hash: number, count: number): boolean {
    const first = this.#bucketOf(hash) * BUCKET
    for (let at = first; at < first + BUCKET; at++) if (this.#isAt(at, hash)) return this.#takeFrom(first, hash, count)
    return false
  }

  /** Apart, because most keys are no ghosts, and a small {@link take} is compiled into its caller. */
  #takeFrom(first: number, hash: number, count: number): boolean {
    const steps = (count + (1 << this.#stepBits) - 1) >>> this.#stepBits // rounded up
    let isGhost = false
    for (let at = first; at < first + BUCKET; at++) {
      if (!this.#isAt(at, hash)) continue
      isGhost ||= ((this.#step - (this.#table[at] as number)) & (STEPS - 1)) <= steps
      this.#table[at] = EMPTY
    }
    return isGhost
  }

  #isAt(place: number, hash: number): boolean {
    return (((this.#table[place] as number) ^ hash) & FINGERPRINT) === 0
  }

  /** Now. */
  get #step(): number {
    return (this.#added >>> this.#stepBits) & (STEPS - 1)
  }

  #bucketOf(hash: number): number {
    return hash & (this.#next.length - 1) // a power of two
  }
}

function placesFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(2 * capacity))
}

/** As many evictions as there are places are half of {@link STEPS}, so that a key is long overwritten before it could seem new again. */
function stepBitsOf(places: number): number {
  return Math.max(0, Math.log2(places) - 15)
}

/** FNV-1a, mixed as MurmurHash3 does at the end so that all bits depend on all characters. The upper half is never 0. */
export function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  hash = (hash ^ (hash >>> 16)) >>> 0
  return hash < 0x10000 ? hash | 0x10000 : hash
}

const EMPTY = 0
/** The upper half of a hash, and of a place. */
const FINGERPRINT = 0xffff0000
/** What the lower half of a place can count. */
const STEPS = 0x10000
/** The places that one key can be at. */
const BUCKET = 4
