/** Reads a damaged journal up to the first frame that opening would refuse for any reason. Changes nothing. */
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import { type FileHeader, readHeaderOf } from '../format/file-header.js'
import type { Frame } from '../format/frame.js'
import type { JournalFile } from '../format/journal-files.js'
import type { ReadableStorage } from '../storage/storage.js'
import { checkingReceiver } from './checking-receiver.js'
import type { ReadingPlan } from './plan.js'
import { type Chain, readChain } from './read-chain.js'
import type { ChainStart } from './read-segments.js'
import { Replayer } from './replay.js'

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

export async function readStrictly(storage: ReadableStorage, directory: string, base: Base): Promise<StrictReading> {
  const { start, segments } = base
  const reading: StrictReading = {
    chain: undefined,
    refused: undefined,
    lastFrame: undefined,
    lastSequence: sequenceAfter(start.nextSequence, -1),
  }
  const replayer = new Replayer(storage, directory, checkingReceiver())
  try {
    reading.chain = await readChain(storage, directory, base, start, async (frame, bytes, file) => {
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
  storage: ReadableStorage,
  file: JournalFile,
  kind: 'segment' | 'snapshot' | 'loaded',
): Promise<FileHeader | undefined> {
  try {
    return await readHeaderOf(storage, file, kind)
  } catch (error) {
    if (error instanceof CorruptionError) return undefined
    throw error
  }
}
