/** How much a cache holds. A fact that its journal remembers. */
export interface Limits {
  /** Entries; a positive integer or Infinity. */
  readonly maxSize: number
  /** Encoded bytes of all keys, values and tags together; a positive integer or Infinity. */
  readonly maxBytes: number
}

/** What a new journal begins with unless options say otherwise. */
export const NEW_LIMITS: Limits = { maxSize: 1000, maxBytes: Number.POSITIVE_INFINITY }

/** For a journal that does not say what its limits are, such as one of version 1: all of its entries have room. */
export function unjournaledLimits(entries: number): Limits {
  return { ...NEW_LIMITS, maxSize: Math.max(NEW_LIMITS.maxSize, entries) }
}

/** Whether a cache with these limits may hold so much. */
export function fits({ maxSize, maxBytes }: Limits, size: number, bytes: number): boolean {
  return size <= maxSize && bytes <= maxBytes
}
