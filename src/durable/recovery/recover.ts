/**
 * Opens a journal, up to the place where the next frame goes.
 *
 *   open-directory ─► history: plan ─► replay (read-chain ─► damage) ─► set-aside (a torn write) ─► rewrite-unproven ─► renew-segment ─► journal/segments
 *
 * Reading is in `history/`; changing files is here and in the two phases that this calls. Nothing is changed until the whole
 * journal has been read and judged.
 */

import type { Clock } from '../../core/model/clock.js'
import type { Counters } from '../../core/model/counters.js'
import { FIRST_SEQUENCE, NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import type { JournalReceiver, RecoveredDamage, RecoveryReport } from '../contract.js'
import { VERSION } from '../format/format.js'
import { findJournalFiles, type JournalFile } from '../format/journal-files.js'
import type { Verdict } from '../history/damage.js'
import { journalIdIn, journalNote } from '../history/lock-file.js'
import { planReading } from '../history/plan.js'
import type { ChainEnd, SegmentPosition } from '../history/read-segments.js'
import { replay } from '../history/replay.js'
import { type Reach, reachOf } from '../snapshot/retention.js'
import type { Storage } from '../storage/storage.js'
import { findKeepable, nothing } from './keepable.js'
import { findReach } from './reach.js'
import { renewSegment } from './renew-segment.js'
import { rewriteUnproven } from './rewrite-unproven.js'
import { setAside } from './set-aside.js'
import { completeSettingAside, setJournalAside } from './set-journal-aside.js'

/** What the journal continues from. */
export interface Recovered {
  report: RecoveryReport
  /** `undefined` in a directory without a journal. */
  journalId: Buffer | undefined
  /** Whether LOCK already names the journal. */
  isNoted: boolean
  /** Where the next frame goes; `undefined` if there is no segment yet. */
  position: SegmentPosition | undefined
  nextSequence: Sequence
  durableSequence: Sequence
  snapshotSequence: Sequence
  snapshotBytes: number
  segments: number
  /** Bytes of all segments except the last. */
  sealedBytes: number
  /** Whether the journal ends with an order of use without the seal that completes it. */
  hasLooseRecency: boolean
  /** Whether the journal says what the limits are. */
  hasLimits: boolean
  /** The counters in the seal of a clean close, if the journal ends with one. */
  sealedCounters: Readonly<Counters> | undefined
  /** How far back one can look; `undefined` in a directory without a journal. */
  reach: Reach | undefined
}

/** For a journal that is new: nothing has to be read. */
export function newJournal(): Recovered {
  return {
    journalId: undefined,
    isNoted: false,
    position: undefined,
    nextSequence: FIRST_SEQUENCE,
    durableSequence: NO_SEQUENCE,
    snapshotSequence: NO_SEQUENCE,
    snapshotBytes: 0,
    segments: 1,
    sealedBytes: 0,
    hasLooseRecency: false,
    hasLimits: false,
    sealedCounters: undefined,
    reach: undefined,
    report: {
      snapshot: undefined,
      segments: 0,
      frames: 0,
      events: 0,
      sequence: NO_SEQUENCE,
      bytes: 0,
      durationMs: 0,
      clean: true,
      setAside: undefined,
      damage: undefined,
      evicted: 0,
      expired: 0,
    },
  }
}

/** What to do with a damaged journal: refuse it, keep what is sound before the damage, or keep nothing. */
export type OnCorruption = 'refuse' | 'salvage' | 'reset'

export interface RecoveryOptions {
  onCorruption: OnCorruption
  /** Returns 16 random bytes, for a damaged journal without any readable header. */
  newJournalId: () => Buffer
  clock: Clock
}

export async function recover(
  storage: Storage,
  directory: string,
  receiver: JournalReceiver,
  options: RecoveryOptions,
): Promise<Recovered> {
  const damage = await completeSettingAside(storage, directory)
  try {
    return await recoverSound(storage, directory, receiver, damage)
  } catch (error) {
    if (options.onCorruption === 'refuse' || !(error instanceof CorruptionError)) throw error
    const found = await setDamageAside(storage, directory, error, options)
    receiver.reset()
    return await recoverSound(storage, directory, receiver, found)
  }
}

/** Replaces a damaged journal by one that holds what is kept of it. */
async function setDamageAside(
  storage: Storage,
  directory: string,
  { file, offset, sequence, reason }: CorruptionError,
  { onCorruption, newJournalId, clock }: RecoveryOptions,
): Promise<RecoveredDamage> {
  const files = await findJournalFiles(storage, directory)
  const noted = journalIdIn(journalNote(storage, directory))
  const { highest, lastEvent, journalId } = await findReach(storage, files, noted)
  const kept = onCorruption === 'reset' ? nothing() : await findKeepable(storage, directory, files, journalId)
  const { last, incomplete, source } = kept
  const from = incomplete === undefined ? sequenceAfter(last) : FIRST_SEQUENCE
  const to = lastEvent > last ? lastEvent : incomplete
  const lost = to === undefined ? { from } : { from, to }
  try {
    return await setJournalAside(storage, directory, files, {
      damage: { file, offset, sequence, reason, lost },
      source,
      highest,
      journalId: noted ?? journalId ?? newJournalId(), // LOCK is not written again
      nowMs: clock.now(),
    })
  } finally {
    source.release()
  }
}

async function recoverSound(
  storage: Storage,
  directory: string,
  receiver: JournalReceiver,
  damage: RecoveredDamage | undefined,
): Promise<Recovered> {
  const startMs = performance.now()
  const files = await findJournalFiles(storage, directory)
  const plan = planReading(files, directory, journalNote(storage, directory))
  const { chain, snapshot, events, hasLooseRecency, hasLimits, bytes } = await replay(
    storage,
    directory,
    plan,
    receiver,
  )
  const { end, verdict } = chain
  if (verdict.verdict === 'corrupt') throw verdict.error

  for (const path of files.temporary) storage.unlink(path)
  for (const file of verdict.dropped) storage.unlink(file.path)
  const tail = await setTornTailAside(storage, verdict, end)
  const isKept = (file: JournalFile) => !verdict.dropped.includes(file)
  const used = plan.segments.filter(isKept)
  await rewriteUnproven(storage, used, end)
  const position = await renewed(storage, end)
  receiver.progress(bytes, bytes)

  const isSealed = tail === undefined && end.position?.seal === 'closed'
  return {
    journalId: end.journalId,
    isNoted: plan.note !== '',
    position,
    nextSequence: end.nextSequence,
    durableSequence: end.durableSequence,
    snapshotSequence: plan.snapshot?.sequence ?? NO_SEQUENCE,
    snapshotBytes: plan.snapshot?.bytes ?? 0,
    segments: Math.max(1, used.length),
    sealedBytes: used.slice(0, -1).reduce((sum, file) => sum + file.bytes, 0),
    hasLooseRecency,
    hasLimits,
    sealedCounters: isSealed ? end.counters : undefined,
    reach: await reachOf(storage, { ...files, segments: files.segments.filter(isKept) }),
    report: {
      snapshot,
      segments: used.length,
      frames: end.frames,
      events,
      sequence: sequenceAfter(end.nextSequence, -1),
      bytes,
      durationMs: performance.now() - startMs,
      clean: isSealed || bytes === 0,
      setAside: tail,
      damage,
      evicted: 0,
      expired: 0,
    },
  }
}

/** Where the next frame goes. A segment of an older version gets none, unless it can be renewed. */
async function renewed(storage: Storage, { position, journalId }: ChainEnd): Promise<ChainEnd['position']> {
  const isRenewable =
    position !== undefined && position.version < VERSION && position.nextSequence === position.sequence
  return isRenewable ? renewSegment(storage, position, journalId as Buffer) : position
}

async function setTornTailAside(
  storage: Storage,
  verdict: Verdict,
  { nextSequence }: ChainEnd,
): Promise<RecoveryReport['setAside']> {
  if (verdict.verdict !== 'torn') return undefined
  const { file, offset, reason } = verdict.stop
  const { savedAs, bytes } = await setAside(storage, file.path, offset)
  return { file: file.path, offset, bytes, sequence: nextSequence, reason, savedAs }
}
