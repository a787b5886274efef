/**
 * Opening a journal: snapshot → segments → evolve, then the end of the last segment is made ready for the next frame.
 *
 *   recover ─► planRecovery (which files) ─► readSnapshot ─► readSegments ─► judge (how it ends) ─► setAside (a torn tail)
 *
 * Replay never decides anything and never reads the clock: what it hands over are the events as they were journaled.
 */
import { join } from 'node:path'
import type { Counters } from '../../core/model/counters.js'
import type { LoadedEvent } from '../../core/model/event.js'
import { CorruptionError } from '../../errors.js'
import type { JournalSession, RecoveryReport } from '../contract.js'
import { ByteReader, MalformedBytesError } from '../format/byte-reader.js'
import { decodeOther, decodeSet, isSet, type RowTaker } from '../format/decode-event.js'
import { fileName, parseFileName } from '../format/format.js'
import type { Frame } from '../format/frame.js'
import { findJournalFiles, type JournalFile, planRecovery } from '../format/journal-files.js'
import { judge } from '../history/damage.js'
import { type ChainEnd, type ChainStart, readSegments } from '../history/read-segments.js'
import type { JournalBase } from '../journal/file-journal.js'
import { SegmentWriter } from '../journal/segment-writer.js'
import { readSnapshot, takeRows } from '../snapshot/read-snapshot.js'
import type { Storage, StorageLock } from '../storage/storage.js'
import { unreadable } from './open-directory.js'
import { rewriteUnproven } from './rewrite-unproven.js'
import { setAside } from './set-aside.js'

export interface Recovered {
  report: RecoveryReport
  journalId: Buffer
  /** Where the next frame goes. */
  segment: SegmentWriter
  base: JournalBase
  /** An order of use stands at the end, without the seal that would have completed it. */
  hasLooseRecency: boolean
  /** The journal ends with the seal of a clean close: the counters that it tells. */
  sealedCounters: Readonly<Counters> | undefined
}

export async function recover(
  storage: Storage,
  directory: string,
  lock: StorageLock,
  session: JournalSession,
  newJournalId: () => Buffer,
): Promise<Recovered> {
  try {
    return await new Recovery(storage, directory, lock, session, newJournalId).run()
  } catch (error) {
    throw unreadable(directory, error)
  }
}

/** Progress is told about so many times: telling it costs more than a small frame does. */
const PROGRESS_STEPS = 200

/** From so many events on it pays to decode the short texts of a frame together. */
const FRAME_EVENTS_MANY = 8

/** What LOCK says of the journal beside it. */
const JOURNAL_ID = /^[0-9a-f]{32}$/

class Recovery {
  readonly #storage: Storage
  readonly #directory: string
  readonly #lock: StorageLock
  readonly #session: JournalSession
  readonly #newJournalId: () => Buffer
  readonly #startMs = performance.now()
  #doneBytes = 0
  #totalBytes = 0
  #tellAtBytes = 0
  #events = 0
  /** The order of use of a clean close, held until its seal is read. */
  #recency: string[] = []

  constructor(
    storage: Storage,
    directory: string,
    lock: StorageLock,
    session: JournalSession,
    newJournalId: () => Buffer,
  ) {
    this.#storage = storage
    this.#directory = directory
    this.#lock = lock
    this.#session = session
    this.#newJournalId = newJournalId
  }

