/**
 * What a journal's end means. The whole table; each row is a test in `test/durable/history/damage.test.ts`.
 *
 *  the chain stops at             and                                                     then
 *  ─────────────────────────────  ──────────────────────────────────────────────────────  ──────────────────────────────
 *  nothing: it is over            the last frame is no seal that names a successor        sound
 *  nothing: it is over            the last frame is a seal that names a successor         corrupt: a file is missing
 *  a foreign frame                (sound, but it does not follow: no torn write)          corrupt
 *  an unsound header              a predecessor sealed "goes on"; or frames are in it or
 *                                 in a later file; or the journal was in use              corrupt
 *  an unsound header              otherwise: its creation was interrupted                 sound; the file is dropped
 *  an unsound frame               a later segment has frames                              corrupt
 *  an unsound frame               a sound frame after it says that it was durable         corrupt
 *  an unsound frame               otherwise                                               torn tail: set aside, cut
 *
 * "Unsound header" includes a header that does not follow from the file before it. A file without frames and without the
 * expected number is no part of the chain: the beginning of a rotation that failed, whose removal a crash undid. It is
 * dropped wherever it stands. A seal proves no more than any other frame, because one fsync serves it and what it seals.
 *
 * One thing cannot be told apart: damage behind the last sequence that any frame says was durable looks like a write that
 * a crash cut short.
 */
import { join } from 'node:path'
import { CorruptionError } from '../../errors.js'
import { MalformedBytesError } from '../format/byte-reader.js'
import { checksum } from '../format/checksum.js'
import { FILE_HEADER_BYTES, fileName } from '../format/format.js'
import { FrameScanner } from '../format/frame-scanner.js'
import type { JournalFile } from '../format/journal-files.js'
import type { Storage } from '../storage/storage.js'
import type { ChainEnd, ChainStop } from './read-segments.js'

export type Verdict =
  | { verdict: 'sound'; dropped: JournalFile[] }
  | { verdict: 'torn'; stop: ChainStop; dropped: JournalFile[] }
  | { verdict: 'corrupt'; error: CorruptionError }

/** `wasInUse`: the lock file says that the journal was created whole once. */
export async function judge(
  storage: Storage,
  directory: string,
  segments: readonly JournalFile[],
  end: ChainEnd,
  wasInUse: boolean,
): Promise<Verdict> {
  const { stop } = end
  if (stop === undefined) {
    if (end.seal !== 'continued') return { verdict: 'sound', dropped: end.strays }
    return corrupt({
      file: join(directory, fileName(end.nextSequence, 'segment')),
      offset: 0,
      sequence: end.nextSequence,
      reason: 'the file is missing: the one before it was sealed and says that it goes on here',
    })
  }
  const found = { file: stop.file.path, offset: stop.offset, sequence: end.nextSequence, reason: stop.reason }
  const later = segments.slice(stop.index + 1)
  const isLastWithFrames = later.every(hasNoFrames)
  switch (stop.kind) {
    case 'foreign frame':
      return corrupt(found)
    case 'unsound header': {
      const wasDurable = end.seal === 'continued' || (stop.index === 0 && wasInUse)
      if (!wasDurable && isLastWithFrames && hasNoFrames(stop.file))
        return { verdict: 'sound', dropped: [...end.strays, stop.file, ...later] }
      return stop.error instanceof CorruptionError ? { verdict: 'corrupt', error: stop.error } : corrupt(found)
    }
    case 'unsound frame': {
      if (!isLastWithFrames) return corrupt({ ...found, reason: `${stop.reason}, and later files follow` })
      const witness = await findWitness(storage, stop, end)
      if (witness === 'too many') {
        return corrupt({
          ...found,
          reason: `${stop.reason}, and so many forged frames follow that what was on disk cannot be told`,
        })
      }
      if (witness === undefined) return { verdict: 'torn', stop, dropped: [...end.strays, ...later] }
      return corrupt({
        ...found,
        reason: `${stop.reason}, and a sound frame at byte ${witness} shows that what stood here was on disk`,
      })
    }
  }
}

/** A sound frame after the damage that says the damaged place was durable. Only a later frame can know. */
async function findWitness(storage: Storage, stop: ChainStop, end: ChainEnd): Promise<number | 'too many' | undefined> {
  const file = storage.open(stop.file.path, 'read')
  try {
    const scanner = new FrameScanner(file, checksum(end.journalId as Buffer)) // a frame was reached, so a header was read
    const frame = await scanner.findFrame(
      stop.offset,
      (candidate) => candidate.firstSequence >= end.nextSequence && candidate.durableSequence >= end.nextSequence,
    )
    return frame?.offset
  } catch (error) {
    if (error instanceof MalformedBytesError) return 'too many'
    throw error
    /* c8 ignore next -- V8 counts a way in here behind a catch that always leaves */
  } finally {
    file.close()
  }
}

function hasNoFrames(file: JournalFile): boolean {
  return file.bytes <= FILE_HEADER_BYTES
}

function corrupt(damage: ConstructorParameters<typeof CorruptionError>[0]): Verdict {
  return { verdict: 'corrupt', error: new CorruptionError(damage) }
}
