/** The errors of changes that were accepted but could not be written or forced to disk. Before: `durability`. After: who waits for them. */
import { JournalWriteError, reasonOf } from '../../errors.js'

/** How a journal is being closed: only if everything can be written, or in any case. */
export type Closing = 'if all is written' | 'in any case'

/** What is pending, and what was written before. */
interface Pending {
  /** Undefined while the journal stays open. */
  closing: Closing | undefined
  count: number
  bytes: number
  /** The last sequence that was written. */
  written: number
}

const CLOSE_AGAIN = 'Free some space, then call close() again; close({ force: true }) closes without that.'

/** The changes from `first` to `last` were written, but an fsync failed. */
export function notForced(first: number, last: number, error: Error): JournalWriteError {
  const what = `${describeChanges(first, last)} could not be forced to disk (${reasonOf(error)})`
  return new JournalWriteError('OUTCOME_UNKNOWN', what, { cause: error })
}

export function notWritten(first: number, last: number, error: Error, pending: Pending): JournalWriteError {
  const what = `${describeChanges(first, last)} could not be written (${reasonOf(error)})`
  return new JournalWriteError('JOURNAL_WRITE_FAILED', what, { ...meaningOf(pending), cause: error })
}

/** What a failed write means for what is pending, and what to do. */
function meaningOf({ closing, count, bytes, written }: Pending): { consequence: string; advice?: string } {
  if (closing === undefined) return { consequence: 'They stay pending, and reads still work.' }
  const pending = `${count} ${count === 1 ? 'change' : 'changes'}, ${bytes} bytes`
  if (closing === 'if all is written') {
    return {
      consequence: `The cache stays open, and reads still work. What is pending (${pending}) is tried again every second.`,
      advice: CLOSE_AGAIN,
    }
  }
  return {
    consequence: `Lost: ${pending}. The journal ends with sequence ${written}.`,
    advice: 'Free some space, open the cache again, and repeat them.',
  }
}

/** The error of a close that wrote every change, but not what follows the last one. */
export function sealNotWritten(error: unknown, closing: Closing | undefined): JournalWriteError {
  const what = `The order of use and the counters could not be written (${reasonOf(error)})`
  const { consequence, advice } =
    closing === 'in any case'
      ? { consequence: 'Every change is on disk, and the cache is closed.', advice: 'Nothing needs to be repeated.' }
      : { consequence: 'Every change is on disk, and the cache stays open.', advice: CLOSE_AGAIN }
  return new JournalWriteError('JOURNAL_WRITE_FAILED', what, { consequence, advice, cause: error })
}

function describeChanges(first: number, last: number): string {
  return first === last ? `The change with sequence ${first}` : `The changes ${first} to ${last}`
}
