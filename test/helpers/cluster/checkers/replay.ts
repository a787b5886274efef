/** The log as a naive model reads it: its events, folded into a Map. Says what no sound leader could have written. */
import { NO_TAGS } from '../../../../src/core/model/extension.js'
import type { LoggedEntry, LoggedEvent, Written } from './history.js'

export interface NaiveEntry {
  readonly value: unknown
  readonly expiresAtMs: number
  /** When it stops being fresh, by its ttl or because it has expired. */
  readonly freshUntilMs: number
  readonly tags: readonly string[]
}

/** Events that no leader with the entries before them would have decided, and frames that do not follow each other. */
export function impossibleEvents(log: readonly Written[]): string[] {
  const found: string[] = []
  const entries = new Map<string, NaiveEntry>()
  let next = 1
  let timeMs = Number.NEGATIVE_INFINITY
  for (const { position, kind, isVoid, firstSequence, timeMs: atMs, events } of log) {
    if (kind !== 'frame' || isVoid) continue
    const say = (what: string) => found.push(`record ${position}: ${what}`)
    if (firstSequence !== next) say(`begins with sequence ${firstSequence} instead of ${next}`)
    if (atMs < timeMs) say(`was written at ${atMs}, before the frame before it (${timeMs})`)
    timeMs = Math.max(timeMs, atMs)
    for (const event of events) {
      if ('key' in event && event.type !== 'set') {
        const entry = entries.get(event.key)
        if (entry === undefined) say(`${event.type} ${event.key}, which was not there`)
        else if (event.type === 'expired' && entry.expiresAtMs > atMs)
          say(`expired ${event.key} ${entry.expiresAtMs - atMs} ms early`)
      }
      fold(entries, event)
    }
    next = firstSequence + events.length
  }
  return found
}

/** The entries after a sequence. */
export function entriesAt(log: readonly Written[], sequence: number): Map<string, NaiveEntry> {
  const entries = new Map<string, NaiveEntry>()
  for (const { firstSequence, events } of log) {
    for (const [at, event] of events.entries()) {
      if (firstSequence + at > sequence) return entries
      fold(entries, event)
    }
  }
  return entries
}

function fold(entries: Map<string, NaiveEntry>, event: LoggedEvent): void {
  if (event.type === 'set') entries.set(event.key, naive(event))
  else if (event.type === 'rescheduled') {
    const entry = entries.get(event.key)
    const { expiresAtMs, freshUntilMs = expiresAtMs } = event
    if (entry !== undefined) entries.set(event.key, { ...entry, expiresAtMs, freshUntilMs })
  } else if (event.type === 'cleared') entries.clear()
  else if (event.type === 'loaded') {
    entries.clear()
    for (const [key, row] of event.rows) entries.set(key, naive(row))
  } else if ('key' in event) entries.delete(event.key)
}

function naive({ value, expiresAtMs, extension }: LoggedEntry): NaiveEntry {
  const { freshUntilMs = expiresAtMs, tags = NO_TAGS } = extension ?? {}
  return { value, expiresAtMs, freshUntilMs: Math.min(freshUntilMs, expiresAtMs), tags }
}
