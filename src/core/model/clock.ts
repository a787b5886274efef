/**
 * Where time enters, and the only place. XState takes it as it is, and so does an RxJS scheduler.
 */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /**
   * Calls `callback` once, `delayMs` from now; delays past 2^31 ms occur. Must not keep the process alive, unless
   * `keepsAlive` is true: a caller waits for it.
   */
  setTimeout(callback: () => void, delayMs: number, keepsAlive?: boolean): unknown
  clearTimeout(timer: unknown): void
}
