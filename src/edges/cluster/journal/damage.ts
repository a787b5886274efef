/** Damage in a cluster: of a record of the log, or of an object beside it. There is no directory to verify or repair. */
import { CorruptionError, type Damage } from '../../../errors.js'
import type { Position } from '../log.js'

export function damaged(damage: Damage, cause?: unknown): CorruptionError {
  return new CorruptionError(damage, {
    cause,
    consequence:
      'Nothing in the log was changed. This node cannot go on from there; other nodes may have a sound copy.',
    advice:
      'Call compact() on a node that is still open, then open this one again: it begins with that snapshot. If none is, open a cluster with another name and load a saved file there.',
  })
}

/** `offset`: within the record. `sequence`: of the next event. */
export function damagedRecord(
  at: Position,
  reason: string,
  { offset = 0, sequence = 0, cause = undefined as unknown } = {},
) {
  return damaged({ file: `record ${at} of the log`, offset, sequence, reason }, cause)
}

export function damagedObject(name: string, reason: string, cause?: unknown): CorruptionError {
  return damaged({ file: name, offset: 0, sequence: 0, reason }, cause)
}
