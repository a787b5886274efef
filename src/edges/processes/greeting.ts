/**
 * What the two ends of a socket tell each other first. Both check the other's: the messages that follow are those of one protocol,
 * in one encoding. Before: connecting, and accepting. After: client and session.
 */
import type { EvictionPolicy } from '../../core/evolve/eviction/policy.js'
import { CacheError, describe } from '../../errors.js'
import { canRead, canTalk, type End, ownEnd } from '../remote/wire/end.js'
import { DAYBOOK_VERSION } from '../remote/wire/version.js'

export interface ClientGreeting extends End {
  /** 16 hexadecimal digits. */
  readonly client: string
}

export interface OwnerGreeting extends End {
  /** Its default ttl; null for none. */
  readonly ttlMs: number | null
  readonly eviction: EvictionPolicy
}

export function clientGreeting(client: string): ClientGreeting {
  return { ...ownEnd(), client }
}

/** The options of an owner that whoever takes over keeps. */
export interface KeptOptions {
  readonly ttlMs: number
  readonly eviction: EvictionPolicy
}

export function ownerGreeting({ ttlMs, eviction }: KeptOptions): OwnerGreeting {
  return { ...ownEnd(), ttlMs: Number.isFinite(ttlMs) ? ttlMs : null, eviction }
}

/** Whether a message is a greeting of a client that this version understands. */
export function isClient(message: unknown): message is ClientGreeting {
  const { client } = (message ?? {}) as Partial<ClientGreeting>
  return canRead(message) && typeof client === 'string' && /^[0-9a-f]{16}$/.test(client)
}

/** @throws CacheError `UNSUPPORTED_VERSION` unless this version understands the owner, and it this version. */
export function checkOwner(message: unknown): OwnerGreeting {
  const { daybook, pid, ttlMs } = (message ?? {}) as Partial<OwnerGreeting>
  if (canTalk(message) && (ttlMs === null || typeof ttlMs === 'number')) return message as OwnerGreeting
  throw new CacheError(
    'UNSUPPORTED_VERSION',
    `Process ${describe(pid)}, which owns the cache, runs daybook ${describe(daybook)}, which this process (daybook ${DAYBOOK_VERSION}, Node.js ${process.versions.node}) does not understand`,
    { advice: 'Use the same daybook in all processes, or another directory.' },
  )
}
