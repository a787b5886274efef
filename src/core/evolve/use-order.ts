/**
 * The order of use as ranks: for each entry, least recently used first, which one it is in the order of births. A clean close
 * writes it if reads have changed it; recovery notes where it was written, and restores only the last one, at the end.
 */
import type { Slot } from '../model/state.js'
import type { Entries } from './entries.js'
import { MARK } from './eviction/order.js'
import type { State } from './state.js'

export function ranksByUse({ entries }: State): Uint32Array {
  const places = new Float64Array(entries.size)
  const cursor = entries.order.cursor()
  for (let at = 0; at < places.length; at++) places[at] = entries.births.placeOf(cursor.next() as Slot) // there are that many
  const ranks = new Uint32Array(places.length)
  let rank = 0
  for (const at of inOrder(places)) ranks[at] = rank++
  return ranks
}

/**
 * Restores an order that was written at {@link Entries.markUse}. Entries used since then come after all others, as they are.
 * @param ranksOf Returns the ranks of this many entries, or `undefined` if they are not that many: then nothing changes.
 */
export function restoreUse(entries: Entries, ranksOf: (count: number) => Uint32Array | undefined): void {
  const mark = entries.takeMark()
  if (mark === undefined) return
  const { order, births } = entries
  const old: Slot[] = []
  const isUsed = new Uint8Array(order.capacity)
  const cursor = order.cursor()
  let hasPassed = false
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
    if (slot === MARK) hasPassed = true
    else {
      if (births.get(slot) <= mark.born) old.push(slot)
      if (hasPassed) isUsed[slot] = 1
    }
  }
  const ranks = ranksOf(old.length + mark.gone.length)
  if (ranks !== undefined) {
    const places = new Float64Array(ranks.length)
    for (const [at, slot] of old.entries()) places[at] = births.get(slot)
    places.set(mark.gone, old.length)
    const byBirth = inOrder(places)
    for (const rank of ranks) {
      const slot = old[byBirth[rank] as number] // undefined for one that is gone
      if (slot !== undefined && isUsed[slot] === 0) order.moveBefore(MARK, slot)
    }
  }
  order.unlink(MARK)
}

/** The indices of different numbers, in ascending order of the numbers. */
function inOrder(numbers: Float64Array): Uint32Array {
  const { length } = numbers
  const indices = Uint32Array.from(numbers, (_, at) => at)
  let isInOrder = true
  let largest = 0
  for (let at = 0; at < length; at++) {
    const number = numbers[at] as number
    if (number < largest) isInOrder = false
    else largest = number
  }
  if (isInOrder) return indices
  // Sorting numbers is several times as fast as sorting with a comparison.
  if (largest * length > Number.MAX_SAFE_INTEGER)
    return indices.sort((a, b) => (numbers[a] as number) - (numbers[b] as number))
  const keys = numbers.map((number, at) => number * length + at).sort()
  for (let at = 0; at < length; at++) indices[at] = (keys[at] as number) % length
  return indices
}