  async run(): Promise<Recovered> {
    const files = await findJournalFiles(this.#storage, this.#directory)
    const note = this.#lock.read().trim()
    const { snapshot, segments } = planRecovery(files, this.#directory)
    if (note !== '' && snapshot === undefined && segments.length === 0) throw this.#missingFirst()
    this.#totalBytes = [snapshot, ...segments].reduce((sum, file) => sum + (file?.bytes ?? 0), 0)

    const start = await this.#readSnapshot(snapshot)
    const end = await readSegments(this.#storage, segments, start.chain, (frame, bytes, file) =>
      this.#replay(frame, bytes, file),
    )
    if (end.journalId !== undefined && JOURNAL_ID.test(note) && note !== end.journalId.toString('hex'))
      throw this.#otherJournal(segments[0] as JournalFile) // an id was read, and planRecovery lets no snapshot be alone
    const verdict = await judge(this.#storage, this.#directory, segments, end, note !== '' || snapshot !== undefined)
    if (verdict.verdict === 'corrupt') throw verdict.error
    for (const path of files.temporary) this.#storage.unlink(path)
    for (const file of verdict.dropped) this.#storage.unlink(file.path)
    const tail =
      verdict.verdict === 'torn'
        ? await setAside(this.#storage, verdict.stop.file.path, verdict.stop.offset)
        : undefined

    const used = segments.filter((file) => !verdict.dropped.includes(file))
    await rewriteUnproven(this.#storage, used, end)

    const journalId = end.journalId ?? this.#newJournalId()
    const segment = this.#openSegment(end, journalId)
    if (note === '') this.#lock.write(`${journalId.toString('hex')}\n`)
    this.#progress(this.#totalBytes - this.#doneBytes) // headers, and what was set aside
    return {
      journalId,
      segment,
      hasLooseRecency: this.#recency.length > 0,
      sealedCounters: tail === undefined && end.seal === 'closed' ? end.counters : undefined,
      base: {
        durableSequence: end.durableSequence,
        snapshotSequence: start.report?.sequence ?? 0,
        snapshotBytes: snapshot?.bytes ?? 0,
        segments: Math.max(1, used.length),
        sealedBytes: used.slice(0, -1).reduce((sum, file) => sum + file.bytes, 0),
      },
      report: {
        snapshot: start.report,
        segments: used.length,
        frames: end.frames,
        events: this.#events,
        sequence: end.nextSequence - 1,
        bytes: this.#totalBytes,
        durationMs: performance.now() - this.#startMs,
        clean: tail === undefined && (end.seal === 'closed' || this.#totalBytes === 0),
        setAside:
          verdict.verdict === 'torn' && tail !== undefined
            ? {
                file: verdict.stop.file.path,
                offset: verdict.stop.offset,
                bytes: tail.bytes,
                sequence: end.nextSequence,
                reason: verdict.stop.reason,
                savedAs: tail.savedAs,
              }
            : undefined,
        evicted: 0,
        expired: 0,
      },
    }
  }

  async #readSnapshot(
    snapshot: JournalFile | undefined,
  ): Promise<{ chain: ChainStart; report: RecoveryReport['snapshot'] }> {
    if (snapshot === undefined)
      return { chain: { journalId: undefined, nextSequence: 1, previousChecksum: 0 }, report: undefined }
    const { receiver } = this.#session
    const found = await this.#readRows(snapshot, 'snapshot', (key, value, expiresAtMs) => {
      if (!receiver.row(key, value, expiresAtMs)) throw new MalformedBytesError('a key comes twice')
    })
    receiver.counters(found.counters)
    return {
      chain: {
        journalId: found.journalId,
        nextSequence: snapshot.sequence + 1,
        previousChecksum: found.previousChecksum,
      },
      report: { file: snapshot.name, sequence: snapshot.sequence, entries: found.entries },
    }
  }

  async #readRows(file: { path: string; sequence: number }, kind: 'snapshot' | 'loaded', take: RowTaker) {
    return readSnapshot(this.#storage, { path: file.path, kind, sequence: file.sequence }, (frame, bytes) => {
      takeRows(frame, bytes, take)
      this.#progress(frame.length)
    })
  }

  /** A promise only where there is something to wait for: a loaded file that has to be read. */
  #replay(frame: Frame, bytes: Buffer, file: JournalFile): void | Promise<void> {
    const reader = new ByteReader(bytes, frame.payloadStart, frame.payloadEnd)
    const done = () => {
      if (!reader.isDone) throw new MalformedBytesError('bytes follow the last event of the frame')
      this.#session.receiver.counters(frame.counters)
      this.#progress(frame.length)
    }
    const damaged = (error: unknown) => {
      if (!(error instanceof MalformedBytesError)) throw error
      const { offset, firstSequence: sequence } = frame
      throw new CorruptionError({ file: file.path, offset, sequence, reason: error.message }, { cause: error })
    }
    try {
      const loading = this.#replayPayload(frame, reader, file)
      if (loading !== undefined) return loading.then(done).catch(damaged)
      done()
    } catch (error) {
      damaged(error)
    }
  }

