/** Whether a cache with these limits may hold so much. */
export function fits(limits: { maxSize: number; maxBytes: number }, size: number, bytes: number): boolean {
  return size <= limits.maxSize && bytes <= limits.maxBytes
}
