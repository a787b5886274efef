/**
 * Checks a whole journal without opening it: every frame of every file, the order of the files, and what the end means, with
 * the same code as opening. Damage does not end the check: the remaining files are then checked one by one.
 */
import { basename } from 'node:path'
import { LAST_SEQUENCE, NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { readHeaderOf } from '../../durable/format/file-header.js'
import type { Frame } from '../../durable/format/frame.js'
import { allOf, type JournalFile, type JournalFiles } from '../../durable/format/journal-files.js'
import { checkingReceiver } from '../../durable/history/checking-receiver.js'
import type { ReadingPlan } from '../../durable/history/plan.js'
import { type Chain, readChain } from '../../durable/history/read-chain.js'
import type { ChainStart } from '../../durable/history/read-segments.js'
import { JOURNAL_BEGIN, Replayer, startAfter } from '../../durable/history/replay.js'
import { anchorsIn } from '../../durable/snapshot/retention.js'
import { disk } from '../../durable/storage/disk.js'
import { CorruptionError, type Damage } from '../../errors.js'
import { addDamage, checkRows, checkSegmentAlone, damageOf } from '../journal/check-file.js'
import { type FileFinding, findingOf, type Verification } from '../journal/findings.js'
import { planOpening, readJournal } from '../journal/journal-directory.js'

export type ByteProgress = (doneBytes: number, totalBytes: number) => void

export async function verifyJournal(directory: string, progress: ByteProgress): Promise<Verification> {
  const { result, isLive } = await readJournal(directory, async (files) => {
    const verification = await new Check(directory, files, progress).run()
    const { problem } = verification
    return {
      result: verification,
      trouble: problem === undefined ? undefined : `${problem.file} ${problem.offset} ${problem.reason}`,
    }
  })
  result.isLive = isLive
  return isLive && result.status === 'torn' ? asBeingWritten(result) : result
}

/** The end of a journal that is open elsewhere is not torn, only incomplete. */
function asBeingWritten(verification: Verification): Verification {
  for (const finding of verification.files) if (finding.status === 'torn') finding.status = 'being written'
  return { ...verification, status: 'sound', problem: undefined }
}

class Check {
  readonly #directory: string
  readonly #files: JournalFiles
  readonly #count: (frame: Frame) => void
  readonly #replayer: Replayer
  readonly #findings = new Map<string, FileFinding>()
  /** Loaded files that opening reads. */
  readonly #needed = new Set<string>()
  /** The first thing that opening would refuse. */
  #problem: Damage | undefined
  #sequence: Sequence = NO_SEQUENCE

  constructor(directory: string, files: JournalFiles, progress: ByteProgress) {
    this.#directory = directory
    this.#files = files
    const totalBytes = allOf(files).reduce((sum, file) => sum + file.bytes, 0)
    let doneBytes = 0
    this.#count = (frame) => progress((doneBytes += frame.length), totalBytes)
    const receiver = checkingReceiver(({ file }) => this.#needed.add(file))
    this.#replayer = new Replayer(disk, directory, receiver)
  }

  async run(): Promise<Verification> {
    const snapshot = this.#files.snapshots.at(-1)
    const isSnapshotSound = await this.#checkSnapshots(snapshot)
    const plan = this.#plan(snapshot)
    let status: Verification['status'] = 'corrupt'
    if (plan !== undefined) {
      this.#sequence = snapshot?.sequence ?? NO_SEQUENCE
      const start = isSnapshotSound ? await this.#startAfter(snapshot) : await this.#ownStart(plan.segments)
      if (start !== undefined) status = await this.#checkChain(plan, start)
    }
    if (!isSnapshotSound) status = 'corrupt'
    await this.#checkRest(plan?.segments ?? [])
    return {
      directory: this.#directory,
      status,
      isLive: false,
      sequence: this.#sequence,
      files: allOf(this.#files).map((file) => this.#findings.get(file.name) ?? findingOf(file, 'segment', 'unneeded')),
      problem: this.#problem,
    }
  }

  async #checkSnapshots(needed: JournalFile | undefined): Promise<boolean> {
    let isSound = true
    for (const file of this.#files.snapshots) {
      const finding = await checkRows(file, 'snapshot', this.#count)
      this.#findings.set(file.name, finding)
      if (file !== needed) finding.status = this.#statusOfOlder(file)
      else if (finding.damage !== undefined) {
        isSound = false
        this.#note({ file: file.path, ...finding.damage })
      }
    }
    return isSound
  }

  /** The files that opening would read; `undefined` if the first one is missing. */
  #plan(snapshot: JournalFile | undefined): ReadingPlan | undefined {
    try {
      return planOpening(this.#files, this.#directory)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      this.#note(error)
      this.#sequence = snapshot?.sequence ?? NO_SEQUENCE
    }
    return undefined
  }

  async #startAfter(snapshot: JournalFile | undefined): Promise<ChainStart> {
    return startAfter(snapshot && (await readHeaderOf(disk, snapshot, 'snapshot')))
  }

  /** After a damaged snapshot the segments are still checked, from the start that the header of the first one gives. */
  async #ownStart([first]: readonly JournalFile[]): Promise<ChainStart | undefined> {
    if (first === undefined) return JOURNAL_BEGIN
    try {
      const { journalId, sequence, previousChecksum } = await readHeaderOf(disk, first, 'segment')
      return { journalId, nextSequence: sequence, previousChecksum }
    } catch (error) {
      damageOf(error, first) // throws anything that is not damage
      return undefined
    }
  }

  async #checkChain(plan: ReadingPlan, start: ChainStart): Promise<Verification['status']> {
    for (const segment of plan.segments) this.#findings.set(segment.name, findingOf(segment, 'segment'))
    const chain = await readChain(disk, this.#directory, plan, start, (...frame) => this.#checkFrame(...frame))
    this.#sequence = sequenceAfter(chain.end.nextSequence, -1)
    return this.#noteEnd(chain, plan.segments)
  }

  async #checkFrame(frame: Frame, bytes: Buffer, file: JournalFile): Promise<void> {
    const finding = this.#findings.get(file.name) as FileFinding // set before the chain is read
    this.#count(frame)
    finding.frames++
    if (frame.kind === 'events') finding.items += frame.count
    try {
      await this.#replayer.frame(frame, bytes, file)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      this.#note(error)
      if (error.file !== file.path) this.#needed.add(basename(error.file))
      else if (finding.damage === undefined) await addDamage(finding, file, error)
    }
  }

  async #noteEnd({ end, verdict }: Chain, segments: readonly JournalFile[]): Promise<Verification['status']> {
    const { stop } = end
    if (verdict.verdict !== 'corrupt') for (const file of verdict.dropped) this.#mark(file, 'unfinished')
    if (verdict.verdict === 'sound') return this.#problem === undefined ? 'sound' : 'corrupt'
    const found =
      verdict.verdict === 'corrupt'
        ? verdict.error
        : { ...verdict.stop, file: verdict.stop.file.path, sequence: end.nextSequence }
    const isFirst = this.#problem === undefined
    this.#note(found)
    if (stop !== undefined) {
      const finding = this.#mark(stop.file, 'corrupt')
      await addDamage(finding, stop.file, found)
      if (verdict.verdict === 'torn') finding.status = 'torn'
      for (const later of segments.slice(stop.index + 1)) {
        if (this.#findings.get(later.name)?.status === 'unfinished') continue
        const alone = await checkSegmentAlone(later, this.#count)
        this.#findings.set(later.name, { ...alone, status: 'unreachable' })
      }
    }
    return verdict.verdict === 'torn' && isFirst ? 'torn' : 'corrupt'
  }

  #mark(file: JournalFile, status: FileFinding['status']): FileFinding {
    const finding = this.#findings.get(file.name) ?? findingOf(file, 'segment')
    finding.status = status
    this.#findings.set(file.name, finding)
    return finding
  }

  /** Loaded files, and segments that opening does not read: older than the snapshot, or cut off by a gap. */
  async #checkRest(planned: readonly JournalFile[]): Promise<void> {
    const first = sequenceAfter(this.#files.snapshots.at(-1)?.sequence ?? NO_SEQUENCE)
    for (const file of this.#files.segments) {
      if (this.#findings.has(file.name)) continue
      const status =
        file.sequence < first ? this.#statusOfOlder(file) : planned.includes(file) ? 'corrupt' : 'unreachable'
      this.#findings.set(file.name, { ...(await checkSegmentAlone(file, this.#count)), status })
    }
    for (const file of this.#files.loaded) {
      const finding = await checkRows(file, 'loaded', this.#count)
      if (!this.#needed.has(file.name)) finding.status = file.sequence < first ? this.#statusOfOlder(file) : 'unneeded'
      this.#findings.set(file.name, finding)
    }
  }

  /** Of a file that a snapshot covers. */
  #statusOfOlder(file: JournalFile): FileFinding['status'] {
    const { snapshots } = this.#files
    const oldest = anchorsIn(this.#files)[0]?.sequence ?? LAST_SEQUENCE
    const isOfPast = file.sequence > oldest || (file.sequence === oldest && snapshots.includes(file))
    return isOfPast ? 'past' : 'unneeded'
  }

  #note({ file, offset, sequence, reason }: Damage): void {
    this.#problem ??= { file, offset, sequence, reason }
  }
}
