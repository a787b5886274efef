/**
 * `changes$` of a client whose owner has changed goes on after the last change that the client has received. What the owner before had
 * written is in the journal. What happens from then on, while the clients come back one by one, is kept here for as long as that takes.
 */
import { Observable } from 'rxjs/internal/Observable'
import { concat } from 'rxjs/internal/observable/concat'
import { defer } from 'rxjs/internal/observable/defer'
import { from } from 'rxjs/internal/observable/from'
import { type Cache, innerOf, pastOf } from '../../../cache/cache.js'
import type { Door } from '../../../cache/door/door.js'
import { journalClock } from '../../../cache/system-clock.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { CacheError } from '../../../errors.js'
import { EVENT_BYTES_MAX, EVENTS_MAX } from '../../remote/wire/protocol.js'
import { toWire, wireBytes } from '../../remote/wire/wire-value.js'

/** How long the clients of the owner before have to come back. */
const KEPT_MS = 15_000

type StoredChanges = Door['streams']['changes$']
type StoredChange = StoredChanges extends Observable<infer C> ? C : never

export class RecentChanges {
  readonly #cache: Cache
  readonly #door: Door
  /** The sequence before the first of them: the last one that the journal had when it was opened. */
  readonly #start: number
  #changes: StoredChange[] | undefined = []
  #bytes = 0
  readonly #stop: () => void

  constructor(cache: Cache) {
    this.#cache = cache
    this.#door = innerOf(cache)
    this.#start = this.#door.sequence
    const subscription = this.#door.streams.changes$.subscribe((change) => this.#keep(change))
    const timer = journalClock.setTimeout(() => this.stop(), KEPT_MS)
    this.#stop = () => {
      subscription.unsubscribe()
      journalClock.clearTimeout(timer)
    }
    if (this.#start === 0) this.stop() // a new journal: nobody has seen anything of it
  }

  #keep(change: StoredChange): void {
    this.#changes?.push(change)
    this.#bytes += 'value' in change ? wireBytes(toWire(change.value)) : 0
    if ((this.#changes?.length ?? 0) > EVENTS_MAX || this.#bytes > EVENT_BYTES_MAX) this.stop()
  }

  stop(): void {
    this.#changes = undefined
    this.#stop()
  }

  /**
   * The changes after a sequence, then those to come. They fail with a CacheError `HISTORY_GONE` if the journal does not reach back
   * that far.
   * @throws it if they are not known any more.
   */
  readonly after = (sequence: number): StoredChanges => {
    const { changes$ } = this.#door.streams
    const last = this.#door.sequence
    if (sequence === last) return changes$
    if (this.#changes !== undefined && sequence < last) {
      if (sequence < this.#start)
        return concat(
          this.#written(sequence),
          defer(() => this.after(this.#start)),
        )
      return concat(from(this.#changes.filter((change) => change.sequence > sequence)), changes$)
    }
    throw new CacheError(
      'HISTORY_GONE',
      `The owner of the cache has changed, and the changes after ${sequence} are not known to the new one`,
      { advice: 'Read what you need, then subscribe again.' },
    )
  }

  /** Those after a sequence that the owner before had written. */
  #written(sequence: number): StoredChanges {
    return new Observable((subscriber) => {
      const past = pastOf(this.#cache)
      const items = past.changesSince<StoredValue>(sequence, (stored) => stored, this.#door.streams.changes$)
      const read = async () => {
        for await (const { timeMs: _, ...change } of items) {
          if (subscriber.closed) return
          subscriber.next(change as StoredChange)
          if (change.sequence >= this.#start) break
        }
        subscriber.complete()
      }
      read().catch((error: unknown) => subscriber.error(error))
      return () => void items.return?.()
    })
  }
}
