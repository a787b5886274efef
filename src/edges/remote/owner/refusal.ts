/** A refusal as an answer. Before: session, kept-answers. After: the wire. */
import { toWireError } from '../wire/wire-error.js'
import { ERROR, type Wire } from '../wire/wire-value.js'

export function refusal(error: unknown): Wire {
  return [ERROR, ...toWireError(error)]
}

export function isRefusal(wire: unknown): boolean {
  return Array.isArray(wire) && wire[0] === ERROR
}
