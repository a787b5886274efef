/** Removes actions from a failing script as long as it still fails. */
import type { Script } from './script.js'

export async function shortened(
  script: Script,
  fails: (script: Script) => Promise<boolean>,
  triesMax = 300,
): Promise<Script> {
  let tries = 0
  for (let size = Math.ceil(script.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < script.actions.length; ) {
      if (tries++ > triesMax) return script
      const removed = script.actions.slice(at, at + size)
      const next = script.actions[at + size]
      const waitedMs = removed.reduce((sum, { afterMs }) => sum + afterMs, 0)
      const actions = script.actions.toSpliced(at, size, ...[])
      // What follows still happens at its time.
      if (next !== undefined) actions[at] = { ...next, afterMs: next.afterMs + waitedMs }
      const shorter = { ...script, actions }
      if (await fails(shorter)) script = shorter
      else at += size
    }
  }
  return script
}
