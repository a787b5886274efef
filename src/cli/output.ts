/**
 * Standard output: plain when it goes to a pipe or a file, coloured on a terminal. When the reader has gone away
 * (`daybook inspect | head`), what is still written goes nowhere and nobody complains.
 */
import { once } from 'node:events'
import colors from 'picocolors'
import { EXIT } from './exit-codes.js'

export type Colors = ReturnType<typeof colors.createColors>

export function colorsFor(stream: NodeJS.WriteStream): Colors {
  return colors.createColors(stream.isTTY === true && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb')
}

class Output {
  readonly isTerminal = process.stdout.isTTY === true
  readonly colors = colorsFor(process.stdout)
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
    process.stderr.on('error', () => undefined) // nobody is left to be told
  }

  line(text: string): void {
    this.write(`${text}\n`)
  }

  /** Answers whether the stream wants more now: if not, {@link drained} says when. */
  write(text: string): boolean {
    return this.#isClosed || process.stdout.write(text)
  }

  get columns(): number {
    return process.stdout.columns ?? 80
  }

  async drained(): Promise<void> {
    if (!this.#isClosed && process.stdout.writableNeedDrain)
      await Promise.race([once(process.stdout, 'drain'), this.#closed()])
  }

  #closed(): Promise<void> {
    return new Promise((resolve) => process.stdout.once('close', () => resolve()))
  }
}

/** A full disk, for one: the answer is lost, but what the command does is done to its end, and the journal closed. */
function failAtEnd(error: Error): void {
  remark(`daybook: the output could not be written: ${error.message}`)
  process.once('exit', (code) => {
    if (code === EXIT.fine) process.exitCode = EXIT.error
  })
}

export const output = new Output()

/** Lines that are written together: a system call for each of a million lines is most of the time they take. */
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

/** A remark that is not the answer: on stderr, so that it never gets into what is piped on. */
export function remark(text: string): void {
  process.stderr.write(`${text}\n`)
}
