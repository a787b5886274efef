declare const sequenceBrand: unique symbol
/**
 * The number of an event: 1, 2, 3, … without gaps. Branded, so that it is not confused with counts of bytes, rows and frames.
 * 0 is the position before the first event. It is a plain number outside `durable/`: the contract of journals is public, and a
 * brand there would force casts on everyone who implements one.
 */
export type Sequence = number & { readonly [sequenceBrand]: true }

export const NO_SEQUENCE = 0 as Sequence
export const FIRST_SEQUENCE = 1 as Sequence
/** No event has a higher one. */
export const LAST_SEQUENCE = Number.MAX_SAFE_INTEGER as Sequence

/** The sequence `count` events later, or earlier if `count` is negative. */
export function sequenceAfter(sequence: Sequence, count = 1): Sequence {
  return (sequence + count) as Sequence
}
