import { JournalWriteError } from '../../errors.js'
import type { JournalHealth } from '../contract.js'

/** The error of a changing call while the journal takes nothing. */
export function refusal(health: JournalHealth): JournalWriteError {
  if (health.status === 'writable')
    return new JournalWriteError('JOURNAL_WRITE_FAILED', 'Nothing was changed: try again.')
  const { error } = health
  if (health.status === 'failed') {
    return new JournalWriteError(
      'JOURNAL_READ_ONLY',
      `The journal could not be forced to disk (${error.message}), so this cache is read-only and nothing was changed. Reads still work; close the cache and open it again to recover.`,
      { cause: error },
    )
  }
  return new JournalWriteError(
    'JOURNAL_WRITE_FAILED',
    `The journal cannot be written (${error.message}), so nothing was changed. Reads still work, and the write is retried every second: make room, then try again.`,
    { cause: error },
  )
}
