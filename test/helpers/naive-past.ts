/**
 * What the past was, by a naive model: all changes that were told, folded into a Map. It knows nothing of journals.
 */
import type { Change } from '../../src/index.js'

export interface NaiveEntry {
  value: unknown
  expiresAtMs: number
  freshUntilMs: number
  tags: readonly string[]
}

interface Told {
  change: Change
  timeMs: number
  /** Behind a `loaded` change: all entries, in the order of use. */
  entries: [string, NaiveEntry][] | undefined
}

const NEVER = Number.POSITIVE_INFINITY

export class NaivePast {
  readonly told: Told[] = []

  tell(change: Change, timeMs: number, entries: [string, NaiveEntry][] | undefined): void {
    this.told.push({ change, timeMs, entries })
  }

  /** A crash has taken back everything after this sequence. */
  forgetAfter(sequence: number): void {
    this.told.splice(sequence)
  }

  get last(): number {
    return this.told.length
  }

  timeOf(sequence: number): number {
    return (this.told[sequence - 1] as Told).timeMs
  }

  /** The sequence that a time means. */
  sequenceAt(timeMs: number): number {
    return this.told.findLastIndex((one) => one.timeMs <= timeMs) + 1
  }

  /** All that was stored, in the order of the last writes. */
  at(sequence: number): Map<string, NaiveEntry> {
    let entries = new Map<string, NaiveEntry>()
    for (const { change, entries: loaded } of this.told.slice(0, sequence)) {
      const { type, key = '', value, expiresAtMs = NEVER, freshUntilMs = NEVER, tags = [] } = change
      if (type === 'set') {
        entries.delete(key)
        entries.set(key, { value, expiresAtMs, freshUntilMs, tags })
      } else if (type === 'rescheduled') {
        const entry = entries.get(key)
        if (entry !== undefined) entries.set(key, { ...entry, expiresAtMs, freshUntilMs })
      } else if (type === 'cleared') entries.clear()
      else if (type === 'loaded') entries = new Map(loaded)
      else if (type !== 'limited') entries.delete(key)
    }
    return entries
  }

  /** What could be read at that time. */
  liveAt(sequence: number, timeMs: number): Map<string, NaiveEntry> {
    return new Map(
      [...this.at(sequence)].filter(
        ([, { expiresAtMs, freshUntilMs }]) => timeMs < Math.min(expiresAtMs, freshUntilMs),
      ),
    )
  }
}

/** As `entry()` returns it. */
export function shownEntry(entry: NaiveEntry | undefined): object | undefined {
  if (entry === undefined) return undefined
  const { value, expiresAtMs, freshUntilMs, tags } = entry
  return {
    value,
    ...(expiresAtMs === NEVER ? {} : { expiresAtMs }),
    ...(freshUntilMs === NEVER ? {} : { freshUntilMs }),
    tags: [...tags],
  }
}
