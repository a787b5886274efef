declare const sequenceBrand: unique symbol
/**
 * The number of an event: 1, 2, 3, … without holes. Branded, because a journal also counts bytes, rows and frames, and none
 * of these may be taken for it. 0 is the place before the first event.
 */
export type Sequence = number & { readonly [sequenceBrand]: true }

export const NO_SEQUENCE = 0 as Sequence
export const FIRST_SEQUENCE = 1 as Sequence
/** Every event there is or will be. */
export const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER as Sequence

/** The sequence `count` events later; earlier, if it is negative. */
export function sequenceAfter(sequence: Sequence, count = 1): Sequence {
  return (sequence + count) as Sequence
}
