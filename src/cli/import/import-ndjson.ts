/** One entry for each line of files of JSON lines. A line that is none is reported with its number; the others go on. */

import { FRAME_BYTES_MAX } from '../../durable/format/format.js'
import { JournalWriteError } from '../../errors.js'
import { messageOf } from '../failures.js'
import { showBytes, showCount, showCountOf } from '../quantities.js'
import { type Position, ProgressNote } from './checkpoint.js'
import type { FoundFile } from './find-files.js'
import type { ImportRun } from './import-files.js'
import { Tally } from './import-run.js'
import { type Line, readLines } from './lines.js'
import { parseEntry } from './ndjson-entry.js'
import { Pace } from './pace.js'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

export interface NdjsonRun extends ImportRun {
  directory: string
  /** Begin each file from its beginning, whatever an earlier run has done. */
  restart: boolean
}

export async function importNdjson(run: NdjsonRun): Promise<Tally> {
  const totalBytes = run.files.reduce((sum, file) => sum + file.bytes, 0)
  const tally = new Tally()
  let doneBytes = 0
  for (const file of run.files) {
    if (run.signal.aborted) break
    const before = doneBytes
    try {
      await new NdjsonImport(run, file, tally, (offset) => {
        run.progress.update(before + offset, totalBytes, () => showCountOf(tally.imported, 'line'))
      }).run()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
      tally.failed++
      run.progress.remark(`daybook: ${file.path} could not be read: ${messageOf(error)}`)
    }
    doneBytes += file.bytes
  }
  await run.cache.flush()
  return tally
}

class NdjsonImport {
  readonly #run: NdjsonRun
  readonly #file: FoundFile
  readonly #tally: Tally
  readonly #progress: (offset: number) => void
  #position: Position = { offset: 0, lines: 0 }

  constructor(run: NdjsonRun, file: FoundFile, tally: Tally, progress: (offset: number) => void) {
    this.#run = run
    this.#file = file
    this.#tally = tally
    this.#progress = progress
  }

  async run(): Promise<void> {
    const { cache, directory, restart, signal, progress } = this.#run
    const note = new ProgressNote(this.#file.path, directory)
    if (!restart) this.#position = note.read(cache.stats().journal.sequence)
    const { offset, lines } = this.#position
    if (offset > 0)
      progress.remark(`${this.#file.path}: going on after line ${showCount(lines)}, where the last run was.`)
    const pace = new Pace(cache, () => note.write(this.#position, cache.stats().journal.durableSequence))
    for (const line of readLines(this.#file.path, offset, FRAME_BYTES_MAX)) {
      if (signal.aborted) break
      this.#importLine(line)
      this.#position = { offset: line.end, lines: this.#position.lines + 1 }
      this.#progress(line.end)
      await pace.keep(line.length)
    }
    if (signal.aborted) await pace.flush()
    else {
      await cache.flush()
      note.remove()
    }
  }

  #importLine({ bytes, length }: Line): void {
    const { cache, ttl } = this.#run
    const { offset, lines } = this.#position
    try {
      if (bytes === undefined) throw new Error(`it has ${showBytes(length)}, more than an entry can hold`)
      const isMarked = offset === 0 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)
      const entry = parseEntry(isMarked ? bytes.subarray(3) : bytes)
      if (entry === undefined) return
      cache.set(entry.key, entry.value, { ttl: entry.ttl ?? ttl })
      this.#tally.imported++
      this.#tally.bytes += length
    } catch (error) {
      if (error instanceof JournalWriteError) throw error // not this one's fault: no other would fare better
      this.#tally.failed++
      this.#run.progress.remark(`daybook: ${this.#file.path}:${lines + 1} was left out: ${messageOf(error)}`)
    }
  }
}
