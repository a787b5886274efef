/** How far a damaged journal reaches, as far as anything that is readable says. Changes nothing. */
import { NO_SEQUENCE, type Sequence } from '../../core/model/sequence.js'
import { MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { checksum } from '../format/checksum.js'
import type { FileHeader } from '../format/file-header.js'
import { FILE_HEADER_BYTES } from '../format/format.js'
import { FrameScanner } from '../format/frame-scanner.js'
import type { JournalFile, JournalFiles } from '../format/journal-files.js'
import { soundFramesAfter } from '../history/sound-frames.js'
import { soundHeaderOf } from '../history/strict-reading.js'
import type { Storage } from '../storage/storage.js'

export interface Reach {
  /** The highest sequence that a name, a header or a frame says. */
  highest: Sequence
  /** The last event that was there. */
  lastEvent: Sequence
  /** Of the files: as LOCK says, unless no file bears that id. LOCK has no checksum, so then it is LOCK that is damaged. */
  journalId: Buffer | undefined
}

/** @param noted The id in LOCK, if there is one. */
export async function findReach(storage: Storage, files: JournalFiles, noted: Buffer | undefined): Promise<Reach> {
  const found = await headersOf(storage, files)
  const ids = found.flatMap(({ header }) => (header === undefined ? [] : [header.journalId]))
  const journalId = ids.find((id) => noted?.equals(id)) ?? ids[0] ?? noted
  const reach: Reach = { highest: NO_SEQUENCE, lastEvent: NO_SEQUENCE, journalId }
  const see = (lastEvent: number, sequence = lastEvent) => {
    reach.lastEvent = Math.max(reach.lastEvent, lastEvent) as Sequence
    reach.highest = Math.max(reach.highest, sequence) as Sequence
  }
  for (const { kind, file, header } of found) {
    for (const sequence of [file.sequence, header?.sequence ?? NO_SEQUENCE])
      see(kind === 'snapshot' ? sequence : Math.max(0, sequence - 1), sequence)
    const id = header?.journalId ?? journalId
    if (kind !== 'segment' || id === undefined) continue
    for await (const sequence of sequencesIn(storage, file, id)) see(sequence)
  }
  return reach
}

async function headersOf(storage: Storage, { segments, snapshots, loaded }: JournalFiles) {
  const kinds = [
    ['segment', segments],
    ['snapshot', snapshots],
    ['loaded', loaded],
  ] as const
  const found: { kind: (typeof kinds)[number][0]; file: JournalFile; header: FileHeader | undefined }[] = []
  for (const [kind, list] of kinds)
    for (const file of list) found.push({ kind, file, header: await soundHeaderOf(storage, file, kind) })
  return found
}

/** What the sound frames of a segment say, wherever they are in it. */
async function* sequencesIn(storage: Storage, { path }: JournalFile, journalId: Buffer): AsyncGenerator<number> {
  const file = storage.open(path, 'read')
  try {
    const scanner = new FrameScanner(file, checksum(journalId))
    for await (const { frame } of soundFramesAfter(scanner, FILE_HEADER_BYTES - 1)) {
      yield frame.durableSequence
      if (frame.kind === 'events') yield frame.firstSequence + frame.count - 1
    }
  } catch (error) {
    if (!(error instanceof MalformedBytesError)) throw error // too many forged headers: what was found counts
  } finally {
    file.close()
  }
}
