/**
 * How to make a damaged journal open again with the smallest loss, without guessing:
 *
 *   damage                    repair                                                           lost
 *   ────────────────────────  ───────────────────────────────────────────────────────────────  ─────────────────────────────
 *   a header, frames sound    rebuild it, if the first frame proves it right                   nothing
 *   a frame, in any segment   set aside everything from there on, and all later segments       every event from there on
 *   a segment is missing      set aside all later segments                                     every event from there on
 *   the snapshot              use an older snapshot, if the journal since then still exists;   nothing
 *                             otherwise write a new one with the rows that are sound           the other rows
 *   the beginning is missing  write an empty snapshot, for the events that follow              what came before
 *   LOCK, or a file, is of    plan-other-journal                                               nothing
 *   another journal
 *
 * Events are never removed from the middle: without a `deleted` event, a deleted entry would be back. A missing row of a
 * snapshot is only a miss.
 */
import { randomBytes } from 'node:crypto'
import { Counters } from '../../core/model/counters.js'
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { readHeaderOf } from '../../durable/format/file-header.js'
import type { Frame } from '../../durable/format/frame.js'
import type { JournalFile, JournalFiles } from '../../durable/format/journal-files.js'
import { journalIdIn, journalNote } from '../../durable/history/lock-file.js'
import type { ChainStart, ChainStop } from '../../durable/history/read-segments.js'
import { JOURNAL_BEGIN, startAfter } from '../../durable/history/replay.js'
import { type Base, readStrictly, soundHeaderOf } from '../../durable/history/strict-reading.js'
import { disk } from '../../durable/storage/disk.js'
import { checkRows } from '../journal/check-file.js'
import { listJournal } from '../journal/journal-directory.js'
import { showCount, showCountOf } from '../terminal/quantities.js'
import { describeLoss, type SetAsidePart } from './losses.js'
import { ownersOf, planOtherJournal } from './plan-other-journal.js'
import { rebuildHeader } from './rebuild-header.js'
import type { RepairPlan, RepairStep } from './repair-plan.js'
import { salvageRows } from './salvage.js'

export async function planRepair(directory: string): Promise<RepairPlan> {
  return new Planner(directory, await listJournal(directory)).plan()
}

class Planner {
  readonly #directory: string
  readonly #files: JournalFiles
  /** From the sound headers, or from LOCK. */
  #journalId: Buffer | undefined

  constructor(directory: string, files: JournalFiles) {
    this.#directory = directory
    this.#files = files
  }

