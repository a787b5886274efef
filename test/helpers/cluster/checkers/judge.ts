/** All checkers on one history. */
import type { Call, LoadCall, LoadedValue, Sample, Stream, Written } from './history.js'
import { notLinearizable } from './linearizability.js'
import { notLoaded } from './loads.js'
import { notOnce } from './once.js'
import { impossibleEvents } from './replay.js'
import { differentStates } from './states.js'
import { brokenStreams } from './streams.js'
import { brokenTerms } from './terms.js'

export interface History {
  readonly calls: readonly Call[]
  /** From its first record on, with what was trimmed. */
  readonly log: readonly Written[]
  readonly counters: ReadonlySet<string>
  readonly loadCalls?: readonly LoadCall[]
  readonly loaded?: ReadonlyMap<number, LoadedValue>
  readonly streams: readonly Stream[]
  readonly samples: readonly Sample[]
}

/** What is wrong with a history. */
export function violations(history: History): string[] {
  const { calls, log, counters, loadCalls = [], loaded = new Map(), streams, samples } = history
  return [
    ...brokenTerms(log),
    ...impossibleEvents(log),
    ...notOnce(calls, log, counters),
    ...notLoaded(loadCalls, log, loaded),
    ...brokenStreams(streams, log),
    ...differentStates(samples, log),
    ...notLinearizable(calls, new Set([...volatileKeys(log), ...floodedKeys(calls)])),
  ]
}

/** Keys whose entries have had deadlines, or had to make room. */
function volatileKeys(log: readonly Written[]): Set<string> {
  const keys = new Set<string>()
  for (const { events } of log) {
    for (const event of events) {
      const isVolatile =
        event.type === 'evicted' ||
        event.type === 'rescheduled' ||
        (event.type === 'set' && event.expiresAtMs < Number.POSITIVE_INFINITY)
      if (isVolatile && 'key' in event) keys.add(event.key)
    }
  }
  return keys
}

/** Keys of so many calls that no search ends. What is in the log, and in which order, is judged nevertheless. */
function floodedKeys(calls: readonly Call[]): string[] {
  const counts = new Map<string, number>()
  for (const { steps } of calls)
    for (const step of steps) if ('key' in step) counts.set(step.key, (counts.get(step.key) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1_000).map(([key]) => key)
}
