/**
 * Ctrl-C, SIGTERM and SIGHUP. The first one asks the command to end cleanly: to write what is pending and close the journal.
 * The second one ends the process at once, like a crash, which loses nothing that was flushed.
 */
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

export type StopSignal = keyof typeof SIGNALS

export class Interruption {
  readonly #controller = new AbortController()
  #stoppedBy: StopSignal | undefined
  readonly #listeners: [StopSignal, () => void][] = []

  constructor() {
    for (const name of Object.keys(SIGNALS) as StopSignal[]) {
      const listener = () => this.stop(name)
      process.on(name, listener)
      this.#listeners.push([name, listener])
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get isStopped(): boolean {
    return this.#stoppedBy !== undefined
  }

  stop(name: StopSignal): void {
    if (this.#stoppedBy !== undefined) process.exit(SIGNALS[name])
    this.#stoppedBy = name
    this.#controller.abort()
  }

  /** The signal's exit code if there was a signal, otherwise the command's own. */
  exitCode(own: number): number {
    return this.#stoppedBy === undefined ? own : SIGNALS[this.#stoppedBy]
  }

  release(): void {
    for (const [name, listener] of this.#listeners) process.off(name, listener)
  }
}