  async plan(): Promise<RepairPlan> {
    const newest = this.#files.snapshots.at(-1)
    const noted = journalIdIn(journalNote(disk, this.#directory))
    const owned = await ownersOf(this.#files)
    this.#journalId = (owned.find(({ journalId }) => noted?.equals(journalId)) ?? owned[0])?.journalId ?? noted
    const first = newest ?? this.#files.segments[0]
    const other = planOtherJournal(this.#directory, owned, first, noted)
    if (other !== undefined) return other
    if (newest === undefined) return this.#planFrom(undefined)
    const { damage } = await checkRows(newest, 'snapshot', () => undefined)
    if (damage === undefined) return this.#planFrom(newest)
    const finding = `${newest.path}, byte ${damage.offset}: ${damage.reason}`
    return (await this.#planOlder(newest, finding)) ?? (await this.#planSalvage(newest, finding))
  }

  // ── the snapshot ──

  /** The journal from which the snapshot was made, if compaction has not removed it yet. */
  async #planOlder(newest: JournalFile, finding: string): Promise<RepairPlan | undefined> {
    const { snapshots } = this.#files
    const older = [...snapshots.slice(0, -1).reverse(), undefined]
    for (const [index, snapshot] of older.entries()) {
      if (snapshot !== undefined && (await checkRows(snapshot, 'snapshot', () => undefined)).damage !== undefined)
        continue
      const base = await this.#baseOf(snapshot)
      if (base.segments[0]?.sequence !== base.start.nextSequence) continue
      const reading = await readStrictly(disk, this.#directory, base)
      if (reading.lastSequence < newest.sequence) continue
      const aside = [newest, ...older.slice(0, index)].filter((file) => file !== undefined)
      return {
        status: 'corrupt',
        finding,
        steps: aside.map((file): RepairStep => ({ type: 'move aside', file })),
        losses: [],
      }
    }
    return undefined
  }

  async #planSalvage(newest: JournalFile, finding: string): Promise<RepairPlan> {
    const journalId = this.#journalId
    const next = this.#files.segments.find(({ sequence }) => sequence === sequenceAfter(newest.sequence))
    // As the next segment says. If that is damaged, too, it will be set aside anyway.
    const previousChecksum =
      (next === undefined ? undefined : await soundHeaderOf(disk, next, 'segment'))?.previousChecksum ??
      (await soundHeaderOf(disk, newest, 'snapshot'))?.previousChecksum ??
      0
    if (journalId === undefined) {
      return {
        status: 'corrupt',
        finding,
        steps: [
          ...[...this.#files.segments, newest].map((file): RepairStep => ({ type: 'move aside', file })),
          begin(JOURNAL_BEGIN),
        ],
        losses: ['everything: no header shows which journal these files belong to. They are kept as .broken files.'],
      }
    }
    const { rows, counters, limits, total, isTotalKnown } = await salvageRows(newest, journalId)
    const lost = total - rows.length
    const losses = isTotalKnown
      ? lost === 0
        ? []
        : [`${showCount(lost)} of the ${showCountOf(total, 'entry', 'entries')} of ${newest.name}.`]
      : [
          `the entries of ${newest.name} after the damage; ${showCount(rows.length)} were read. How many it held is unknown.`,
        ]
    const { sequence } = newest
    return {
      status: 'corrupt',
      finding,
      steps: [{ type: 'write snapshot', sequence, journalId, previousChecksum, rows, counters, limits, file: newest }],
      losses,
    }
  }

  // ── the segments ──

  async #baseOf(snapshot: JournalFile | undefined): Promise<Base> {
    const start = startAfter(snapshot && (await readHeaderOf(disk, snapshot, 'snapshot')))
    const segments = this.#files.segments.filter((file) => file.sequence >= start.nextSequence)
    return { snapshot, segments, note: journalNote(disk, this.#directory), start }
  }

  async #planFrom(snapshot: JournalFile | undefined): Promise<RepairPlan> {
    const base = await this.#baseOf(snapshot)
    const { start, segments } = base
    const [first] = segments
    const journalId = start.journalId ?? this.#journalId
    if (first?.sequence !== start.nextSequence) return this.#planGap(base, journalId)

    const { chain, refused, lastFrame, lastSequence } = await readStrictly(disk, this.#directory, base)
    if (refused === undefined && chain?.verdict.verdict === 'sound') {
      return { status: 'sound', finding: '', steps: [], losses: [] }
    }
    if (chain?.verdict.verdict === 'torn') {
      const { file, offset, reason } = chain.verdict.stop
      return {
        status: 'torn',
        finding: `${file.path}, byte ${offset}, sequence ${lastSequence + 1}: ${reason}`,
        steps: [{ type: 'cut', file, offset }],
        losses: [
          `what a crash cut short after sequence ${showCount(lastSequence)}; nothing shows that it was ever complete on disk.`,
        ],
      }
    }

    const stop = refused ?? chain?.end.stop
    const error = refused?.error ?? (chain?.verdict.verdict === 'corrupt' ? chain.verdict.error : undefined)
    // A seal at the end names the file in which the journal continues. Without that file the seal must go, too.
    const seal = refused === undefined && chain?.end.position?.seal === 'continued' ? lastFrame : undefined
    if (stop === undefined && seal === undefined) throw error // nothing that a repair knows
    const finding = `${error?.file}, byte ${error?.offset}, sequence ${error?.sequence}: ${error?.reason}`
    if (chain?.end.stop?.error !== undefined && stop?.file.sequence === lastSequence + 1 && journalId !== undefined) {
      const previousChecksum = stop.index === 0 ? start.previousChecksum : (chain?.end.position?.lastChecksum ?? 0)
      const header = await rebuildHeader(stop.file, journalId, previousChecksum)
      if (header !== undefined)
        return { status: 'corrupt', finding, steps: [{ type: 'rebuild header', file: stop.file, header }], losses: [] }
    }
    return this.#planCut(base, { stop, seal, finding, firstLost: sequenceAfter(lastSequence), journalId })
  }

  async #planCut(
    { start, segments }: Base,
    damage: {
      stop: Pick<ChainStop, 'file' | 'index' | 'offset' | 'kind'> | undefined
      seal: { file: JournalFile; frame: Frame } | undefined
      finding: string
      firstLost: Sequence
      journalId: Buffer | undefined
    },
  ): Promise<RepairPlan> {
    const { stop, seal, finding, firstLost, journalId } = damage
    const steps: RepairStep[] = []
    const parts: SetAsidePart[] = []
    const isWholeFile = stop?.kind === 'unsound header'
    const aside = stop === undefined ? [] : segments.slice(stop.index + (isWholeFile ? 0 : 1))
    for (const file of [...aside].reverse()) {
      steps.push({ type: 'move aside', file })
      parts.push({ file, offset: 0 })
    }
    const cut = seal === undefined ? stop : { file: seal.file, offset: seal.frame.offset }
    if (cut !== undefined && (!isWholeFile || seal !== undefined)) {
      steps.push({ type: 'cut', file: cut.file, offset: cut.offset })
      parts.push(cut)
    }
    if (isWholeFile && stop?.index === 0) steps.push(begin(start, journalId))
    return { status: 'corrupt', finding, steps, losses: await describeLoss(parts, firstLost, journalId) }
  }

  /** The first file is missing. */
  async #planGap({ start, snapshot, segments, note }: Base, journalId: Buffer | undefined): Promise<RepairPlan> {
    const { nextSequence } = start
    const [first] = segments
    const finding = `sequence ${nextSequence} is in no file${first === undefined ? '' : `; the next one found is ${first.sequence}`}`
    const header = first === undefined ? undefined : await soundHeaderOf(disk, first, 'segment')
    if (snapshot === undefined && first !== undefined && header !== undefined) {
      const { previousChecksum } = header
      return {
        status: 'corrupt',
        finding,
        steps: [
          {
            type: 'write snapshot',
            sequence: sequenceAfter(first.sequence, -1),
            journalId: header.journalId,
            previousChecksum,
            rows: [],
            counters: new Counters(),
            limits: undefined,
            file: undefined,
          },
        ],
        losses: [`everything through sequence ${showCount(first.sequence - 1)}: no file holds it.`],
      }
    }
    if (snapshot === undefined && first === undefined && note === '' && this.#files.loaded.length === 0) {
      return { status: 'sound', finding: '', steps: [], losses: [] }
    }
    const aside = [...segments].reverse()
    return {
      status: 'corrupt',
      finding,
      steps: [...aside.map((file): RepairStep => ({ type: 'move aside', file })), begin(start, journalId)],
      losses: await describeLoss(
        aside.map((file) => ({ file, offset: 0 })),
        nextSequence,
        journalId,
      ),
    }
  }
}

/** Without a `journalId` the journal gets a new one. */
function begin({ nextSequence, previousChecksum }: ChainStart, journalId?: Buffer): RepairStep {
  return { type: 'begin segment', sequence: nextSequence, journalId: journalId ?? randomBytes(16), previousChecksum }
}
