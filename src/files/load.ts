/** `load`: reads a file that `save.ts` or Python wrote. Nothing takes effect until the whole file has been read and is sound. */
import { NO_SEQUENCE } from '../core/model/sequence.js'
import { EncodedPlain, EncodedValue, type StoredValue } from '../core/model/stored-value.js'
import type { ReceivedRows } from '../durable/contract.js'
import { readSnapshot, takeRows } from '../durable/snapshot/read-snapshot.js'
import { nextTurn } from '../durable/storage/event-loop.js'
import { readAll, type Storage } from '../durable/storage/storage.js'
import { describe, reasonOf, ValueError } from '../errors.js'
import { adoptEncoded, adoptPlain, storeValue } from '../values/encode.js'
import type { SaveFormat, SaveProgress } from './format.js'
import { receiveCachePickle } from './pickle/read-pickle.js'
import { Slice } from './pickle/slices.js'
import { RowsAllowance } from './rows-allowance.js'

export async function readSave(
  storage: Storage,
  path: string,
  format: SaveFormat,
  rows: ReceivedRows,
  progress?: SaveProgress,
): Promise<void> {
  if (format === 'pickle') return readPickled(storage, path, rows, progress)
  const fileBytes = sizeOf(storage, path)
  const slice = new Slice(1)
  const keys = new Set<string>() // `rows` may leave some out
  const { counters } = await readSnapshot(storage, { path, kind: 'saved', sequence: NO_SEQUENCE }, (frame, bytes) => {
    takeRows(frame, bytes, (key, value, expiresAtMs, extension) => {
      const isNew = keys.size < keys.add(key).size
      if (isNew) rows.add(key, decodable(key, value), expiresAtMs, extension)
      return isNew
    })
    progress?.(frame.offset + frame.length, fileBytes, 'bytes')
    return slice.isOver() ? nextTurn().then(() => slice.begin()) : undefined
  })
  rows.counters.copyFrom(counters)
}

/** The value, if it can be decoded. @throws ValueError otherwise: a matching checksum does not prove who wrote the file. */
function decodable(key: string, value: StoredValue): StoredValue {
  if (typeof value !== 'object' || value === null) return value
  try {
    if (value instanceof EncodedValue) return adoptEncoded(value.encoding, value.bytes)
    return value instanceof EncodedPlain && value.bytes !== undefined ? adoptPlain(value.bytes) : value
  } catch (error) {
    throw new ValueError(`The value of ${describe(key)} in this file cannot be loaded: ${reasonOf(error)}`, {
      cause: error,
    })
  }
}

async function readPickled(
  storage: Storage,
  path: string,
  rows: ReceivedRows,
  progress: SaveProgress | undefined,
): Promise<void> {
  const bytes = await readWhole(storage, path)
  const allowance = new RowsAllowance(bytes.length)
  const keys = new Set<string>()
  const reading = receiveCachePickle(bytes, ([key, value, expiresAtMs]) => {
    if (keys.size === keys.add(key).size) throw appearsTwice(key)
    const stored = storeValue(value, 'freeze') // encoded, for any cache
    allowance.take(key, stored)
    rows.add(key, stored, expiresAtMs ?? Number.POSITIVE_INFINITY)
  })
  for (let step = reading.next(); ; step = reading.next()) {
    if (step.done) {
      progress?.(bytes.length, bytes.length, 'bytes')
      rows.counters.reset()
      Object.assign(rows.counters, step.value)
      return
    }
    progress?.(step.value, bytes.length, 'bytes')
    await nextTurn()
  }
}

/** Python writes no dict like that, so it says nothing about which of the two is meant. */
function appearsTwice(key: string): ValueError {
  return new ValueError(`Cannot load this pickle as a cache: the key ${describe(key)} appears twice`, {
    advice: 'Write each key once.',
  })
}

function sizeOf(storage: Storage, path: string): number {
  const file = storage.open(path, 'read')
  try {
    return file.size()
  } finally {
    file.close()
  }
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
