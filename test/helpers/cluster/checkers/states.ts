/**
 * Whether nodes at the same sequence have the same entries: those of the log up to there. By its clock a node hides what is stale, but not
 * from who accepts it, and what is past its deadline.
 */
import type { Sample, Written } from './history.js'
import { entriesAt } from './replay.js'

export function differentStates(samples: readonly Sample[], log: readonly Written[]): string[] {
  const found: string[] = []
  for (const { node, position, sequence, nowMs, latestMs = nowMs, entries, evenStale, tags = new Map() } of samples) {
    const expected = entriesAt(log, sequence)
    const timeMs = Math.max(latestMs, timeAt(log, position)) // a cache's time never goes back
    const say = (what: string) => found.push(`${node} at sequence ${sequence}: ${what}`)
    for (const [shown, ends] of [[entries, 'freshUntilMs'] as const, [evenStale ?? new Map(), 'expiresAtMs'] as const])
      for (const [key, value] of shown) {
        if (value === undefined) continue
        const entry = expected.get(key)
        if (entry === undefined) say(`has ${key}, which the log has not`)
        else if (!Object.is(entry.value, value)) say(`${key} is ${value}, and ${entry.value} in the log`)
        else if (entry[ends] <= nowMs) say(`shows ${key} ${nowMs - entry[ends]} ms too long`)
      }
    for (const [key, own] of tags) {
      const theirs = expected.get(key)?.tags ?? []
      if (`${[...own].sort()}` !== `${[...theirs].sort()}`) say(`${key} has the tags ${own}, and ${theirs} in the log`)
    }
    for (const [key, { expiresAtMs, freshUntilMs }] of expected) {
      if (!entries.has(key) && freshUntilMs > timeMs) say(`lacks ${key}`)
      const isMissing = evenStale?.has(key) === true && evenStale.get(key) === undefined
      if (isMissing && expiresAtMs > timeMs) say(`lacks ${key} for who accepts it stale`)
    }
  }
  return found
}

/** The latest time that a record up to this one says. */
function timeAt(log: readonly Written[], position: number): number {
  return Math.max(...log.filter((record) => record.position <= position).map(({ timeMs }) => timeMs))
}
