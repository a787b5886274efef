/** The shell at a terminal: a prompt with live stats, history, completion. */
import { createInterface, type Interface } from 'node:readline'
import { type AnyCache, whenThere } from '../journal/any-cache.js'
import { messageOf } from '../terminal/failures.js'
import type { Interruption } from '../terminal/interruption.js'
import { output } from '../terminal/output.js'
import { type Completion, complete } from './completion.js'
import { HISTORY_LINES_MAX, History } from './history.js'
import { LivePrompt } from './live-prompt.js'
import { runLine } from './run-line.js'
import type { ShellContext } from './shell-command.js'
import { Watching } from './watching.js'

export async function runInteractive(cache: AnyCache, interruption: Interruption): Promise<void> {
  const terminal = new Terminal(cache, interruption)
  const stop = () => terminal.end()
  interruption.signal.addEventListener('abort', stop)
  try {
    await terminal.run()
  } finally {
    interruption.signal.removeEventListener('abort', stop)
  }
}

class Terminal {
  readonly #cache: AnyCache
  readonly #interruption: Interruption
  readonly #history = new History()
  readonly #readline: Interface
  readonly #prompt: LivePrompt
  readonly #watching: Watching
  readonly #context: ShellContext
  /** Lines entered (usually pasted) while a command was running. */
  readonly #waiting: string[] = []
  #running: Promise<void> | undefined
  #isLeaving = false

  constructor(cache: AnyCache, interruption: Interruption) {
    const { colors } = output
    this.#cache = cache
    this.#interruption = interruption
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      completer: (line: string, show: (error: Error | null, found?: Completion) => void) => {
        complete(cache, line).then((found) => show(null, found), show)
      },
      history: this.#history.lines,
      historySize: HISTORY_LINES_MAX,
      removeHistoryDuplicates: true,
    })
    this.#prompt = new LivePrompt(this.#readline, cache, colors)
    this.#watching = new Watching(cache, colors, (line) => this.#prompt.printAbove(line))
    this.#context = {
      cache,
      colors,
      watching: this.#watching,
      print: (line) => output.line(line),
      hint: (line) => output.line(colors.dim(line)),
      leave: () => {
        this.#isLeaving = true
      },
    }
  }

  /** Resolves when the user has left and no command is running any more. */
  async run(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#readline.once('close', resolve))
    this.#readline.on('line', (line) => this.#take(line))
    this.#readline.on('SIGINT', () => this.#onInterrupt())
    if (this.#interruption.isStopped) this.end()
    else await whenThere(this.#cache.stats(), (stats) => this.#prompt.open(stats))
    await closed
    this.#prompt.end()
    this.#watching.stop()
    if (!this.#isLeaving) output.line('') // Ctrl-C and Ctrl-D leave the cursor behind the prompt
    await this.#running
  }

  end(): void {
    this.#readline.close()
  }

  /** The terminal is in raw mode, so Ctrl-C arrives as a key: it clears the line, and leaves on an empty one. */
  #onInterrupt(): void {
    if (this.#readline.line === '' || this.#interruption.isStopped) this.#interruption.stop('SIGINT')
    else {
      this.#readline.write(null, { ctrl: true, name: 'e' })
      this.#readline.write(null, { ctrl: true, name: 'u' })
    }
  }

  #take(line: string): void {
    if (this.#running !== undefined) {
      this.#waiting.push(line)
      return
    }
    this.#prompt.close()
    this.#history.add(line)
    if (line.trim() === '' && this.#watching.isOn) {
      this.#watching.stop()
      this.#context.hint('no longer watching')
    }
    try {
      const running = runLine(line, this.#context)
      if (running === undefined) this.#next()
      else this.#running = this.#wait(running)
    } catch (error) {
      this.#fail(error)
      this.#next()
    }
  }

  async #wait(running: Promise<void>): Promise<void> {
    try {
      await running
    } catch (error) {
      this.#fail(error)
    }
    this.#running = undefined
    this.#next()
  }

  #fail(error: unknown): void {
    output.line(output.colors.red(messageOf(error)))
  }

  #next(): void {
    if (this.#interruption.isStopped) return
    if (this.#isLeaving) {
      this.end()
      return
    }
    const prompted = whenThere(this.#cache.stats(), (stats) => {
      this.#running = undefined
      this.#prompt.open(stats)
      const line = this.#waiting.shift()
      if (line === undefined) return
      output.line(line) // as if it were typed now
      queueMicrotask(() => this.#take(line)) // not by recursion: thousands of lines may be waiting
    })
    if (prompted !== undefined) this.#running = prompted.catch((error) => this.#fail(error))
  }
}
