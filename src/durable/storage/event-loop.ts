/**
 * Turns of the event loop. Uses the `setImmediate` of when this module was loaded: a test that replaces timers afterwards must
 * not stop a journal from writing, or a caller from waiting for it.
 */
import { setImmediate as ofNode } from 'node:timers'

const later = ofNode

export const queueMicrotask = globalThis.queueMicrotask
export const nextTick = process.nextTick

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
