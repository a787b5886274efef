/** The command line as users run it, in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

export const MAIN = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url))

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface StartOptions {
  /** The working directory; `journal` is relative to it. */
  cwd: string
  environment?: Record<string, string>
}

/** A running process, killed at the end of the test if it has not ended by then. */
export class DaybookProcess {
  readonly #child: ChildProcessWithoutNullStreams
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  #onOutput: (() => void)[] = []

  constructor(t: ExecutionContext, args: readonly string[], { cwd, environment = {} }: StartOptions) {
    this.#child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { ...process.env, DAYBOOK_HISTORY: '', FORCE_COLOR: '1', ...environment },
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#notify()
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#notify()
    })
    this.#child.stdin.on('error', () => undefined) // the process may end before it has read everything
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
        this.#notify()
      })
    })
    t.teardown(() => this.#child.kill('SIGKILL'))
  }

  #notify(): void {
    for (const listener of this.#onOutput.splice(0)) listener()
  }

  write(text: string): void {
    this.#child.stdin.write(text)
  }

  end(text = ''): Promise<Ended> {
    this.#child.stdin.end(text)
    return this.ended
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }

  /** Closes the reading end of its output: its writes fail with EPIPE. */
  stopReading(where: 'stdout' | 'stderr' = 'stdout'): void {
    this.#child[where].destroy()
  }

  /** Resolves when its output matches; rejects if it ends before. */
  async until(pattern: RegExp, where: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    while (!pattern.test(this[where])) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        throw new Error(`It ended before ${pattern} was printed: ${this.stdout}${this.stderr}`)
      }
      await new Promise<void>((resolve) => this.#onOutput.push(resolve))
    }
  }
}

/** Runs it until it ends. */
export function daybook(
  t: ExecutionContext,
  args: readonly string[],
  options: StartOptions & { input?: string },
): Promise<Ended> {
  return new DaybookProcess(t, args, options).end(options.input)
}
