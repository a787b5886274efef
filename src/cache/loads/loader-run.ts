/**
 * One call of a loader, for one key or several. It knows which other runs it waits for, so that a load that would wait for
 * itself is found. Before: `loads.ts`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

/** The run whose loader is running in the current async context. */
const current = new AsyncLocalStorage<LoaderRun | undefined>()

export class LoaderRun {
  /** What it loads. */
  readonly keys: readonly string[]
  readonly #controller = new AbortController()
  /** The runs that its loader waits for, with the number of waiting calls. */
  readonly #waitsFor = new Map<LoaderRun, number>()
  /** How many of its loads still want a value. */
  #wanted: number
  /** Until the loader has returned, or none of its values is wanted any more. */
  #isRunning = true

  constructor(keys: readonly string[]) {
    this.keys = keys
    this.#wanted = keys.length
  }

  /** The run that the current call is part of: its loader made the call and has not returned yet. */
  static get current(): LoaderRun | undefined {
    const run = current.getStore()
    return run?.isRunning === true ? run : undefined
  }

  /** Runs a task outside any loader. */
  static outside(task: () => void): void {
    if (current.getStore() === undefined) task()
    else current.run(undefined, task)
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Calls the loader, whose calls are then part of this run. */
  within<T>(loader: () => T): T {
    return current.run(this, loader)
  }

  /** The loader has returned: what its tasks do later is not part of the run. */
  returned(): void {
    this.#isRunning = false
  }

  /** One load wants no value any more. */
  abandon(reason: Error): void {
    if (--this.#wanted > 0) return
    this.#isRunning = false
    this.#controller.abort(reason)
  }

  waitFor(run: LoaderRun): void {
    this.#waitsFor.set(run, (this.#waitsFor.get(run) ?? 0) + 1)
  }

  stopWaitingFor(run: LoaderRun): void {
    const count = this.#waitsFor.get(run) as number // at least 1: the wait that ends was counted
    if (count === 1) this.#waitsFor.delete(run)
    else this.#waitsFor.set(run, count - 1)
  }

  /** Whether it waits for `target`, directly or through other runs. A run waits for itself. */
  reaches(target: LoaderRun): boolean {
    const seen = new Set<LoaderRun>()
    const open: LoaderRun[] = [this]
    for (let run = open.pop(); run !== undefined; run = open.pop()) {
      if (run === target) return true
      if (seen.has(run)) continue
      seen.add(run)
      open.push(...run.#waitsFor.keys())
    }
    return false
  }
}
