/**
 * Where time enters, and the only place. XState takes it as it is, and so does an RxJS scheduler.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls `callback` once, `delayMs` from now. Must not keep the process alive, and must bear delays past 2^31 ms. */
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}
