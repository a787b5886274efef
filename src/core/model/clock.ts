/** The only source of time and timers. XState and RxJS schedulers accept it as it is. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /**
   * Calls `callback` once, `delayMs` from now; delays may exceed 2^31 ms. Must not keep the process alive, unless
   * `keepsAlive` is true, because a caller is waiting.
   */
  setTimeout(callback: () => void, delayMs: number, keepsAlive?: boolean): unknown
  clearTimeout(timer: unknown): void
}
