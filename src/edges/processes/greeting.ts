/**
 * What the two ends of a socket tell each other first. Both check the other's: the messages that follow are those of one protocol,
 * in one encoding. Before: connecting, and accepting. After: client and session.
 */
import { createHash } from 'node:crypto'
import type { EvictionPolicy } from '../../core/evolve/eviction/policy.js'
import { CacheError, describe } from '../../errors.js'
import { V8_VERSION } from '../remote/line/frames.js'
import { ARITIES, OPERATION_NAMES } from '../remote/wire/codes.js'
import { PROTOCOL_VERSION } from '../remote/wire/protocol.js'
import { DAYBOOK_VERSION } from './version.js'

/** The operations have no fixed numbers, so two versions with different ones do not understand each other. */
const OPERATIONS = createHash('sha256')
  .update(OPERATION_NAMES.map((name, code) => `${name}/${ARITIES[code]}`).join())
  .digest('hex')
  .slice(0, 16)

interface End {
  readonly daybook: string
  readonly protocol: number
  readonly operations: string
  readonly v8: number
  readonly pid: number
}

export interface ClientGreeting extends End {
  /** 16 hexadecimal digits. */
  readonly client: string
}

export interface OwnerGreeting extends End {
  /** Its default ttl; null for none. */
  readonly ttlMs: number | null
  readonly eviction: EvictionPolicy
}

function ownEnd(): End {
  const { pid } = process
  return { daybook: DAYBOOK_VERSION, protocol: PROTOCOL_VERSION, operations: OPERATIONS, v8: V8_VERSION, pid }
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
  return isUnderstood(message) && typeof client === 'string' && /^[0-9a-f]{16}$/.test(client)
}

function isUnderstood(message: unknown): boolean {
  const { protocol, operations, v8 } = (message ?? {}) as Partial<End>
  return protocol === PROTOCOL_VERSION && operations === OPERATIONS && typeof v8 === 'number' && v8 <= V8_VERSION
}

/** @throws CacheError `UNSUPPORTED_VERSION` unless this version understands the owner, and it this version. */
export function checkOwner(message: unknown): OwnerGreeting {
  const { daybook, pid, v8, ttlMs } = (message ?? {}) as Partial<OwnerGreeting>
  const isReadable = typeof v8 === 'number' && v8 >= V8_VERSION
  if (isUnderstood(message) && isReadable && (ttlMs === null || typeof ttlMs === 'number'))
    return message as OwnerGreeting
  throw new CacheError(
    'UNSUPPORTED_VERSION',
    `Process ${describe(pid)}, which owns the cache, runs daybook ${describe(daybook)}, which this process (daybook ${DAYBOOK_VERSION}, Node.js ${process.versions.node}) does not understand`,
    { advice: 'Use the same daybook in all processes, or another directory.' },
  )
}
