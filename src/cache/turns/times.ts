/** The times in an entry's life as callers get them: those that never come are missing. Epoch milliseconds. */
export interface Times {
  /** When it expires. */
  readonly expiresAtMs?: number
  /** From then until it expires it is stale. */
  readonly freshUntilMs?: number
}

export function timesOf(expiresAtMs: number, freshUntilMs = NEVER): Times {
  if (freshUntilMs !== NEVER) return expiresAtMs === NEVER ? { freshUntilMs } : { expiresAtMs, freshUntilMs }
  return expiresAtMs === NEVER ? {} : { expiresAtMs }
}

const NEVER = Number.POSITIVE_INFINITY
