/** Keys and values like those of real programs, and the order in which they are read. Seeded, so the same in every run. */
import { OBJECT_MAKERS, ROWS_PER_ARRAY } from './objects.mjs'
import { text } from './text.mjs'

export const keyOf = (number) => `user:${number}`

/** Keys of entries. Calling it again returns equal strings that are different objects, as in a program. */
export function keysOf(count, first = 0) {
  return Array.from({ length: count }, (_, index) => keyOf(first + index))
}

/** mulberry32: small, fast, and good enough for choosing keys. */
export function randomFrom(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0
    let bits = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Which of `count` entries each of `length` calls is about: their numbers. From `count` on they are never set. */
export function draws(length, count, { access = 'uniform', hits = 1 } = {}) {
  const random = randomFrom(length + count)
  const draw = access === 'zipf' ? zipf(count, random) : () => Math.floor(random() * count)
  return Array.from({ length }, () => (hits === 1 || random() < hits ? draw() : count + draw()))
}

/**
 * The keys of `length` calls.
 * @param access `'uniform'`, or `'zipf'`: the k-th most popular key is read in proportion to 1 / k.
 * @param hits The share of calls for one of the `count` keys; the others are for keys that are never set.
 */
export function accesses(length, count, options) {
  const keys = keysOf(count)
  return draws(length, count, options).map((number) => keys[number] ?? keyOf(number))
}

function zipf(count, random) {
  const cumulated = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) cumulated[rank] = sum += 1 / (rank + 1)
  // Popularity is independent of the order in which keys were set.
  const byRank = new Uint32Array(count).map((_, index) => index)
  for (let index = count - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    ;[byRank[index], byRank[other]] = [byRank[other], byRank[index]]
  }
  return () => {
    const wanted = random() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulated[middle] < wanted) low = middle + 1
      else high = middle
    }
    return byRank[low]
  }
}

/** One string that all entries share, as with a status or a name of a type. */
export const SHARED_TEXT = '40-byte text, shared'
const SHARED = text(40, randomFrom(40))

/** By kind: creates the `index`-th value. No two are equal, except of {@link SHARED_TEXT}. */
const MAKERS = {
  'small int': (index) => index & 0x3fffffff,
  '40-byte text': (_, random) => text(40, random),
  [SHARED_TEXT]: () => SHARED,
  '4 KB bytes': (index, random) => {
    const bytes = new Uint8Array(4096)
    for (let place = 0; place < bytes.length; place += 8) bytes[place] = random() * 256
    bytes[0] = index
    return bytes
  },
  ...OBJECT_MAKERS,
}

export const KINDS = Object.keys(MAKERS)

/** How many values of this kind stand for `count` small ones, so that a round does not take minutes. */
export function fewer(kind, count) {
  if (kind.startsWith(`${ROWS_PER_ARRAY} ×`)) return Math.ceil(count / 250)
  if (kind in OBJECT_MAKERS) return Math.ceil(count / 5)
  return kind === '4 KB bytes' ? Math.ceil(count / 20) : count
}

export function valuesOf(kind, count, first = 0) {
  const random = randomFrom(count + first)
  return Array.from({ length: count }, (_, index) => MAKERS[kind](first + index, random))
}
