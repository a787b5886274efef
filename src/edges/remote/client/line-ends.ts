/** What a client does when its line ends. Before: whoever connects. After: requests. */
import type { CacheClosedError, CacheError } from '../../../errors.js'

/** For a line that is replaced when it breaks. */
export interface Renewal {
  /** The line is gone. `reason`: what its owner said, if it closed the line. Call {@link Requests.resume} with another one. */
  onLost(reason: CacheError | undefined): void
  /** While there is no line: sets whether pending calls keep the process alive. */
  hold(isHeld: boolean): void
  /** Why a call is refused because too much waits already. */
  full(): CacheError
  /** Milliseconds, from any beginning. */
  now(): number
  /** If there is one, a batch that is sent again says when it was first sent. */
  readonly stamp?: (() => number) | undefined
}

/** Keys and values of calls that wait for another line. */
export const WAITING_BYTES_MAX = 64 * 1024 * 1024

/** The errors when a line ends. Their messages depend on the kind of line. */
export interface Endings {
  /** The client was closed. */
  closed(): CacheClosedError
  /** The line broke. */
  lost(): CacheClosedError
}
