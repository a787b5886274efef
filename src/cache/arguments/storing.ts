/** Checks the options of `setMany`, and those of each of its entries. Before: `door/`. After: a command for each entry. */
import { hasExpired } from '../../core/model/expiry.js'
import { checkOnly, checkOptions, checkTags, deadlineToSet, type SetOptions, staleFor } from './arguments.js'
import { METHODS } from './methods.js'

export interface Storing {
  readonly expiresAtMs: number
  readonly keepsDeadline: boolean
  readonly staleMs: number | undefined
  readonly tags: readonly string[] | undefined
  readonly only: SetOptions['only']
  /** Whether `expiresAt` has passed, so that nothing is stored. */
  readonly isPast: boolean
}

export function storingOf(options: SetOptions, defaultTtlMs: number, nowMs: number): Storing {
  const { ttl, expiresAt, only, tags: given, stale } = checkOptions(options, METHODS.setMany.options)
  checkOnly(only)
  const tags = checkTags(given)
  const expiresAtMs = deadlineToSet(ttl, expiresAt, defaultTtlMs, nowMs)
  const staleMs = staleOf(stale, ttl, expiresAtMs, nowMs)
  const isPast = expiresAt !== undefined && hasExpired(expiresAtMs, nowMs)
  return { expiresAtMs, keepsDeadline: ttl === 'keep', staleMs, tags, only, isPast }
}

/** With `ttl: 'keep'` only `decide` knows the end of the ttl. So here only the window itself is checked. */
export function staleOf(
  stale: unknown,
  ttl: SetOptions['ttl'],
  expiresAtMs: number,
  nowMs: number,
): number | undefined {
  return staleFor(stale, ttl === 'keep' ? nowMs : expiresAtMs)
}
