/**
 * Timers that no test runner replaces. They are taken when this module is loaded. If fake timers were installed before (Jest
 * with `enableGlobally`, `sinon.useFakeTimers()` in a setup file), the real ones are out of reach, and what the event loop
 * itself offers takes their place: messages to a port, and waiting for shared memory that nobody wakes.
 */
import { clearImmediate, clearTimeout, setImmediate, setTimeout } from 'node:timers'

/** A pair of functions, like `setTimeout` and `clearTimeout`. */
export interface Timers {
  set(callback: () => void, delayMs: number): unknown
  clear(timer: unknown): void
}

function areTimersReal(): boolean {
  const timer = setTimeout(() => undefined, 0)
  clearTimeout(timer)
  return '_onTimeout' in timer
}

function areImmediatesReal(): boolean {
  const immediate = setImmediate(() => undefined)
  clearImmediate(immediate)
  return '_onImmediate' in immediate
}

type WaitAsync = (cell: Int32Array, index: 0, value: 0, delayMs: number) => { value: Promise<'ok' | 'timed-out'> }

/** Without a callback that keeps the process alive. */
export const waitingTimers: Timers = {
  set(callback, delayMs) {
    const cell = new Int32Array(new SharedArrayBuffer(4))
    const { waitAsync } = Atomics as unknown as { waitAsync: WaitAsync }
    waitAsync(cell, 0, 0, Math.max(1, delayMs)).value.then((ended) => {
      if (ended === 'timed-out') callback()
    })
    return cell
  },
  clear(timer) {
    if (timer !== undefined) Atomics.notify(timer as Int32Array, 0)
  },
}

/** As `setImmediate` does, but a port's messages are received before immediates. */
export function createPortQueue(): (task: () => void) => void {
  const { port1, port2 } = new MessageChannel()
  const tasks: (() => void)[] = []
  port2.on('message', () => {
    const task = tasks.shift()
    if (tasks.length === 0) port2.unref()
    task?.()
  })
  port2.unref()
  port1.unref()
  return (task) => {
    if (tasks.push(task) === 1) port2.ref()
    port1.postMessage(undefined)
  }
}

export const realTimers: Timers = areTimersReal()
  ? { set: setTimeout, clear: clearTimeout as Timers['clear'] }
  : waitingTimers

/** Calls `task` in the next turn of the event loop. */
export const realImmediate: (task: () => void) => void = areImmediatesReal() ? setImmediate : createPortQueue()
