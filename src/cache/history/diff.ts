/**
 * What differs between two places in the past: one replay through both. Before: `looking-back.ts`. After: `durable/history/past`.
 *
 * Behind the first place, what a key had before is kept at its first event. A `cleared` or `loaded` event detaches all entries of the
 * state: those are kept as they were, and nothing needs to be kept from then on.
 */
import type { KeyMatcher } from '../../core/decide/glob.js'
import type { Entries } from '../../core/evolve/entries.js'
import type { State } from '../../core/evolve/state.js'
import { type Sequence, sequenceAfter } from '../../core/model/sequence.js'
import type { Slot } from '../../core/model/state.js'
import type { JournalReceiver } from '../../durable/contract.js'
import type { Place } from '../../durable/history/locate.js'
import type { Past } from '../../durable/history/past.js'
import { receiverFor } from '../../durable/history/replayed-state.js'
import { slices } from '../../durable/history/slices.js'
import type { StoredEntry } from '../turns/reads.js'
import { emptyState, liveUntilIn, onlyMatching, storedEntryIn } from './past-state.js'
import { isSameEntry } from './same-value.js'

/** An entry with the time at which it ceases to be live. */
interface Kept {
  entry: StoredEntry
  liveUntilMs: number
}

export interface StoredDifference {
  key: string
  before: StoredEntry | undefined
  after: StoredEntry | undefined
}

export async function* diffPast(
  past: Past,
  from: Place,
  to: Place,
  matches: KeyMatcher | undefined,
): AsyncGenerator<StoredDifference, void, undefined> {
  if (from.sequence > to.sequence) {
    for await (const { key, before, after } of diffPast(past, to, from, matches))
      yield { key, before: after, after: before }
    return
  }
  const tracker = new Tracker(from.sequence)
  await tracker.read(past, to.sequence, matches)
  const pause = slices()
  for (const key of tracker.candidates()) {
    const pausing = pause()
    if (pausing !== undefined) await pausing
    if (key === undefined) continue
    const before = liveAt(tracker.before(key), from.timeMs)
    const after = liveAt(keptIn(tracker.state.entries, key), to.timeMs)
    if (!isSameEntry(before, after)) yield { key, before, after }
  }
}

class Tracker {
  readonly state: State = emptyState()
  readonly #from: Sequence
  /** Of the last event. */
  #sequence = 0 as Sequence
  readonly #touched = new Map<string, Kept | undefined>()
  /** All entries that were removed at once by the first `cleared` or `loaded` event. */
  #detached: Entries | undefined

  constructor(from: Sequence) {
    this.#from = from
  }

  async read(past: Past, to: Sequence, matches: KeyMatcher | undefined): Promise<void> {
    const receiver = receiverFor(this.state, () => undefined)
    const wanted = matches === undefined ? receiver : onlyMatching(receiver, matches)
    const isWanted = matches ?? (() => true)
    const keep = (key: string) => {
      if (isWanted(key)) this.#keep(key)
    }
    const tracking: JournalReceiver = {
      ...wanted,
      set: (key, ...entry) => {
        if (this.#isBehind()) keep(key)
        wanted.set(key, ...entry)
      },
      event: (event, rows) => {
        if (this.#isBehind()) {
          if ('key' in event) keep(event.key)
          else if (event.type !== 'limited') this.#detached ??= this.state.entries
        }
        wanted.event(event, rows)
      },
    }
    await past.readAt(to, tracking, this.#from, (base) => {
      this.#sequence = base
    })
  }

  /** Counts the event. Whether it comes behind the first place. */
  #isBehind(): boolean {
    this.#sequence = sequenceAfter(this.#sequence)
    return this.#sequence > this.#from
  }

  #keep(key: string): void {
    if (this.#detached === undefined && !this.#touched.has(key)) this.#touched.set(key, keptIn(this.state.entries, key))
  }

  before(key: string): Kept | undefined {
    if (this.#touched.has(key)) return this.#touched.get(key)
    return keptIn(this.#detached ?? this.state.entries, key)
  }

  /** Every key that may differ, once; undefined for a key that cannot. */
  *candidates(): Generator<string | undefined, void, undefined> {
    const { entries } = this.state
    const touched = this.#touched
    const detached = this.#detached
    yield* touched.keys()
    if (detached !== undefined) for (const [key] of slotsOf(detached)) yield touched.has(key) ? undefined : key
    for (const [key, slot] of slotsOf(entries)) {
      // Between the two times an untouched entry can only have ceased to be live.
      const mayDiffer =
        detached === undefined
          ? liveUntilIn(entries, slot) !== Number.POSITIVE_INFINITY
          : detached.find(key) === undefined
      yield mayDiffer && !touched.has(key) ? key : undefined
    }
  }
}

function* slotsOf(entries: Entries): Generator<[key: string, slot: Slot], void, undefined> {
  const cursor = entries.order.cursor()
  for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) yield [entries.keyAt(slot), slot]
}

function keptIn(entries: Entries, key: string): Kept | undefined {
  const slot = entries.find(key)
  return slot === undefined
    ? undefined
    : { entry: storedEntryIn(entries, slot), liveUntilMs: liveUntilIn(entries, slot) }
}

function liveAt(kept: Kept | undefined, timeMs: number): StoredEntry | undefined {
  return kept !== undefined && timeMs < kept.liveUntilMs ? kept.entry : undefined
}
