/**
 * Standard output and standard error: nothing else in the command line writes to them. Control characters in data are escaped
 * here ({@link printable}). Output is plain in a pipe or a file and coloured on a terminal. When the reader has gone away
 * (`daybook inspect | head`), further output is dropped without complaint.
 */
import { EXIT } from './exit-codes.js'
import { createColors, printable } from './printable.js'

class Output {
  readonly isTerminal = process.stdout.isTTY === true
  readonly colors = createColors(this.isTerminal && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb')
  #isClosed = false
  /** Called once when the reader has gone away: for commands that only print, and may stop then. */
  onClosed: (() => void) | undefined

  constructor() {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#isClosed) return
      this.#isClosed = true
      if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') this.onClosed?.()
      else failAtEnd(error)
    })
    process.stderr.on('error', () => undefined) // its reader has gone away, too
  }

  line(text: string): void {
    this.write(`${text}\n`)
  }

  /** Returns whether the stream accepts more right now: if not, wait for {@link drained}. */
  write(text: string): boolean {
    return this.#isClosed || process.stdout.write(printable(text))
  }

  drained(): Promise<void> {
    const { stdout } = process
    if (this.#isClosed || !stdout.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        stdout.off('drain', done)
        stdout.off('close', done)
        resolve()
      }
      stdout.on('drain', done)
      stdout.on('close', done)
    })
  }
}

/** A full disk, for example: the output is lost, but the command still runs to its end and closes the journal. */
function failAtEnd(error: Error): void {
  remark(`daybook: the output could not be written: ${error.message}`)
  process.once('exit', (code) => {
    if (code === EXIT.fine) process.exitCode = EXIT.error
  })
}

export const output = new Output()

/** Lines that are written together: a system call for each of a million lines would take most of the time. */
export class LineBatch {
  #text = ''

  async add(line: string): Promise<void> {
    this.#text += `${line}\n`
    if (this.#text.length >= BATCH_LENGTH) await this.end()
  }

  async end(): Promise<void> {
    const text = this.#text
    this.#text = ''
    if (text !== '' && !output.write(text)) await output.drained()
  }
}

const BATCH_LENGTH = 64 * 1024

/** A line on stderr: not part of the output, so it must not get into a pipe. */
export function remark(text: string): void {
  writeError(`${text}\n`)
}

export function writeError(text: string): void {
  process.stderr.write(printable(text))
}
