/** Reading for a repair: from a base on, up to the first frame that opening would refuse, for whatever reason. */

import type { FileHeader } from '../../durable/format/file-header.js'
import type { Frame } from '../../durable/format/frame.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import { readLoaded } from '../../durable/history/loaded-file.js'
import { type Chain, eventsOf, readChain, readHeaderOf } from '../../durable/history/read-chain.js'
import type { ChainStart } from '../../durable/history/read-segments.js'
import { CorruptionError } from '../../errors.js'

/** A sound snapshot or the journal's beginning, and the segments that follow it. */
export interface Base {
  start: ChainStart
  segments: JournalFile[]
  hasSnapshot: boolean
}

export interface StrictReading {
  /** `undefined` when a frame was refused for what is in it. */
  chain: Chain | undefined
  refused: RefusedFrame | undefined
  lastFrame: { file: JournalFile; frame: Frame } | undefined
  lastSequence: number
}

/** A frame that is sound and of no use: it names a file that is damaged, or holds an event that nobody knows. */
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

export async function readStrictly(directory: string, { start, segments, hasSnapshot }: Base): Promise<StrictReading> {
  const reading: StrictReading = {
    chain: undefined,
    refused: undefined,
    lastFrame: undefined,
    lastSequence: start.nextSequence - 1,
  }
  try {
    reading.chain = await readChain(directory, segments, start, hasSnapshot, async (frame, bytes, file) => {
      try {
        for (const event of eventsOf(frame, bytes, file.path)) {
          if (event.type === 'loaded') await readLoaded(directory, event, () => undefined)
        }
      } catch (error) {
        if (!(error instanceof CorruptionError)) throw error
        throw new RefusedFrame(file, segments.indexOf(file), frame.offset, error)
      }
      reading.lastFrame = { file, frame }
      if (frame.kind === 'events') reading.lastSequence += frame.count
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
    return await readHeaderOf(file, kind)
  } catch (error) {
    if (error instanceof CorruptionError) return undefined
    throw error
  }
}
