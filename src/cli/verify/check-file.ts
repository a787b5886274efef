/** One file by itself: its header, each of its frames, and that they follow one another. */

import { MalformedBytesError } from '../../durable/format/byte-reader.js'
import { checksum } from '../../durable/format/checksum.js'
import { decodeFileHeader } from '../../durable/format/file-header.js'
import { FILE_HEADER_BYTES } from '../../durable/format/format.js'
import type { Frame } from '../../durable/format/frame.js'
import { FrameScanner } from '../../durable/format/frame-scanner.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { eventsOf, readHeaderOf } from '../../durable/history/read-chain.js'
import { readSegments } from '../../durable/history/read-segments.js'
import { soundFramesAfter } from '../../durable/history/sound-frames.js'
import { readSnapshot, takeRows } from '../../durable/snapshot/read-snapshot.js'
import { disk } from '../../durable/storage/disk.js'
import { readAll } from '../../durable/storage/storage.js'
import { CorruptionError, type Damage } from '../../errors.js'
import { type FileFinding, findingOf } from './findings.js'

export type FrameCounter = (frame: Frame) => void

/** A snapshot or a loaded file. Its rows are decoded too. */
export async function checkRows(
  file: JournalFile,
  kind: 'snapshot' | 'loaded',
  count: FrameCounter,
): Promise<FileFinding> {
  const finding = findingOf(file, kind)
  try {
    await readSnapshot(disk, { path: file.path, kind, sequence: file.sequence }, (frame, bytes) => {
      finding.items += countRows(frame, bytes, file)
      finding.frames++
      count(frame)
    })
  } catch (error) {
    await addDamage(finding, file, damageOf(error, file))
  }
  return finding
}

function countRows(frame: Frame, bytes: Buffer, file: JournalFile): number {
  try {
    takeRows(frame, bytes, () => undefined)
    return frame.count
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error
    throw new CorruptionError({ file: file.path, offset: frame.offset, sequence: file.sequence, reason: error.message })
  }
}

/** A segment that the chain does not lead to: it begins where its own header says. */
export async function checkSegmentAlone(file: JournalFile, count: FrameCounter): Promise<FileFinding> {
  const finding = findingOf(file, 'segment')
  try {
    const { journalId, sequence, previousChecksum } = await readHeaderOf(file, 'segment')
    const end = await readSegments(
      disk,
      [file],
      { journalId, nextSequence: sequence, previousChecksum },
      (frame, bytes) => {
        for (const _ of eventsOf(frame, bytes, file.path)) finding.items++
        finding.frames++
        count(frame)
      },
    )
    if (end.stop !== undefined) {
      const { offset, reason } = end.stop
      await addDamage(finding, file, { file: file.path, offset, sequence: end.nextSequence, reason })
    }
  } catch (error) {
    await addDamage(finding, file, damageOf(error, file))
  }
  return finding
}

/** Marks the file as damaged, and counts what is sound after the damage. */
export async function addDamage(finding: FileFinding, file: JournalFile, damage: Damage): Promise<void> {
  const { offset, sequence, reason } = damage
  finding.status = 'corrupt'
  finding.damage = { offset, sequence, reason, ...(await countSoundAfter(file, finding.kind, offset)) }
}

async function countSoundAfter(file: JournalFile, kind: FileFinding['kind'], offset: number) {
  let soundFrames = 0
  let soundItems = 0
  const opened = disk.open(file.path, 'read')
  try {
    const bytes = Buffer.alloc(FILE_HEADER_BYTES)
    const length = await readAll(opened, bytes, 0, FILE_HEADER_BYTES, 0)
    const { journalId } = decodeFileHeader(bytes.subarray(0, length), file.path, { kind, sequence: file.sequence })
    const scanner = new FrameScanner(opened, checksum(journalId))
    for await (const { frame } of soundFramesAfter(scanner, offset)) {
      soundFrames++
      if (frame.kind === 'events' || frame.kind === 'rows') soundItems += frame.count
    }
  } catch {
    // Without its header a file's frames cannot be told from others.
  } finally {
    opened.close()
  }
  return { soundFramesAfter: soundFrames, soundItemsAfter: soundItems }
}

/** What a CorruptionError says of one file. Anything else is no damage and goes on being thrown. */
export function damageOf(error: unknown, file: JournalFile): Damage {
  if (!(error instanceof CorruptionError)) throw error
  const { offset, sequence, reason } = error
  return { file: file.path, offset, sequence, reason }
}
