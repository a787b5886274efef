/**
 * A progress bar on stderr while something long runs. Without a terminal there is no bar, but (if asked for) a plain line
 * every few seconds, so that a log shows that the import is alive.
 */
import cliProgress from 'cli-progress'
import { remark } from './output.js'
import { printable } from './printable.js'
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
  /** How an amount is shown; bytes, if nothing is said. */
  show?: (amount: number) => string
}

/** Counts bytes, or something else, of a total, and says something about it. */
export class Progress {
  readonly #options: ProgressOptions
  readonly #amount: (amount: number) => string
  readonly #startMs = performance.now()
  readonly #isTerminal = process.stderr.isTTY === true
  #bars: cliProgress.MultiBar | undefined
  #bar: cliProgress.SingleBar | undefined
  #spokeAtMs = performance.now()
  #updatedAtMs = 0
  /** What was done before the first update, by an earlier run, takes no part in the rate. */
  #first: number | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
    this.#amount = options.show ?? showBytes
  }

  update(done: number, total: number, describe: () => string = () => ''): void {
    const nowMs = performance.now()
    if (nowMs - this.#updatedAtMs < UPDATE_MS) return
    this.#updatedAtMs = nowMs
    this.#first ??= done
    const detail = describe()
    if (this.#bar !== undefined) {
      this.#bar.setTotal(total)
      this.#bar.update(done, this.#payload(done, total, detail))
    } else if (this.#isTerminal) {
      if (nowMs - this.#startMs > PATIENCE_MS && done < total) this.#show(done, total, detail)
    } else if (this.#options.plainLines && nowMs - this.#spokeAtMs > PLAIN_LINE_MS) {
      this.#spokeAtMs = nowMs
      remark(`${this.#options.verb}: ${this.#amount(done)} of ${this.#amount(total)} ${detail}`.trimEnd())
    }
  }

  #show(done: number, total: number, detail: string): void {
    this.#bars = new cliProgress.MultiBar({
      format: `${this.#options.verb} {bar} {percentage}%  {done} of {all}  {rate}/s  {detail}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      gracefulExit: false, // Ctrl-C is handled by who runs the command
      clearOnComplete: true,
      emptyOnZero: true,
    })
    this.#bar = this.#bars.create(total, done, this.#payload(done, total, detail))
  }

  #payload(done: number, total: number, detail: string) {
    const rate = ratePerSecond(done - (this.#first ?? 0), performance.now() - this.#startMs)
    return { done: this.#amount(done), all: this.#amount(total), rate: this.#amount(Math.round(rate)), detail }
  }

  /** A line above the bar. */
  remark(text: string): void {
    if (this.#bars === undefined) remark(text)
    else {
      this.#bars.log(printable(`${text}\n`))
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
