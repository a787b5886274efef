/** The bars of a save or a load, first while its file is read, then while entries are written; and its end by Ctrl-C. */
import type { SaveProgress } from '../files/format.js'
import { EXIT } from './exit-codes.js'
import { Interruption } from './interruption.js'
import { remark } from './output.js'
import { Progress } from './progress.js'
import { showCount } from './quantities.js'

const VERBS = { bytes: 'Reading', entries: 'Writing' } as const

/** Runs `work` with a bar, and answers the exit code. Ctrl-C ends it between two slices, as a failure that changes nothing. */
export async function withFileProgress(
  outcome: string,
  work: (progress: SaveProgress, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  const interruption = new Interruption()
  const bars = new FileBars()
  const { signal } = interruption
  try {
    await work((done, total, unit) => {
      signal.throwIfAborted()
      bars.update(done, total, unit)
    }, signal)
    return interruption.exitCode(EXIT.fine)
  } catch (error) {
    if (!interruption.isStopped) throw error
    bars.end()
    remark(`Interrupted: ${outcome}`)
    return interruption.exitCode(EXIT.error)
  } finally {
    bars.end()
    interruption.release()
  }
}

class FileBars {
  #progress: Progress | undefined
  #unit: keyof typeof VERBS | undefined

  update(done: number, total: number, unit: keyof typeof VERBS): void {
    if (unit !== this.#unit) {
      this.end()
      this.#unit = unit
      this.#progress = new Progress({
        verb: VERBS[unit],
        plainLines: true,
        ...(unit === 'entries' ? { show: showCount } : {}),
      })
    }
    this.#progress?.update(done, total)
  }

  end(): void {
    this.#progress?.end()
    this.#progress = undefined
  }
}
