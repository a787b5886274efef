/** When an entry becomes stale and when it expires, as callers get it: a time that never comes is missing. Epoch milliseconds. */
export interface Times {
  /** When it expires. */
  readonly expiresAtMs?: number
  /** From then until it expires it is stale. */
  readonly freshUntilMs?: number
}

import { NEVER } from '../../core/model/expiry.js'
export function timesOf(expiresAtMs: number, freshUntilMs = NEVER): Times {
  if (freshUntilMs !== NEVER) return expiresAtMs === NEVER ? { freshUntilMs } : { expiresAtMs, freshUntilMs }
  return expiresAtMs === NEVER ? {} : { expiresAtMs }
}
