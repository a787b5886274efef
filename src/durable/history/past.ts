/**
 * The past of a journal, read from its files while it may be in use, here or in another process. Writes nothing. Before: `cache/history`,
 * the command line. After: `locate`, then `replay`.
 */
import { NO_SEQUENCE, type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import { CorruptionError } from '../../errors.js'
import type { JournalReceiver } from '../contract.js'
import { readHeaderOf } from '../format/file-header.js'
import { fileName } from '../format/format.js'
import { findJournalFiles, type JournalFile, type JournalFiles } from '../format/journal-files.js'
import { anchorsIn, reachOf, timeOf } from '../snapshot/retention.js'
import type { Storage } from '../storage/storage.js'
import { HeldFiles } from './held-files.js'
import { historyGone, locate, type Moment, type OldestFrames, type Place } from './locate.js'
import { journalNote } from './lock-file.js'
import { planReading } from './plan.js'
import { readingPast } from './reading-past.js'
import { replay } from './replay.js'
import { slices } from './slices.js'

export class Past {
  readonly storage: Storage
  readonly directory: string
  readonly #oldestFrames: OldestFrames = new Map()

  constructor(storage: Storage, directory: string) {
    this.storage = storage
    this.directory = directory
  }

  /**
   * The place that a moment means. `now` is the place of everything later.
   * @throws CacheError `HISTORY_GONE` before the oldest. Here and below: `JOURNAL_UNREADABLE` if the system refuses to read.
   */
  async locate(moment: Moment, now: Place): Promise<Place> {
    if (moment === now) return now
    const isFuture = 'sequence' in moment ? moment.sequence > now.sequence : moment.timeMs >= now.timeMs
    if (isFuture) return now
    return readingPast(this.directory, () =>
      locate(this.storage, this.directory, moment, now.sequence, this.#oldestFrames),
    )
  }

  /**
   * The oldest place.
   * @throws CacheError `HISTORY_GONE` if there is no journal.
   */
  oldest(): Promise<Place> {
    return readingPast(this.directory, async () => {
      const files = await findJournalFiles(this.storage, this.directory)
      const reach = await reachOf(this.storage, files)
      if (reach !== undefined) return { sequence: reach.oldestSequence as Sequence, timeMs: reach.oldestTimeMs }
      const newest = anchorsIn(files).at(-1)
      if (newest !== undefined) await readHeaderOf(this.storage, newest.segment, 'segment') // throws what made it unreadable
      throw historyGone({ sequence: NO_SEQUENCE })
    })
  }

  /**
   * Passes the state at a sequence to the receiver, in slices: the nearest snapshot, and the events after it. If the snapshot is
   * damaged, the one before it, and more events. A compaction meanwhile disturbs nothing.
   * @param from Every event after this one is passed, too: the snapshot must not be later.
   * @param onBase Called before anything is passed, with the sequence of the snapshot. Another snapshot comes after a `reset`.
   * @throws CacheError `HISTORY_GONE`; CorruptionError if a file on the way is damaged.
   */
  readAt(
    sequence: Sequence,
    receiver: JournalReceiver,
    from = sequence,
    onBase: (base: Sequence) => void = () => undefined,
  ): Promise<void> {
    return readingPast(this.directory, async () => {
      let damage: CorruptionError | undefined
      for (let atMost = from; ; ) {
        const held = await HeldFiles.hold(this.storage, this.directory, (files) => neededFor(files, atMost, sequence))
        try {
          const { segments, snapshots } = held.files
          if (segments.length === 0) throw damage ?? (await this.#gone(from))
          onBase(snapshots[0]?.sequence ?? NO_SEQUENCE)
          await this.#replay(held, sequence, receiver)
          return
        } catch (error) {
          const [snapshot] = held.files.snapshots
          const isOfSnapshot = error instanceof CorruptionError && error.file === snapshot?.path
          if (!isOfSnapshot) throw damage ?? error
          damage ??= error
          atMost = sequenceAfter((snapshot as JournalFile).sequence, -1)
          receiver.reset()
        } finally {
          held.release()
        }
      }
    })
  }

  async #replay(held: HeldFiles, sequence: Sequence, receiver: JournalReceiver): Promise<void> {
    const { storage, directory } = this
    const plan = planReading(held.files, directory, journalNote(storage, directory), sequence)
    const { chain } = await replay(held, directory, plan, receiver, { to: sequence, pause: slices() })
    const { end, verdict } = chain
    if (end.nextSequence > sequence) return
    if (verdict.verdict === 'corrupt') throw verdict.error
    const { stop } = end
    const file = stop?.file.path ?? `${directory}/${fileName(end.nextSequence, 'segment')}`
    const reason = stop?.reason ?? 'the journal ends before this sequence'
    throw new CorruptionError({ file, offset: stop?.offset ?? 0, sequence: end.nextSequence, reason })
  }

  async #gone(sequence: Sequence) {
    const [anchor] = anchorsIn(await findJournalFiles(this.storage, this.directory))
    return historyGone({ sequence }, anchor, anchor && (await timeOf(this.storage, anchor)))
  }
}

/** The nearest snapshot, the segments and loaded files after it, and the segment behind the sequence. None if it is too old. */
function neededFor(files: JournalFiles, from: Sequence, sequence: Sequence): JournalFiles {
  const base = anchorsIn(files).findLast((anchor) => anchor.sequence <= from)
  if (base === undefined) return { snapshots: [], segments: [], loaded: [], temporary: [] }
  const isAfterBase = (file: { sequence: number }) => file.sequence > base.sequence && file.sequence <= sequence + 1
  return {
    snapshots: base.snapshot === undefined ? [] : [base.snapshot],
    segments: files.segments.filter(isAfterBase),
    loaded: files.loaded.filter(isAfterBase),
    temporary: [],
  }
}
