/** How a node becomes the leader: its term is the next record of the log. Before: replicated-journal. After: the log. */
import { type Log, LogConflict, type LogRecord } from '../log.js'
import type { AppliedFrames, Applier } from './applier.js'
import { damagedRecord } from './damage.js'
import { sealed } from './sealed-record.js'

/**
 * `'overtaken'`: there is a record that this node has not read. `'unknown'`: its term may be in the log. `'unasked'`: it is not, because the
 * engine does not answer now.
 */
export type Outcome = 'elected' | 'overtaken' | 'unknown' | 'unasked'

/** A server that was stopped may still take itself for the one that leads the stream, and answer with its copy; not for this many times 1.5 s. */
const DIFFERENCES_MAX = 5

/** @throws CorruptionError if this node may not lead: the log has another record than it has applied. */
export async function appendTerm(log: Log, applier: Applier, term: LogRecord): Promise<Outcome> {
  const { position, lastFrames } = applier
  const whyNot = lastFrames && (await compare(log, lastFrames))
  if (whyNot !== undefined) return whyNot
  try {
    await log.append(sealed(term), position)
    return 'elected'
  } catch (error) {
    // If it is not known: then its record is followed, and another term begun.
    return error instanceof LogConflict ? 'overtaken' : 'unknown'
  }
}

/** A node whose server has another record than the others would lead them with it, because its own frames would follow that one. */
async function compare(log: Log, applied: AppliedFrames): Promise<'overtaken' | 'unasked' | undefined> {
  const { record, at } = applied
  let stored: LogRecord | undefined
  try {
    stored = await log.read?.(at)
  } catch {
    return 'unasked'
  }
  if (stored === undefined || Buffer.compare(stored.body, sealed(record).body) === 0) return undefined
  if (++applied.differences >= DIFFERENCES_MAX)
    throw damagedRecord(at, 'this node has read another record there: copies of the log differ')
  return 'overtaken'
}
