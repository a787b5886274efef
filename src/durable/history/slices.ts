import { nextTurn } from '../storage/event-loop.js'

/** How long reading blocks the event loop at once. */
const SLICE_MS = 2

/** For a reading in slices: resolves in the next turn of the event loop when this slice has taken long enough, else undefined. */
export function slices(): () => Promise<void> | undefined {
  let endMs = performance.now() + SLICE_MS
  return () => {
    if (performance.now() < endMs) return undefined
    return nextTurn().then(() => {
      endMs = performance.now() + SLICE_MS
    })
  }
}
