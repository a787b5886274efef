/** One entry for each line of files of JSON lines. A line that is not valid is reported with its number, and skipped. */
import { FRAME_BYTES_MAX } from '../../durable/format/format.js'
import { messageOf } from '../terminal/failures.js'
import { showBytes, showCount } from '../terminal/quantities.js'
import { Checkpoint, type Position } from './checkpoint.js'
import type { ImportRun } from './import-run.js'
import { type Line, readLines } from './lines.js'
import { parseEntry } from './ndjson-entry.js'

const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])

export interface NdjsonOptions {
  /** Of the journal. Checkpoints are kept there. */
  directory: string
  /** Whether to start each file at its first line instead of continuing an earlier run. */
  restart: boolean
}

export async function importNdjson(run: ImportRun, options: NdjsonOptions): Promise<void> {
  let doneBytes = 0
  for (const { path, bytes } of run.request.files) {
    if (run.isStopped) break
    try {
      await importLines(run, path, doneBytes, options)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).syscall === undefined) throw error
      run.leftOut(path, new Error(`it could not be read: ${messageOf(error)}`, { cause: error }))
    }
    doneBytes += bytes
  }
  await run.flush()
}

/** `doneBytes`: of the files before this one. */
async function importLines(run: ImportRun, path: string, doneBytes: number, options: NdjsonOptions): Promise<void> {
  const { cache } = run.request
  const checkpoint = new Checkpoint(path, options.directory)
  let position: Position = options.restart ? { offset: 0, lines: 0 } : checkpoint.read(cache.stats().journal.sequence)
  const { offset, lines } = position
  if (offset > 0) run.remark(`${path}: continuing after line ${showCount(lines)}, where the last run stopped.`)
  run.onDurable = () => checkpoint.write(position, cache.stats().journal.durableSequence)
  try {
    for (const line of readLines(path, offset, FRAME_BYTES_MAX)) {
      if (run.isStopped) break
      importLine(run, path, position, line)
      position = { offset: line.end, lines: position.lines + 1 }
      await run.advanceTo(doneBytes + line.end)
    }
    if (run.isStopped) await run.flush()
  } finally {
    run.onDurable = undefined
  }
  if (run.isStopped) return
  await run.flush()
  checkpoint.remove()
}

function importLine(run: ImportRun, path: string, { offset, lines }: Position, { bytes, length }: Line): void {
  const { cache, ttl } = run.request
  try {
    if (bytes === undefined) throw new Error(`it has ${showBytes(length)}, more than an entry can hold`)
    const isMarked = offset === 0 && bytes.subarray(0, 3).equals(BYTE_ORDER_MARK)
    const entry = parseEntry(isMarked ? bytes.subarray(3) : bytes)
    if (entry === undefined) return
    const { key, value, stale, tags } = entry
    cache.set(key, value, { ttl: entry.ttl ?? ttl, stale, tags })
    run.imported(length)
  } catch (error) {
    run.leftOut(`${path}:${lines + 1}`, error)
  }
}
