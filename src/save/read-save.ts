/** `load`: reads what {@link writeSave}, or Python, wrote. Nothing of it takes effect before all of it was read and found sound. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ReceivedRows } from '../journal/journal.js'
import { storeValue } from '../journal/value.js'
import { readCachePickle } from '../pickle/read-pickle.js'
import { decodeRows, readSnapshot } from '../snapshot/read-snapshot.js'
import { readAll, type Storage } from '../storage/storage.js'
import type { SaveFormat } from './format.js'

/** Rows between two turns of the event loop. */
const SLICE_ROWS = 1_000

export async function readSave(storage: Storage, path: string, format: SaveFormat, rows: ReceivedRows): Promise<void> {
  if (format === 'pickle') return readPickled(storage, path, rows)
  const { counters } = await readSnapshot(storage, { path, kind: 'saved', sequence: 0 }, (frame, bytes) => {
    for (const { key, value, expiresAtMs } of decodeRows(frame, bytes)) rows.add(key, value, expiresAtMs)
  })
  rows.counters.copyFrom(counters)
}

async function readPickled(storage: Storage, path: string, rows: ReceivedRows): Promise<void> {
  const { entries, stats } = readCachePickle(await readWhole(storage, path))
  let count = 0
  for (const [key, value, expiresAtMs] of entries) {
    rows.add(key, storeValue(value, 'copy'), expiresAtMs ?? Number.POSITIVE_INFINITY)
    if (++count % SLICE_ROWS === 0) await nextTurn()
  }
  rows.counters.reset()
  Object.assign(rows.counters, stats)
}

async function readWhole(storage: Storage, path: string): Promise<Buffer> {
  const file = storage.open(path, 'read')
  try {
    const bytes = Buffer.allocUnsafeSlow(file.size())
    return bytes.subarray(0, await readAll(file, bytes, 0, bytes.length, 0))
  } finally {
    file.close()
  }
}
