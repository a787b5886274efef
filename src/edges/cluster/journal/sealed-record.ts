/**
 * The checksum of a record, which covers everything that the engine stores: kind, term, node and body. It is in front of the body:
 *
 *   u32, little-endian │ what records.ts says
 *
 * Frames have checksums of their own, but not the rest of a record. Before: term-writer and others that append; log-reader. After: the log.
 */
import { checksum } from '../../../durable/format/checksum.js'
import type { LogRecord, Position } from '../log.js'
import { damagedRecord } from './damage.js'

export const SEAL_BYTES = 4

/** The record as the log is to store it. */
export function sealed(record: LogRecord): LogRecord {
  const body = Buffer.allocUnsafe(SEAL_BYTES + record.body.length)
  body.set(record.body, SEAL_BYTES)
  body.writeUInt32LE(sumOf(record, record.body), 0)
  return { ...record, body }
}

/** The record that was sealed. @throws CorruptionError if it is another one now. */
export function unsealed(record: LogRecord, at: Position): LogRecord {
  const { buffer, byteOffset, byteLength } = record.body
  const stored = Buffer.from(buffer, byteOffset, byteLength)
  if (stored.length < SEAL_BYTES) throw damagedRecord(at, 'the record is too short')
  const body = stored.subarray(SEAL_BYTES)
  if (stored.readUInt32LE(0) !== sumOf(record, body))
    throw damagedRecord(at, 'the checksum of the record does not match')
  return { ...record, body }
}

function sumOf({ kind, epoch, node }: LogRecord, body: Uint8Array): number {
  return checksum(body, checksum(Buffer.from(JSON.stringify([kind, epoch, node]))))
}
