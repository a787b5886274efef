/** What a repair loses, as far as it is known: the sound frames in what is set aside show how far the journal reached. */
import { checksum } from '../../durable/format/checksum.js'
import { FILE_HEADER_BYTES } from '../../durable/format/format.js'
import { FrameScanner } from '../../durable/format/frame-scanner.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { soundFramesAfter } from '../../durable/history/sound-frames.js'
import { disk } from '../../durable/storage/disk.js'
import { showBytes, showCount, showCountOf } from '../terminal/quantities.js'

/** A file that is set aside from `offset` on. */
export interface SetAsidePart {
  file: JournalFile
  offset: number
}

export async function describeLoss(
  parts: readonly SetAsidePart[],
  firstLost: number,
  journalId: Buffer | undefined,
): Promise<string[]> {
  let bytes = 0
  let frames = 0
  let events = 0
  let last = firstLost - 1
  for (const part of parts) {
    bytes += part.file.bytes - part.offset
    if (journalId === undefined) continue
    const found = await countSound(part, journalId)
    frames += found.frames
    events += found.events
    last = Math.max(last, found.last)
  }
  const lines: string[] = []
  if (last >= firstLost) {
    lines.push(`events ${showCount(firstLost)}–${showCount(last)} (at least).`)
    if (events > 0) {
      lines.push(
        `${showCountOf(events, 'event')} of them ${events === 1 ? 'is' : 'are'} in ${showCountOf(frames, 'sound frame')}.`,
      )
    }
  } else lines.push(`everything after sequence ${showCount(firstLost - 1)}; how much that was is unknown.`)
  if (bytes > 0) lines.push(`${showBytes(bytes)} are kept in .broken files.`)
  return lines
}

async function countSound({ file, offset }: SetAsidePart, journalId: Buffer) {
  const found = { frames: 0, events: 0, last: 0 }
  const opened = disk.open(file.path, 'read')
  try {
    const scanner = new FrameScanner(opened, checksum(journalId))
    for await (const { frame } of soundFramesAfter(scanner, Math.max(offset, FILE_HEADER_BYTES) - 1)) {
      found.last = Math.max(found.last, frame.durableSequence)
      if (frame.kind !== 'events' || frame.count === 0) continue
      found.frames++
      found.events += frame.count
      found.last = Math.max(found.last, frame.firstSequence + frame.count - 1)
    }
  } finally {
    opened.close()
  }
  return found
}
