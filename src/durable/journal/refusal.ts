import { JournalWriteError, NotLeaderError, reasonOf } from '../../errors.js'
import type { JournalHealth } from '../contract.js'

/** Whether an error says that this cache cannot change anything now, although reads work. */
export function isRefusal(error: unknown): boolean {
  return error instanceof JournalWriteError || error instanceof NotLeaderError
}

/** Whether an error says that the journal cannot be written now, but perhaps later. */
export function isWriteFailure(error: unknown): boolean {
  return error instanceof JournalWriteError && error.code === 'JOURNAL_WRITE_FAILED'
}

/** The error of a call that changes something while the journal cannot be written. */
export function refusal(health: JournalHealth): JournalWriteError | NotLeaderError {
  if (health.status === 'writable')
    return new JournalWriteError('JOURNAL_WRITE_FAILED', 'The journal was not writable', { advice: 'Try again.' })
  if (health.status === 'following') return new NotLeaderError(health.leader, { cause: health.error })
  const { status, error } = health
  return status === 'failed'
    ? new JournalWriteError('JOURNAL_READ_ONLY', `The journal could not be forced to disk (${reasonOf(error)})`, {
        cause: error,
      })
    : new JournalWriteError('JOURNAL_WRITE_FAILED', `The journal cannot be written (${reasonOf(error)})`, {
        cause: error,
      })
}
