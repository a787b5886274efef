/**
 * Wrong protocols, as wrappers around a storage: each leaves out, reorders or weakens one thing that the journal relies on. The
 * enumeration must catch every one of them; otherwise it proves nothing about the right protocol either.
 */
import { posix } from 'node:path'
import { checksum } from '../../../src/durable/format/checksum.js'
import { FILE, FILE_HEADER_BYTES, FRAME, FRAME_HEADER_BYTES, FRAME_MAGIC } from '../../../src/durable/format/format.js'
import type { StorageFile } from '../../../src/durable/storage/storage.js'
import { fileLike, storageLike } from '../durable/storage-like.js'
import { JOURNAL_ID, type Wrap } from './stage.js'

export interface BrokenProtocol {
  name: string
  wrap: Wrap
  /** How it is caught where power cuts are not enough: frames in other places, or rotten bytes. */
  caughtBy?: 'moved frames' | 'rotten bytes'
}

/** Changes the files whose path matches. */
function withFiles(pattern: RegExp, change: (file: StorageFile, isNew: boolean) => StorageFile): Wrap {
  return (inner) => {
    const changed = (file: StorageFile, isNew: boolean) => (pattern.test(file.path) ? change(file, isNew) : file)
    return storageLike(inner, {
      open: (path, mode) => changed(inner.open(path, mode), false),
      create: (path) => changed(inner.create(path), true),
    })
  }
}

const SEGMENT = /\.segment$/
const SNAPSHOT = /\.snapshot\.tmp$/
const nothing = () => undefined
const nothingLater = async () => undefined

export const BROKEN_PROTOCOLS: BrokenProtocol[] = [
  {
    name: 'acknowledges before the fsync',
    wrap: withFiles(SEGMENT, (file) => fileLike(file, { sync: nothingLater })),
  },
  {
    name: 'syncs a file only once',
    wrap: withFiles(SEGMENT, (file) => {
      let isSynced = false
      return fileLike(file, {
        sync: async () => {
          if (!isSynced) await file.sync()
          isSynced = true
        },
      })
    }),
  },
  {
    name: 'does not sync the seal before the next segment gets a frame',
    wrap: withFiles(SEGMENT, (file, isNew) => {
      let syncs = isNew ? 0 : 1
      return fileLike(file, {
        syncNow: () => {
          if (syncs++ === 0) file.syncNow() // its creation
        },
      })
    }),
  },
  {
    name: 'does not sync the header of a new segment',
    wrap: withFiles(SEGMENT, (file, isNew) => {
      let syncs = 0
      return fileLike(file, {
        syncNow: () => {
          if (syncs++ > 0 || !isNew) file.syncNow()
        },
      })
    }),
  },
  {
    name: 'does not sync the directory',
    wrap: (inner) => storageLike(inner, { syncDirectory: nothing }),
  },
  {
    name: 'does not sync the directory after the rename of a snapshot',
    wrap: (inner) => {
      let isRenamed = false
      return storageLike(inner, {
        rename: (from, to) => {
          inner.rename(from, to)
          isRenamed = true
        },
        syncDirectory: (directory) => {
          if (!isRenamed) inner.syncDirectory(directory)
          isRenamed = false
        },
      })
    },
  },
  {
    name: 'does not sync a snapshot before its rename',
    wrap: withFiles(SNAPSHOT, (file) => fileLike(file, { sync: nothingLater })),
  },
  {
    name: 'writes a snapshot under its final name',
    wrap: (inner) => {
      const final = (path: string) => path.replace(/(\.snapshot)\.tmp$/, '$1')
      return storageLike(inner, {
        create: (path) => {
          if (path !== final(path)) {
            try {
              inner.unlink(final(path))
            } catch {
              // It does not exist.
            }
          }
          return inner.create(final(path))
        },
        open: (path, mode) => inner.open(final(path), mode),
        rename: (from, to) => {
          if (final(from) !== to) inner.rename(from, to)
        },
      })
    },
  },
  {
    name: 'removes the old segments before there is a snapshot',
    wrap: (inner) => {
      const segments = new Set<string>()
      const seen = (path: string) => {
        if (SEGMENT.test(path)) segments.add(path)
      }
      return storageLike(inner, {
        open: (path, mode) => {
          seen(path)
          return inner.open(path, mode)
        },
        create: (path) => {
          seen(path)
          if (SNAPSHOT.test(path)) {
            const sequence = Number.parseInt(posix.basename(path), 10)
            for (const segment of segments) {
              if (Number.parseInt(posix.basename(segment), 10) > sequence) continue
              inner.unlink(segment)
              segments.delete(segment)
            }
          }
          return inner.create(path)
        },
      })
    },
  },
  {
    name: 'does not sync the removal of an old snapshot before it removes what follows that',
    wrap: (inner) => {
      let hasRemoved = false
      return storageLike(inner, {
        unlink: (path) => {
          inner.unlink(path)
          hasRemoved = true
        },
        rename: (from, to) => {
          inner.rename(from, to)
          hasRemoved = false
        },
        syncDirectoryLater: async (directory) => {
          if (!hasRemoved) await inner.syncDirectoryLater(directory)
        },
      })
    },
  },
  {
    name: 'retries a failed fsync and trusts it',
    wrap: withFiles(SEGMENT, (file) => fileLike(file, { sync: () => file.sync().catch(() => file.sync()) })),
  },
  {
    name: 'ignores a failed fsync',
    wrap: withFiles(SEGMENT, (file) => fileLike(file, { sync: () => file.sync().catch(nothing) })),
  },
  {
    name: 'does not rewrite the unproven end after a failed fsync',
    wrap: withFiles(SEGMENT, (file) =>
      fileLike(file, {
        write: (source, offset, length, position) =>
          position + length <= file.size() ? length : file.write(source, offset, length, position),
      }),
    ),
  },
  {
    name: 'does not cut off a torn tail',
    wrap: withFiles(SEGMENT, (file) => fileLike(file, { truncate: nothing })),
  },
  {
    name: 'does not sync after it cut off a torn tail',
    wrap: withFiles(SEGMENT, (file) => {
      let isCut = false
      return fileLike(file, {
        truncate: (bytes) => {
          isCut = true
          file.truncate(bytes)
        },
        sync: async () => {
          if (!isCut) await file.sync()
        },
      })
    }),
  },
  {
    name: 'names a journal in LOCK before it exists',
    wrap: (inner) => {
      let isEarly = false
      return storageLike(inner, {
        lock: async (path) => {
          const lock = await inner.lock(path)
          if (lock === undefined || inner.noteIn(path) !== '') return lock
          lock.write(`${JOURNAL_ID.toString('hex')}\n`)
          isEarly = true
          return lock
        },
        noteIn: (path) => (isEarly ? '' : inner.noteIn(path)),
      })
    },
  },
  {
    name: 'does not check the checksums of frames',
    wrap: weakReader((frame) => frame),
  },
  {
    name: 'has checksums of the payload only',
    wrap: weakReader((frame, stored) => (payloadChecksum(frame) === stored ? frame : undefined), payloadChecksum),
  },
  {
    name: 'has checksums that are not chained',
    wrap: without((frame) => frame.writeUInt32LE(0, FRAME.previousChecksum)),
    caughtBy: 'moved frames',
  },
  {
    name: 'does not write in its frames what was durable',
    wrap: without((frame) => frame.fill(0, FRAME.durableSequence, FRAME.durableSequence + 8)),
    caughtBy: 'rotten bytes',
  },
]

