/** Checks one file: its header, each of its frames, and that they follow one another. */
import { checksum } from '../../durable/format/checksum.js'
import { readFileHeader, readHeaderOf } from '../../durable/format/file-header.js'
import type { Frame } from '../../durable/format/frame.js'
import { FrameScanner } from '../../durable/format/frame-scanner.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { eventsOf } from '../../durable/history/frame-events.js'
import { readSegments } from '../../durable/history/read-segments.js'
import { soundFramesAfter } from '../../durable/history/sound-frames.js'
import { readSnapshot, takeRows } from '../../durable/snapshot/read-snapshot.js'
import { disk } from '../../durable/storage/disk.js'
import { CorruptionError, type Damage } from '../../errors.js'
import { type FileFinding, findingOf } from './findings.js'

export type FrameCounter = (frame: Frame) => void

/** A snapshot or a loaded file. Its rows are decoded, and no key may appear twice. */
export async function checkRows(
  file: JournalFile,
  kind: 'snapshot' | 'loaded',
  count: FrameCounter,
): Promise<FileFinding> {
  const finding = findingOf(file, kind)
  const keys = new Set<string>()
  try {
    await readSnapshot(disk, { path: file.path, kind, sequence: file.sequence }, (frame, bytes) => {
      takeRows(frame, bytes, (key) => keys.size < keys.add(key).size)
      finding.items += frame.count
      finding.frames++
      count(frame)
    })
  } catch (error) {
    await addDamage(finding, file, damageOf(error, file))
  }
  return finding
}

/** A segment that the chain does not reach, checked from the start that its own header gives. */
export async function checkSegmentAlone(file: JournalFile, count: FrameCounter): Promise<FileFinding> {
  const finding = findingOf(file, 'segment')
  try {
    const { journalId, sequence, previousChecksum } = await readHeaderOf(disk, file, 'segment')
    const start = { journalId, nextSequence: sequence, previousChecksum }
    const end = await readSegments(disk, [file], start, (frame, bytes) => {
      for (const _ of eventsOf(frame, bytes, file.path)) finding.items++
      finding.frames++
      count(frame)
    })
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

async function countSoundAfter({ path, sequence }: JournalFile, kind: FileFinding['kind'], offset: number) {
  let soundFrames = 0
  let soundItems = 0
  const opened = disk.open(path, 'read')
  try {
    const { journalId } = await readFileHeader(opened, { kind, sequence })
    for await (const { frame } of soundFramesAfter(new FrameScanner(opened, checksum(journalId)), offset)) {
      soundFrames++
      if (frame.kind === 'events' || frame.kind === 'rows') soundItems += frame.count
    }
  } catch {
    // Without a header the frames of a file cannot be distinguished from those of another journal.
  } finally {
    opened.close()
  }
  return { soundFramesAfter: soundFrames, soundItemsAfter: soundItems }
}

/** The damage that a CorruptionError reports. Any other error is thrown. */
export function damageOf(error: unknown, file: JournalFile): Damage {
  if (!(error instanceof CorruptionError)) throw error
  const { offset, sequence, reason } = error
  return { file: file.path, offset, sequence, reason }
}
