/**
 * What an end of a connection between processes says about itself first. Both check the other's: the messages that follow are those of one
 * protocol, in one encoding. Before: connecting, and accepting. After: client and session.
 */
import { createHash } from 'node:crypto'
import { V8_VERSION } from '../line/frames.js'
import { ARITIES, OPERATION_NAMES } from './codes.js'
import { PROTOCOL_VERSION } from './protocol.js'
import { DAYBOOK_VERSION } from './version.js'

/** The operations have no fixed numbers, so two versions with different ones do not understand each other. */
const OPERATIONS = createHash('sha256')
  .update(OPERATION_NAMES.map((name, code) => `${name}/${ARITIES[code]}`).join())
  .digest('hex')
  .slice(0, 16)

export interface End {
  readonly daybook: string
  readonly protocol: number
  readonly operations: string
  readonly v8: number
  readonly pid: number
}

export function ownEnd(): End {
  const { pid } = process
  return { daybook: DAYBOOK_VERSION, protocol: PROTOCOL_VERSION, operations: OPERATIONS, v8: V8_VERSION, pid }
}

function isOfOurs(message: unknown): boolean {
  const { protocol, operations, v8 } = (message ?? {}) as Partial<End>
  return protocol === PROTOCOL_VERSION && operations === OPERATIONS && typeof v8 === 'number'
}

/** Whether this end can read what the other one sends. */
export function canRead(message: unknown): boolean {
  return isOfOurs(message) && (message as End).v8 <= V8_VERSION
}

/** Whether the other end can read what this one sends, too. */
export function canTalk(message: unknown): boolean {
  return canRead(message) && (message as End).v8 >= V8_VERSION
}