/** Frames are written without one of their fields, but read as if they followed one another. */
function without(erase: (frame: Buffer) => void): Wrap {
  return withFiles(SEGMENT, (file) =>
    fileLike(file, {
      write: (source, offset, length, position) => {
        const bytes = Buffer.from(source.subarray(offset, offset + length))
        for (const frame of framesIn(bytes, 0)) {
          erase(frame)
          frame.writeUInt32LE(strongChecksum(frame), FRAME.checksum)
        }
        return file.write(bytes, 0, length, position)
      },
      read: async (target, offset, length, position) => {
        const bytes = Buffer.alloc(file.size())
        await file.read(bytes, 0, bytes.length, 0)
        let previous = bytes.length < FILE_HEADER_BYTES ? 0 : bytes.readUInt32LE(FILE.checksum)
        for (const frame of framesIn(bytes, FILE_HEADER_BYTES)) {
          if (frame.readUInt32LE(FRAME.checksum) !== strongChecksum(frame)) break
          frame.writeUInt32LE(previous, FRAME.previousChecksum)
          previous = strongChecksum(frame)
          frame.writeUInt32LE(previous, FRAME.checksum)
        }
        const part = bytes.subarray(position, position + length)
        target.set(part, offset)
        return part.length
      },
    }),
  )
}

// ── weak checksums: frames that pass the weak check are read as if they were sound ──

const SEED = checksum(JOURNAL_ID)

function payloadChecksum(frame: Buffer): number {
  return checksum(frame.subarray(FRAME_HEADER_BYTES), SEED)
}

function strongChecksum(frame: Buffer): number {
  return checksum(frame.subarray(8), SEED)
}

/** Whole frames in a row, by the lengths in their headers. */
function* framesIn(bytes: Buffer, start: number): Generator<Buffer> {
  for (let at = start; at + FRAME_HEADER_BYTES <= bytes.length && bytes.readUInt32LE(at) === FRAME_MAGIC; ) {
    const end = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 8)
    if (end > bytes.length) return
    yield bytes.subarray(at, end)
    at = end
  }
}

function weakReader(
  accept: (frame: Buffer, stored: number) => Buffer | undefined,
  written: (frame: Buffer) => number = strongChecksum,
): Wrap {
  return withFiles(SEGMENT, (file) =>
    fileLike(file, {
      write: (source, offset, length, position) => {
        const bytes = Buffer.from(source.subarray(offset, offset + length))
        for (const frame of framesIn(bytes, 0)) frame.writeUInt32LE(written(frame), 4)
        return file.write(bytes, 0, length, position)
      },
      read: async (target, offset, length, position) => {
        const bytes = Buffer.alloc(file.size())
        await file.read(bytes, 0, bytes.length, 0)
        for (const frame of framesIn(bytes, FILE_HEADER_BYTES)) {
          if (accept(frame, frame.readUInt32LE(4)) === undefined) break
          frame.writeUInt32LE(strongChecksum(frame), 4)
        }
        const part = bytes.subarray(position, position + length)
        target.set(part, offset)
        return part.length
      },
    }),
  )
}
