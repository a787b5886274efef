/**
 * Which frame may come next in a segment. The reader refuses a frame that does not follow; the writer asserts the same of
 * every frame before it writes it.
 */
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { SEAL_HAS_SUCCESSOR } from './format.js'
import type { FrameHeader } from './frame.js'

/** The place behind a frame, or behind the file header of a segment without frames. */
export interface FramePlace {
  nextSequence: Sequence
  /** The checksum of the frame or file header before it. */
  lastChecksum: number
  /** Whether that is a seal, and whether the seal says that the journal continues in another file. */
  seal: 'closed' | 'continued' | undefined
}

/** Why a frame cannot stand at a place; `undefined` when it can. */
export function whyNotNext(frame: FrameHeader, place: FramePlace): string | undefined {
  if (place.seal === 'continued') return 'a frame follows the seal of a segment that continues in another file'
  if (frame.firstSequence !== place.nextSequence) {
    return `the frame here begins with sequence ${frame.firstSequence}: frames are missing, duplicated or swapped`
  }
  if (frame.previousChecksum !== place.lastChecksum) return 'the frame here does not follow the one before it'
  if (frame.kind === 'rows' || frame.kind === 'end')
    return `a frame of kind "${frame.kind}" does not belong in a segment`
  if (!(frame.durableSequence < place.nextSequence)) return 'the frame claims that later sequences are durable'
  return undefined
}

/** Moves a place behind the frame that was read or written there. */
export function moveBehind(place: FramePlace, frame: FrameHeader, checksum: number): void {
  if (frame.kind === 'events') place.nextSequence = sequenceAfter(place.nextSequence, frame.count)
  place.seal = frame.kind !== 'seal' ? undefined : frame.flags & SEAL_HAS_SUCCESSOR ? 'continued' : 'closed'
  place.lastChecksum = checksum
}
