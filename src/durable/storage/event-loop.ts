/**
 * The turns of the event loop. Taken when this module is loaded: a test that replaces the timers of its process afterwards
 * must not stop a journal from writing, nor anybody from waiting for it.
 */
import { setImmediate as ofNode } from 'node:timers'

const later = ofNode

/** Calls `task` before any `setImmediate` that is queued after this call. */
export function queueTask(task: () => void): void {
  later(task)
}

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    later(resolve)
  })
}
