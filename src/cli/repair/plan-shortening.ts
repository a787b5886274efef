/**
 * How a journal is made to end earlier, at a sequence that the user names: `repair --to`. Whole frames are kept as far as they go,
 * because a frame is valid as a whole or not at all. What is damaged behind that place does not matter.
 */
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { readHeaderOf } from '../../durable/format/file-header.js'
import type { JournalFile } from '../../durable/format/journal-files.js'
import type { ReadingPlan } from '../../durable/history/plan.js'
import { type ChainEnd, type ChainStart, readSegments } from '../../durable/history/read-segments.js'
import { startAfter } from '../../durable/history/replay.js'
import { disk } from '../../durable/storage/disk.js'
import { listJournal, planOpening } from '../journal/journal-directory.js'
import { UsageError } from '../terminal/failures.js'
import { showCount } from '../terminal/quantities.js'
import { describeLoss, type SetAsidePart } from './losses.js'
import { planRepair } from './plan-repair.js'
import type { RepairPlan, RepairStep } from './repair-plan.js'

/** The first frame with an event that is not wanted: it is set aside, with all that follows. */
interface FirstBeyond {
  file: JournalFile
  offset: number
  first: Sequence
  last: Sequence
}

/** @throws UsageError for a sequence at which the journal cannot end; CorruptionError when its first file is missing. */
export async function planShortening(directory: string, to: Sequence): Promise<RepairPlan> {
  const plan = planOpening(await listJournal(directory), directory)
  const { snapshot } = plan
  if (snapshot !== undefined && to < snapshot.sequence)
    throw new UsageError(
      `The journal cannot end with sequence ${to}: ${snapshot.name} covers the events through ${snapshot.sequence}, and they are in no file any more. The earliest end is --to ${snapshot.sequence}. Nothing was changed.`,
    )
  const start = startAfter(snapshot && (await readHeaderOf(disk, snapshot, 'snapshot')))
  const found = await findFirstBeyond(plan, start, to)
  if ('file' in found) return planCut(plan, found, to)
  if (sequenceAfter(found.nextSequence, -1) < to) throw noSuchEnd(to, found)
  return planRepair(directory) // it ends there, or is damaged from there on
}

/** Where the journal ends, if no frame is beyond. */
async function findFirstBeyond(
  { segments }: ReadingPlan,
  start: ChainStart,
  to: Sequence,
): Promise<FirstBeyond | ChainEnd> {
  let found: FirstBeyond | undefined
  const enough = new Error('found')
  try {
    return await readSegments(disk, segments, start, ({ kind, firstSequence: first, count, offset }, _, file) => {
      const last = sequenceAfter(first, count - 1)
      if (kind !== 'events' || last <= to) return
      found = { file, offset, first, last }
      throw enough
    })
  } catch (error) {
    if (error !== enough || found === undefined) throw error
    return found
  }
}

function noSuchEnd(to: Sequence, { nextSequence, stop }: ChainEnd): UsageError {
  const last = nextSequence - 1
  const why =
    stop === undefined
      ? `it ends with ${last}`
      : `it is damaged behind ${last} (${stop.file.name}, byte ${stop.offset}: ${stop.reason}), which "daybook repair" is for`
  return new UsageError(`The journal cannot end with sequence ${to}: ${why}. Nothing was changed.`)
}

async function planCut({ segments }: ReadingPlan, beyond: FirstBeyond, to: Sequence): Promise<RepairPlan> {
  const { file, offset, first, last } = beyond
  const aside = segments.slice(segments.indexOf(file) + 1).reverse()
  const parts: SetAsidePart[] = [...aside.map((later) => ({ file: later, offset: 0 })), { file, offset }]
  const steps: RepairStep[] = [
    ...aside.map((later): RepairStep => ({ type: 'move aside', file: later })),
    { type: 'cut', file, offset },
  ]
  const end = `it would end with sequence ${showCount(first - 1)}`
  const finding = first > to ? end : `sequences ${showCount(first)}–${showCount(last)} are one frame, so ${end}`
  const { journalId } = await readHeaderOf(disk, file, 'segment')
  return { status: 'sound', finding, steps, losses: await describeLoss(parts, first, journalId) }
}
