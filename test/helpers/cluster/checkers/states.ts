/** Whether nodes at the same sequence have the same entries: those of the log up to there. What is past its deadline may be hidden. */
import type { Sample, Written } from './history.js'
import { entriesAt } from './replay.js'

export function differentStates(samples: readonly Sample[], log: readonly Written[]): string[] {
  const found: string[] = []
  for (const { node, position, sequence, nowMs, entries } of samples) {
    const expected = entriesAt(log, sequence)
    const say = (what: string) => found.push(`${node} at sequence ${sequence}: ${what}`)
    for (const [key, value] of entries) {
      const entry = expected.get(key)
      if (entry === undefined) say(`has ${key}, which the log has not`)
      else if (!Object.is(entry.value, value)) say(`${key} is ${value}, and ${entry.value} in the log`)
    }
    const timeMs = Math.max(nowMs, timeAt(log, position))
    for (const [key, { expiresAtMs }] of expected) if (!entries.has(key) && expiresAtMs > timeMs) say(`lacks ${key}`)
  }
  return found
}

/** The latest time that a record up to this one says. */
function timeAt(log: readonly Written[], position: number): number {
  return Math.max(...log.filter((record) => record.position <= position).map(({ timeMs }) => timeMs))
}
