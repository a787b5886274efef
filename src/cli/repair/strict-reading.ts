/** Reads a journal for a repair: up to the first frame that opening would refuse for any reason. */
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { type FileHeader, readHeaderOf } from '../../durable/format/file-header.js'
import type { Frame } from '../../durable/format/frame.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { checkingReceiver } from '../../durable/history/checking-receiver.js'
import type { ReadingPlan } from '../../durable/history/plan.js'
import { type Chain, readChain } from '../../durable/history/read-chain.js'
import type { ChainStart } from '../../durable/history/read-segments.js'
import { Replayer } from '../../durable/history/replay.js'
import { disk } from '../../durable/storage/disk.js'
import { CorruptionError } from '../../errors.js'

/** The segments of a plan, and what the first of them must follow: a sound snapshot, or the beginning of the journal. */
export interface Base extends ReadingPlan {
  start: ChainStart
}

export interface StrictReading {
  /** `undefined` if the content of a frame was refused. */
  chain: Chain | undefined
  refused: RefusedFrame | undefined
  lastFrame: { file: JournalFile; frame: Frame } | undefined
  lastSequence: Sequence
}

/** A sound frame that cannot be used: it names a damaged file, or holds an event of an unknown type. */
export class RefusedFrame extends Error {
  readonly kind = 'foreign frame'
  readonly file: JournalFile
  readonly index: number
  readonly offset: number
  readonly error: CorruptionError

  constructor(file: JournalFile, index: number, offset: number, error: CorruptionError) {
    super(error.message)
    this.file = file
    this.index = index
    this.offset = offset
    this.error = error
  }
}

export async function readStrictly(directory: string, base: Base): Promise<StrictReading> {
  const { start, segments } = base
  const reading: StrictReading = {
    chain: undefined,
    refused: undefined,
    lastFrame: undefined,
    lastSequence: sequenceAfter(start.nextSequence, -1),
  }
  const replayer = new Replayer(disk, directory, checkingReceiver())
  try {
    reading.chain = await readChain(disk, directory, base, start, async (frame, bytes, file) => {
      try {
        await replayer.frame(frame, bytes, file)
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error
        throw new RefusedFrame(file, segments.indexOf(file), frame.offset, error)
      }
      reading.lastFrame = { file, frame }
      if (frame.kind === 'events') reading.lastSequence = sequenceAfter(reading.lastSequence, frame.count)
    })
  } catch (error) {
    if (!(error instanceof RefusedFrame)) throw error
    reading.refused = error
  }
  return reading
}

export async function soundHeaderOf(
  file: JournalFile,
  kind: 'segment' | 'snapshot' | 'loaded',
): Promise<FileHeader | undefined> {
  try {
    return await readHeaderOf(disk, file, kind)
  } catch (error) {
    if (error instanceof CorruptionError) return undefined
    throw error
  }
}
