/** An engine that does not answer now. Before: open-log, log-changes. After: the log. */
import type { Clock } from '../../../core/model/clock.js'
import { CacheError, reasonOf } from '../../../errors.js'

/** After how long it is asked again. */
export const AGAIN_MS = 500
/** Each of them may take some seconds. */
const TRIES = 5

/** Every other error comes from the engine, which may answer later. */
export function isFinal(error: unknown): boolean {
  return error instanceof CacheError || error instanceof TypeError || error instanceof RangeError
}

export function pause(clock: Pick<Clock, 'setTimeout'>): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, AGAIN_MS))
}

/** Repeats `work` until the engine answers. @throws CacheError `ENGINE_UNAVAILABLE` if it does not in time. */
export async function patiently<T>(clock: Pick<Clock, 'setTimeout'>, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (isFinal(error) || tries === TRIES) throw silent(error)
    }
    await pause(clock)
  }
}

/** What a user gets: a CacheError `ENGINE_UNAVAILABLE` in place of an error of the engine. */
export function silent(error: unknown): unknown {
  if (isFinal(error)) return error
  return new CacheError('ENGINE_UNAVAILABLE', `The log of the cluster does not answer (${reasonOf(error)})`, {
    advice: 'Check that a majority of the servers that keep the log runs and can be reached, then try again.',
    cause: error,
  })
}
