/** The latest time that a Date can represent. No deadline is later. */
export const EPOCH_MS_MAX = 8.64e15

/** The deadline of what never expires. */
export const NEVER = Number.POSITIVE_INFINITY

/** Expiry is `now >= deadline`: with a ttl of 10 s an entry is there at 9.999 s and gone at 10.000 s. */
export function hasExpired(deadlineMs: number, nowMs: number): boolean {
  return nowMs >= deadlineMs
}
