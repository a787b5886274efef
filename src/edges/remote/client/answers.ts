/** Decodes an answer from the wire. Before: requests. After: the caller. */
import { fromWireError, type WireError } from '../wire/wire-error.js'
import {
  DATED,
  DIFFERENCE,
  ENTRY,
  ERROR,
  FILE_ERROR,
  isValueTag,
  LIST,
  PAIRS,
  PLAIN,
  restoreWire,
  UNSENT,
} from '../wire/wire-value.js'

/** Whether an answer is a refusal; {@link errorOf} returns its error. */
export function isError(wire: unknown): wire is readonly [number, ...WireError] {
  return Array.isArray(wire) && wire[0] === ERROR
}

export function errorOf(wire: readonly [number, ...WireError]): unknown {
  return fromWireError(wire.slice(1))
}

/** What a call is settled with. An answer that cannot be decoded is a refusal, of this call only. */
export function outcomeOf(wire: unknown): unknown {
  try {
    return isError(wire) ? Promise.reject(errorOf(wire)) : answerOf(wire)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** A value that a loader of this client returned and that could not be sent. */
export class Unsent {
  readonly request: number
  readonly key: string
  readonly error: unknown

  constructor([request, key, ...error]: readonly unknown[]) {
    this.request = request as number
    this.key = key as string
    this.error = fromWireError(error)
  }
}

/** A value of an entry, with what a client needs to find out whether it is due for a reload. */
export class Dated {
  readonly value: unknown
  /** When the entry stops being fresh, by the owner's clock. */
  readonly untilMs: number
  /** How long that is from now. */
  readonly leftMs: number
  readonly defaultTtlMs: number

  constructor([wire, untilMs, leftMs, defaultTtlMs]: readonly unknown[]) {
    this.value = answerOf(wire)
    this.untilMs = untilMs as number
    this.leftMs = leftMs as number
    this.defaultTtlMs = defaultTtlMs as number
  }
}

export function answerOf(wire: unknown): unknown {
  if (typeof wire !== 'object' || wire === null) return wire
  const [tag, ...rest] = wire as [number, ...unknown[]]
  if (isValueTag(tag)) return restoreWire(tag, rest[0])
  switch (tag) {
    case LIST:
      return rest.map(answerOf)
    case PAIRS: {
      const pairs: [unknown, unknown][] = []
      for (let at = 0; at < rest.length; at += 2) pairs.push([rest[at], answerOf(rest[at + 1])])
      return pairs.values()
    }
    case ENTRY:
      return { value: answerOf(rest[0]), ...(rest[1] as object) }
    case DIFFERENCE:
      return { key: rest[0], before: answerOf(rest[1]), after: answerOf(rest[2]) }
    case FILE_ERROR:
      return { ok: false, error: fromWireError(rest) }
    case PLAIN:
      return rest[0]
    case DATED:
      return new Dated(rest)
    case UNSENT:
      return new Unsent(rest)
    default:
      return undefined
  }
}
