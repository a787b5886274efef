/**
 * The rows, requests and reopenings that the cases for journals share.
 */

import { Counters } from '../../core/model/counters.js'
import type { StoredValue } from '../../core/model/stored-value.js'
import type { CompactionRequest, Journal, RecoveryReport, SnapshotSource } from '../../durable/contract.js'
import { RecordingReceiver, session } from './recording.js'

/** A journal over the same content at each call: a new object, or the same one. */
export type JournalMaker = () => Journal

export function rowsOf(rows: [string, StoredValue][], counters = new Counters()): SnapshotSource {
  let at = 0
  return {
    count: rows.length,
    counters,
    read: () => {
      const row = rows[at++]
      return row && { key: row[0], value: row[1], expiresAtMs: Number.POSITIVE_INFINITY }
    },
    release: () => undefined,
  }
}

export function compaction(rows: [string, StoredValue][], counters?: Counters): CompactionRequest {
  return { freeze: () => rowsOf(rows, counters), progress: () => undefined, signal: new AbortController().signal }
}

export const turnOfTheLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

export async function reopen(make: JournalMaker): Promise<{ receiver: RecordingReceiver; report: RecoveryReport }> {
  const receiver = new RecordingReceiver()
  const journal = make()
  const report = await journal.open(session({ receiver }))
  await journal.close()
  return { receiver, report }
}
