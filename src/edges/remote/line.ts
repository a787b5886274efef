/**
 * What a client and an owner talk over: a port between threads, a socket between processes. Each end has one. Messages arrive
 * whole and in order, or not at all; what is posted is anything that structured cloning takes.
 */
export interface Line {
  /** Sends a message. What is in `transfer` is handed over instead of copied, where a line can. Throws for what it cannot send. */
  post(message: unknown, transfer?: readonly object[]): void
  /** Has every message that the event loop brings handed to a listener; one that cannot be read arrives as `undefined`. */
  onMessage(listener: (message: unknown) => void): void
  /** Calls back once when nothing more will come, whichever end closed it. */
  onClose(listener: () => void): void
  /** The next message, if it has arrived already. Only where a line can be read without the event loop. */
  take?(): Taken | undefined
  /** The same, but watches for it first, for some microseconds: a message that is awaited often comes before a sleep would begin. */
  takeSoon?(): Taken | undefined
  /** Whether it keeps its thread and process alive. It does not at first. */
  hold(isHeld: boolean): void
  close(): void
}

export interface Taken {
  readonly message: unknown
}
