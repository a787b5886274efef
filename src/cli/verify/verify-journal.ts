/**
 * Checks a whole journal without opening it: every frame of every file, that the files follow one another, and what the end
 * means, by the same judge that recovery asks. Damage does not end it: the other files are checked as well, each by itself.
 */

import type { LoadedEvent } from '../../core/model/event.js'
import type { Frame } from '../../durable/format/frame.js'
import type { JournalFile, JournalFiles } from '../../durable/format/journal-files.js'
import { readLoaded } from '../../durable/history/loaded-file.js'
import {
  type Chain,
  eventsOf,
  JOURNAL_BEGIN,
  readChain,
  readHeaderOf,
  startAfter,
} from '../../durable/history/read-chain.js'
import type { ChainStart } from '../../durable/history/read-segments.js'
import { readSettled } from '../../durable/history/settled.js'
import { CorruptionError, type Damage } from '../../errors.js'
import { allOf, planReading } from '../journal-directory.js'
import { addDamage, checkRows, checkSegmentAlone, damageOf } from './check-file.js'
import { type FileFinding, findingOf, type Verification } from './findings.js'

export type ByteProgress = (doneBytes: number, totalBytes: number) => void

export async function verifyJournal(directory: string, progress: ByteProgress): Promise<Verification> {
  const { result, isLive } = await readSettled(directory, async (files) => {
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

/** The end of a journal that is open elsewhere is not torn but not all there yet. */
function asBeingWritten(verification: Verification): Verification {
  for (const finding of verification.files) if (finding.status === 'torn') finding.status = 'being written'
  return { ...verification, status: 'sound', problem: undefined }
}

class Check {
  readonly #directory: string
  readonly #files: JournalFiles
  readonly #count: (frame: Frame) => void
  readonly #findings = new Map<string, FileFinding>()
  /** The first thing that opening would stop at. */
  #problem: Damage | undefined
  #sequence = 0

  constructor(directory: string, files: JournalFiles, progress: ByteProgress) {
    this.#directory = directory
    this.#files = files
    const totalBytes = allOf(files).reduce((sum, file) => sum + file.bytes, 0)
    let doneBytes = 0
    this.#count = (frame) => progress((doneBytes += frame.length), totalBytes)
  }

  async run(): Promise<Verification> {
    const snapshot = this.#files.snapshots.at(-1)
    const isSnapshotSound = await this.#checkSnapshots(snapshot)
    const segments = this.#plan(snapshot)
    let status: Verification['status'] = 'corrupt'
    if (segments !== undefined) {
      this.#sequence = snapshot?.sequence ?? 0
      const start = isSnapshotSound ? await startAfter(snapshot) : await this.#ownStart(segments)
      if (start !== undefined) status = await this.#checkChain(segments, start, snapshot !== undefined)
    }
    if (!isSnapshotSound) status = 'corrupt'
    await this.#checkRest(segments ?? [])
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
      if (file !== needed) finding.status = 'unneeded'
      else if (finding.damage !== undefined) {
        isSound = false
        this.#note({ file: file.path, ...finding.damage })
      }
    }
    return isSound
  }

  /** The segments that recovery would read; `undefined` when it would miss one of them at the beginning. */
  #plan(snapshot: JournalFile | undefined): JournalFile[] | undefined {
    try {
      return planReading(this.#files, this.#directory).segments
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      const { file, offset, sequence, reason } = error
      this.#note({ file, offset, sequence, reason })
      this.#sequence = snapshot?.sequence ?? 0
    }
    return undefined
  }

  /** After a damaged snapshot the segments are checked all the same, from what the first one says of itself. */
  async #ownStart(segments: readonly JournalFile[]): Promise<ChainStart | undefined> {
    const [first] = segments
    if (first === undefined) return JOURNAL_BEGIN
    try {
      const { journalId, sequence, previousChecksum } = await readHeaderOf(first, 'segment')
      return { journalId, nextSequence: sequence, previousChecksum }
    } catch (error) {
      damageOf(error, first) // anything but damage is thrown on
      return undefined
    }
  }

  async #checkChain(
    segments: readonly JournalFile[],
    start: ChainStart,
    hasSnapshot: boolean,
  ): Promise<Verification['status']> {
    for (const segment of segments) this.#findings.set(segment.name, findingOf(segment, 'segment'))
    const chain = await readChain(this.#directory, segments, start, hasSnapshot, (frame, bytes, file) =>
      this.#checkFrame(frame, bytes, file),
    )
    this.#sequence = chain.end.nextSequence - 1
    return this.#noteEnd(chain, segments)
  }

  async #checkFrame(frame: Frame, bytes: Buffer, file: JournalFile): Promise<void> {
    const finding = this.#findings.get(file.name) as FileFinding // set before the chain is read
    this.#count(frame)
    finding.frames++
    try {
      for (const event of eventsOf(frame, bytes, file.path)) {
        finding.items++
        if (event.type === 'loaded') await this.#checkLoaded(event)
      }
    } catch (error) {
      const damage = damageOf(error, file)
      this.#note(damage)
      if (finding.damage === undefined) await addDamage(finding, file, damage)
    }
  }

  async #checkLoaded(event: LoadedEvent): Promise<void> {
    const file = this.#files.loaded.find(({ name }) => name === event.file)
    if (file !== undefined) {
      const finding = await checkRows(file, 'loaded', this.#count)
      this.#findings.set(file.name, finding)
      if (finding.damage !== undefined) {
        this.#note({ file: file.path, ...finding.damage })
        return
      }
    }
    try {
      await readLoaded(this.#directory, event, () => undefined)
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      const { file: path, offset, sequence, reason } = error
      this.#note({ file: path, offset, sequence, reason })
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
    const { file, offset, sequence, reason } = found
    const isFirst = this.#problem === undefined
    this.#note({ file, offset, sequence, reason })
    if (stop !== undefined) {
      const finding = this.#mark(stop.file, 'corrupt')
      await addDamage(finding, stop.file, { file, offset, sequence, reason })
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

  /** Files that opening does not read: older than the snapshot, cut off by a gap, or loaded by nobody. */
  async #checkRest(planned: readonly JournalFile[]): Promise<void> {
    const first = (this.#files.snapshots.at(-1)?.sequence ?? 0) + 1
    for (const file of this.#files.segments) {
      if (this.#findings.has(file.name)) continue
      const status = file.sequence < first ? 'unneeded' : planned.includes(file) ? 'corrupt' : 'unreachable'
      this.#findings.set(file.name, { ...(await checkSegmentAlone(file, this.#count)), status })
    }
    for (const file of this.#files.loaded) {
      if (this.#findings.has(file.name)) continue
      this.#findings.set(file.name, { ...(await checkRows(file, 'loaded', this.#count)), status: 'unneeded' })
    }
  }

  #note(damage: Damage): void {
    const { file, offset, sequence, reason } = damage
    this.#problem ??= { file, offset, sequence, reason }
  }
}