  #replayPayload(frame: Frame, reader: ByteReader, file: JournalFile): void | Promise<void> {
    switch (frame.kind) {
      case 'events':
        this.#events += frame.count
        this.#recency = []
        if (frame.count >= FRAME_EVENTS_MANY) reader.expectShortText()
        return this.#replayEvents(reader, frame.count, file)
      case 'recency':
        for (let index = 0; index < frame.count; index++) this.#recency.push(reader.text(reader.byte()))
        return
      case 'seal':
        if (this.#recency.length > 0) this.#session.receiver.recency(this.#recency)
        this.#recency = []
    }
  }

  #replayEvents(reader: ByteReader, count: number, file: JournalFile): void | Promise<void> {
    const { receiver } = this.#session
    for (let left = count; left > 0; left--) {
      const head = reader.byte()
      if (isSet(head)) {
        decodeSet(reader, head, receiver.set)
        continue
      }
      const event = decodeOther(reader, head)
      if (event.type === 'loaded')
        return this.#replayLoaded(event, file).then(() => this.#replayEvents(reader, left - 1, file))
      receiver.event(event)
    }
  }

  /** The rows lie in a file of their own, which was durable before the event was journaled. */
  async #replayLoaded(event: LoadedEvent, segment: JournalFile): Promise<void> {
    const path = join(this.#directory, event.file)
    const parsed = parseFileName(event.file)
    const damaged = (reason: string) =>
      new CorruptionError({ file: path, offset: 0, sequence: parsed?.sequence ?? segment.sequence, reason })
    if (parsed?.kind !== 'loaded') throw damaged('this is no name of a loaded file')
    const { receiver } = this.#session
    const rows = receiver.loadedRows()
    let found: Awaited<ReturnType<typeof readSnapshot>>
    try {
      found = await this.#readRows({ path, sequence: parsed.sequence }, 'loaded', (key, value, expiresAtMs) =>
        rows.add(key, value, expiresAtMs),
      )
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        throw damaged('the file is missing, and the journal refers to it')
      throw error
    }
    if (found.checksum !== event.checksum || found.entries !== event.entries)
      throw damaged('this is not the file that was loaded')
    rows.counters.copyFrom(found.counters)
    receiver.event(event, rows)
  }

  #openSegment(end: ChainEnd, journalId: Buffer): SegmentWriter {
    if (end.position !== undefined) return SegmentWriter.reopen(this.#storage, this.#directory, end.position)
    return SegmentWriter.create(this.#storage, this.#directory, {
      journalId,
      sequence: end.nextSequence,
      previousChecksum: 0,
      createdAtMs: this.#session.clock.now(),
    })
  }

  #missingFirst(): CorruptionError {
    return new CorruptionError({
      file: join(this.#directory, fileName(1, 'segment')),
      offset: 0,
      sequence: 1,
      reason: 'the file is missing, and LOCK says that a journal was here (to begin a new one, remove LOCK as well)',
    })
  }

  #otherJournal({ path: file, sequence }: JournalFile): CorruptionError {
    return new CorruptionError({
      file,
      offset: 0,
      sequence,
      reason: 'the file belongs to another journal than LOCK says (to go on with this one, remove LOCK)',
    })
  }

  #progress(bytes: number): void {
    this.#doneBytes += bytes
    const isOver = this.#doneBytes >= this.#totalBytes
    if (!isOver && this.#doneBytes < this.#tellAtBytes) return
    this.#tellAtBytes = this.#doneBytes + this.#totalBytes / PROGRESS_STEPS
    this.#session.receiver.progress(Math.min(this.#doneBytes, this.#totalBytes), this.#totalBytes)
  }
}
