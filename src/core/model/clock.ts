/** The only source of time and timers. XState and RxJS schedulers accept it as it is. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number
  /** Calls `callback` once, `delayMs` from now. Must not keep the process alive, and must support delays above 2^31 ms. */
  setTimeout(callback: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}
