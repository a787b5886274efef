/** A small journal as files in memory, its frames, and its state at the end of each of them. */
import { checksum } from '../../../src/durable/format/checksum.js'
import { FILE_HEADER_BYTES } from '../../../src/durable/format/format.js'
import { type Frame, readFrame } from '../../../src/durable/format/frame.js'
import { DiskHistory } from '../crash/crash-states.js'
import { Ledger } from '../crash/model.js'
import { DIRECTORY, JOURNAL_ID, Stage, type Wrap } from '../crash/stage.js'
import { SimulatedDisk } from './simulated-disk.js'

export type Files = Map<string, Uint8Array>

export interface WrittenJournal {
  files: Files
  ledger: Ledger
}

export interface WriteOptions {
  /** Closed, or killed. */
  isClean: boolean
  hasSnapshot?: boolean
  segmentBytes?: number
  journalId?: Buffer
  /** Makes the contents differ. */
  salt?: string
  /** A broken protocol. */
  wrap?: Wrap
}

export async function writeJournal(options: WriteOptions): Promise<WrittenJournal> {
  const { isClean, hasSnapshot = true, segmentBytes = 560, salt = '', wrap } = options
  const journalId: Buffer = options.journalId ?? JOURNAL_ID
  const disk = new SimulatedDisk()
  const stage = new Stage(disk, wrap, journalId)
  const cache = await stage.open({ fsync: 'never', compaction: { journalBytes: 1e9, segmentBytes } })
  cache.set('a', `first${salt}`, { ttl: 1000 })
  cache.set('b', { structured: salt })
  if (hasSnapshot) await cache.compact()
  else await cache.flush()
  for (let at = 0; at < 8; at++) {
    cache.set(`k${at % 3}`, `${salt}${'v'.repeat(10 + at)}`)
    if (at % 3 === 1) cache.transact(() => [cache.delete('k0'), cache.increment('n'), cache.expire('a', 500)])
    if (at % 2 === 1) await cache.flush()
    await stage.turn()
  }
  cache.get('a')
  if (isClean) await cache.close()
  else {
    cache.set('last', 1)
    await stage.turn()
    cache.set('very last', 2)
    await stage.turn()
    stage.kill()
    await cache.close().catch(() => undefined)
  }
  const history = new DiskHistory(disk)
  const ledger = new Ledger(disk)
  while (!history.isAtEnd) ledger.take(history.step(), history)
  return { files: disk.image(), ledger }
}

/** The frames of a segment or a snapshot. */
export function framesOf(content: Uint8Array): Frame[] {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length)
  const seed = checksum(bytes.subarray(16, 32))
  const frames: Frame[] = []
  for (let at = FILE_HEADER_BYTES; at < bytes.length; ) {
    const frame = readFrame(bytes, at, 0, bytes.length, seed)
    if ('problem' in frame) break
    frames.push(frame)
    at += frame.length
  }
  return frames
}

export const segmentsOf = (files: Files) => [...files.keys()].filter((path) => path.endsWith('.segment')).sort()

/** The same files with one of them changed. */
export function withFile(files: Files, path: string, content: Uint8Array | undefined): Files {
  const changed = new Map(files)
  if (content === undefined) changed.delete(path)
  else changed.set(path, content)
  return changed
}

export const segment = (sequence: number) => `${DIRECTORY}/${String(sequence).padStart(16, '0')}.segment`
