/**
 * A progress bar on stderr while something long runs. Without a terminal there is no bar, but (if asked for) a plain line
 * every few seconds, so that a log shows that the import is alive.
 */
import cliProgress from 'cli-progress'
import { remark } from './output.js'
import { ratePerSecond, showBytes } from './quantities.js'

/** What takes less than this gets no bar: a flicker says nothing. */
const PATIENCE_MS = 300
const PLAIN_LINE_MS = 5_000
/** Callers tell of every frame, file and line; more than this nobody sees. */
const UPDATE_MS = 50

export interface ProgressOptions {
  /** What is going on: `Importing`. */
  verb: string
  /** Whether to print plain lines where there is no terminal. */
  plainLines?: boolean
}

/** Counts bytes of a total, and says something about it. */
export class Progress {
  readonly #options: ProgressOptions
  readonly #startMs = performance.now()
  readonly #isTerminal = process.stderr.isTTY === true
  #bars: cliProgress.MultiBar | undefined
  #bar: cliProgress.SingleBar | undefined
  #spokeAtMs = performance.now()
  #updatedAtMs = 0
  /** What was done before the first update, by an earlier run, takes no part in the rate. */
  #firstBytes: number | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  update(doneBytes: number, totalBytes: number, describe: () => string = () => ''): void {
    const nowMs = performance.now()
    if (nowMs - this.#updatedAtMs < UPDATE_MS) return
    this.#updatedAtMs = nowMs
    this.#firstBytes ??= doneBytes
    const detail = describe()
    if (this.#bar !== undefined) {
      this.#bar.setTotal(totalBytes)
      this.#bar.update(doneBytes, this.#payload(doneBytes, totalBytes, detail))
    } else if (this.#isTerminal) {
      if (nowMs - this.#startMs > PATIENCE_MS && doneBytes < totalBytes) this.#show(doneBytes, totalBytes, detail)
    } else if (this.#options.plainLines && nowMs - this.#spokeAtMs > PLAIN_LINE_MS) {
      this.#spokeAtMs = nowMs
      remark(`${this.#options.verb}: ${showBytes(doneBytes)} of ${showBytes(totalBytes)} ${detail}`.trimEnd())
    }
  }

  #show(doneBytes: number, totalBytes: number, detail: string): void {
    this.#bars = new cliProgress.MultiBar({
      format: `${this.#options.verb} {bar} {percentage}%  {done} of {all}  {rate}/s  {detail}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      gracefulExit: false, // Ctrl-C is handled by who runs the command
      clearOnComplete: true,
      emptyOnZero: true,
    })
    this.#bar = this.#bars.create(totalBytes, doneBytes, this.#payload(doneBytes, totalBytes, detail))
  }

  #payload(doneBytes: number, totalBytes: number, detail: string) {
    const rate = ratePerSecond(doneBytes - (this.#firstBytes ?? 0), performance.now() - this.#startMs)
    return { done: showBytes(doneBytes), all: showBytes(totalBytes), rate: showBytes(Math.round(rate)), detail }
  }

  /** A line above the bar. */
  remark(text: string): void {
    if (this.#bars === undefined) remark(text)
    else {
      this.#bars.log(`${text}\n`)
      this.#bars.update()
    }
  }

  /** Takes the bar away. Answers the milliseconds that it took. */
  end(): number {
    this.#bars?.stop()
    this.#bars = this.#bar = undefined
    return performance.now() - this.#startMs
  }
}
