/**
 * One end of a connection between a client and an owner: a port between threads, a socket between processes. Messages arrive
 * whole and in order, or not at all; a message is anything that can be structured-cloned.
 */
export interface Line {
  /** Sends a message. Buffers in `transfer` are moved instead of copied, if the line can. Throws for what it cannot send. */
  post(message: unknown, transfer?: readonly object[]): void
  /**
   * Calls the listener with every message that the event loop receives; `undefined` for one that cannot be read. Here and below: not before
   * this returns, so that whoever listens is complete.
   */
  onMessage(listener: (message: unknown) => void): void
  /** Calls back once when no more messages can arrive, whichever end closed the line. */
  onClose(listener: () => void): void
  /** The next message, if it has already arrived. Only for lines that can be read without the event loop. */
  take?(): Taken | undefined
  /** The same, but polls for some microseconds: an awaited message often arrives before the thread would go to sleep. */
  takeSoon?(): Taken | undefined
  /** Sets whether the line keeps its thread and process alive. Initially it does not. */
  hold(isHeld: boolean): void
  close(): void
}

export interface Taken {
  readonly message: unknown
}
