import type { Sequence } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { type ReadableFile, type ReadableStorage, readAll } from '../storage/storage.js'
import { checksum } from './checksum.js'
import { FILE, FILE_HEADER_BYTES, FILE_KIND, FILE_MAGIC, type FileKind, VERSION } from './format.js'
import { NewerFormatError } from './newer-format.js'
import { readU64, writeU64 } from './u64.js'

/** The first bytes of every file of a journal. */
export interface FileHeader {
  version: number
  kind: FileKind
  /** 16 random bytes, the same in all files of one journal. */
  journalId: Buffer
  sequence: Sequence
  previousChecksum: number
  createdAtMs: number
  /** The header's own checksum, which the first frame repeats as its previous checksum. */
  checksum: number
}

/** @param header Without a version: the present one. */
export function encodeFileHeader(header: Omit<FileHeader, 'checksum' | 'version'> & { version?: number }): Buffer {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES)
  bytes.write(FILE_MAGIC, FILE.magic, 'latin1')
  bytes.writeUInt32LE(header.version ?? VERSION, FILE.version)
  bytes.writeUInt32LE(FILE_KIND[header.kind], FILE.kind)
  header.journalId.copy(bytes, FILE.journalId)
  writeU64(bytes, FILE.sequence, header.sequence)
  bytes.writeUInt32LE(header.previousChecksum, FILE.previousChecksum)
  bytes.writeDoubleLE(header.createdAtMs, FILE.createdAtMs)
  bytes.writeUInt32LE(checksum(bytes.subarray(0, FILE.checksum)), FILE.checksum)
  return bytes
}

/**
 * @throws CorruptionError if the bytes are not a header; CacheError `UNSUPPORTED_VERSION` if they are a sound header of another
 * version (every version has the checksum in the same place).
 */
export function decodeFileHeader(
  bytes: Buffer,
  file: string,
  expected: { kind: FileKind; sequence: Sequence },
): FileHeader {
  const damaged = (reason: string) => new CorruptionError({ file, offset: 0, sequence: expected.sequence, reason })
  if (bytes.length < FILE_HEADER_BYTES) throw damaged(`the file header is cut off after ${bytes.length} bytes`)
  if (bytes.toString('latin1', FILE.magic, FILE.version) !== FILE_MAGIC) throw damaged('this is not a daybook file')
  const stored = bytes.readUInt32LE(FILE.checksum)
  if (checksum(bytes.subarray(0, FILE.checksum)) !== stored)
    throw damaged('the checksum of the file header does not match')
  const version = bytes.readUInt32LE(FILE.version)
  if (version < 1 || version > VERSION) throw new NewerFormatError(`${file} has format version ${version}`)
  if (bytes.readUInt32LE(FILE.kind) !== FILE_KIND[expected.kind]) throw damaged(`this is not a ${expected.kind} file`)
  const sequence = readU64(bytes, FILE.sequence) as Sequence
  if (sequence !== expected.sequence) throw damaged(`the file's name and its header (sequence ${sequence}) disagree`)
  return {
    version,
    kind: expected.kind,
    journalId: Buffer.from(bytes.subarray(FILE.journalId, FILE.journalId + 16)),
    sequence,
    previousChecksum: bytes.readUInt32LE(FILE.previousChecksum),
    createdAtMs: bytes.readDoubleLE(FILE.createdAtMs),
    checksum: stored,
  }
}

/** The header of a file. @throws as {@link decodeFileHeader} does. */
export async function readHeaderOf(
  storage: ReadableStorage,
  { path, sequence }: { path: string; sequence: Sequence },
  kind: FileKind,
): Promise<FileHeader> {
  const file = storage.open(path, 'read')
  try {
    return await readFileHeader(file, { kind, sequence })
  } finally {
    file.close()
  }
}

/** The same for an open file. */
export async function readFileHeader(
  file: ReadableFile,
  expected: { kind: FileKind; sequence: Sequence },
): Promise<FileHeader> {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES)
  const length = await readAll(file, bytes, 0, FILE_HEADER_BYTES, 0)
  return decodeFileHeader(bytes.subarray(0, length), file.path, expected)
}
