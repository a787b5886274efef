/**
 * The progress of a long command: a bar on stderr or, without a terminal and on request, a plain line every few seconds, so
 * that a log shows that the command is alive.
 */
import cliProgress from 'cli-progress'
import { remark } from './output.js'
import { printable } from './printable.js'
import { ratePerSecond, showBytes, showCount } from './quantities.js'

/** Shorter work gets no bar: it would only flicker. */
const DELAY_MS = 300
const PLAIN_LINE_INTERVAL_MS = 5_000
/** Callers report every frame, file and line; more frequent updates would not be visible. */
const UPDATE_INTERVAL_MS = 50

const SHOW = { bytes: showBytes, entries: showCount } as const
type Unit = keyof typeof SHOW

export interface ProgressOptions {
  /** What the command is doing, by what is counted: `{ bytes: 'Reading', entries: 'Writing' }`. */
  verbs: Partial<Record<Unit, string>>
  /** Whether to print plain lines without a terminal. */
  plainLines?: boolean
}

export class Progress {
  readonly #options: ProgressOptions
  readonly #isTerminal = process.stderr.isTTY === true
  #bars: cliProgress.MultiBar | undefined
  #bar: cliProgress.SingleBar | undefined
  /** What is counted now. A different unit starts a new bar. */
  #unit: Unit = 'bytes'
  #startMs = performance.now()
  #plainLineAtMs = this.#startMs
  #updatedAtMs = 0
  /** What an earlier run had done; it does not count for the rate. */
  #doneAtFirst: number | undefined

  constructor(options: ProgressOptions) {
    this.#options = options
  }

  /** @param describe Returns a detail to show beside the bar. */
  update(done: number, total: number, unit: Unit = 'bytes', describe: () => string = () => ''): void {
    if (unit !== this.#unit) this.#restart(unit)
    const nowMs = performance.now()
    if (nowMs - this.#updatedAtMs < UPDATE_INTERVAL_MS) return
    this.#updatedAtMs = nowMs
    this.#doneAtFirst ??= done
    const detail = describe()
    if (this.#bar !== undefined) {
      this.#bar.setTotal(total)
      this.#bar.update(done, this.#payload(done, total, detail))
    } else if (this.#isTerminal) {
      if (nowMs - this.#startMs > DELAY_MS && done < total) this.#show(done, total, detail)
    } else if (this.#options.plainLines && nowMs - this.#plainLineAtMs > PLAIN_LINE_INTERVAL_MS) {
      this.#plainLineAtMs = nowMs
      const show = SHOW[unit]
      remark(`${this.#verb}: ${show(done)} of ${show(total)} ${detail}`.trimEnd())
    }
  }

  get #verb(): string {
    return this.#options.verbs[this.#unit] ?? ''
  }

  #restart(unit: Unit): void {
    this.end()
    this.#unit = unit
    this.#startMs = performance.now()
    this.#updatedAtMs = 0
    this.#doneAtFirst = undefined
  }

  #show(done: number, total: number, detail: string): void {
    this.#bars = new cliProgress.MultiBar({
      format: `${this.#verb} {bar} {percentage}%  {done} of {all}  {rate}/s  {detail}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 24,
      gracefulExit: false, // the command itself handles Ctrl-C
      clearOnComplete: true,
      emptyOnZero: true,
    })
    this.#bar = this.#bars.create(total, done, this.#payload(done, total, detail))
  }

  #payload(done: number, total: number, detail: string) {
    const show = SHOW[this.#unit]
    const rate = ratePerSecond(done - (this.#doneAtFirst ?? 0), performance.now() - this.#startMs)
    return { done: show(done), all: show(total), rate: show(Math.round(rate)), detail }
  }

  /** Prints a line above the bar. */
  remark(text: string): void {
    if (this.#bars === undefined) remark(text)
    else {
      this.#bars.log(printable(`${text}\n`))
      this.#bars.update()
    }
  }

  /** Removes the bar. */
  end(): void {
    this.#bars?.stop()
    this.#bars = this.#bar = undefined
  }
}
