/**
 * The order of use as ranks: for each entry, least recently used first, which one it is in the order of births. A clean close
 * writes it if reads have changed it; recovery notes where it was written, and restores only the last one, at the end.
 */
import type { Slot } from '../model/state.js'
import type { Entries } from './entries.js'
import { MARK } from './eviction/order.js'
import type { State } from './state.js'

/** In slices: each `yield` is a place where a caller may pause. */
export type Slices<T = void> = Generator<undefined, T, undefined>

/** Steps between two of them: a fraction of a millisecond. */
const SLICE_STEPS = 16_384

/** Without a pause. */
export function atOnce<T>(slices: Slices<T>): T {
  for (;;) {
    const { done, value } = slices.next()
    if (done === true) return value
  }
}

export function ranksByUse({ entries }: State): Uint32Array {
  const places = new Float64Array(entries.size)
  const cursor = entries.order.cursor()
  for (let at = 0; at < places.length; at++) places[at] = entries.births.placeOf(cursor.next() as Slot) // there are that many
  const ranks = new Uint32Array(places.length)
  let rank = 0
  for (const at of atOnce(inOrder(places))) ranks[at] = rank++
  return ranks
}

/**
 * Restores an order that was written at {@link Entries.markUse}. Entries used since then come after all others, as they are.
 * @param ranksOf Returns the ranks of this many entries, or `undefined` if they are not that many: then nothing changes.
 */
export function* restoreUse(entries: Entries, ranksOf: (count: number) => Uint32Array | undefined): Slices {
  const mark = entries.takeMark()
  if (mark === undefined) return
  const { order, births } = entries
  const old = new Uint32Array(entries.size)
  let count = 0
  const isUsed = new Uint8Array(order.capacity)
  const cursor = order.cursor()
  let hasPassed = false
  let step = 0
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
    if (slot === MARK) hasPassed = true
    else {
      if (births.get(slot) <= mark.born) old[count++] = slot
      if (hasPassed) isUsed[slot] = 1
    }
    if (++step % SLICE_STEPS === 0) yield
  }
  const ranks = ranksOf(count + mark.gone.length)
  yield
  if (ranks !== undefined) {
    const places = new Float64Array(ranks.length)
    for (let at = 0; at < count; at++) {
      places[at] = births.get(old[at] as Slot)
      if (at % SLICE_STEPS === 0) yield
    }
    places.set(mark.gone, count)
    const byBirth = yield* inOrder(places)
    for (let at = 0; at < ranks.length; at++) {
      const index = byBirth[ranks[at] as number] as number
      const slot = old[index] as Slot
      if (index < count && isUsed[slot] === 0) order.moveBefore(MARK, slot) // others are gone
      if (at % SLICE_STEPS === 0) yield
    }
  }
  order.unlink(MARK)
}

/** The indices of different numbers, in ascending order of the numbers. */
function* inOrder(numbers: Float64Array): Slices<Uint32Array> {
  const { length } = numbers
  const indices = new Uint32Array(length)
  let isInOrder = true
  let largest = 0
  for (let at = 0; at < length; at++) {
    indices[at] = at
    const number = numbers[at] as number
    if (number < largest) isInOrder = false
    else largest = number
    if (at % SLICE_STEPS === 0) yield
  }
  if (isInOrder) return indices
  // Sorting numbers is several times as fast as sorting with a comparison.
  if (largest * length > Number.MAX_SAFE_INTEGER)
    return indices.sort((a, b) => (numbers[a] as number) - (numbers[b] as number))
  const keys = new Float64Array(length)
  for (let at = 0; at < length; at++) {
    keys[at] = (numbers[at] as number) * length + at
    if (at % SLICE_STEPS === 0) yield
  }
  const sorted = yield* inSortedSlices(keys)
  for (let at = 0; at < length; at++) {
    indices[at] = (sorted[at] as number) % length
    if (at % SLICE_STEPS === 0) yield
  }
  return indices
}

/** Sorts portions, then merges them, because sorting a million numbers at once takes 80 ms. May return another array. */
function* inSortedSlices(numbers: Float64Array): Slices<Float64Array> {
  const { length } = numbers
  for (let start = 0; start < length; start += SLICE_STEPS) {
    numbers.subarray(start, start + SLICE_STEPS).sort()
    yield
  }
  let from: Float64Array = numbers
  let into: Float64Array = new Float64Array(length)
  for (let width = SLICE_STEPS; width < length; width *= 2) {
    for (let start = 0; start < length; start += 2 * width) yield* merge(from, into, start, width)
    const merged = into
    into = from
    from = merged
  }
  return from
}

/** Merges two portions of this width side by side. */
function* merge(from: Float64Array, into: Float64Array, start: number, width: number): Slices {
  const middle = Math.min(start + width, from.length)
  const end = Math.min(middle + width, from.length)
  let left = start
  let right = middle
  for (let at = start; at < end; at++) {
    const takesLeft = right === end || (left < middle && (from[left] as number) < (from[right] as number))
    into[at] = from[takesLeft ? left++ : right++] as number
    if (at % SLICE_STEPS === 0) yield
  }
}
