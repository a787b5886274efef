/**
 * Turns of the event loop, whatever a test runner does to the timers: a journal must continue to write, and a client to ask,
 * while fake time stands still.
 */
import { outsideRequests } from '../outside-requests.js'
import { realImmediate } from './real-timers.js'

const settled = Promise.resolve()

/** A promise's callback, because `globalThis.queueMicrotask` may be a fake one already. */
export function queueMicrotask(task: () => void): void {
  settled.then(task)
}

/** Fake timers mark what they replace with their clock. */
export const nextTick: (task: () => void) => void = 'clock' in process.nextTick ? realImmediate : process.nextTick

/** Calls `task`, as part of no request, before any `setImmediate` that is queued after this call. */
export function queueTask(task: () => void): void {
  outsideRequests(realImmediate, task)
}

/** Resolves in the next turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    realImmediate(resolve)
  })
}
