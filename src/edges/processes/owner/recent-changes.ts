/**
 * `changes$` of a client whose owner has changed. Its clients come back within moments of each other, while the first of them already
 * change something: so the new owner keeps the changes since it opened for as long as that takes.
 */
import type { Observable } from 'rxjs'
import { concat } from 'rxjs/internal/observable/concat'
import { from } from 'rxjs/internal/observable/from'
import type { Door } from '../../../cache/door.js'
import { journalClock } from '../../../cache/system-clock.js'
import { CacheError } from '../../../errors.js'
import { EVENT_BYTES_MAX, EVENTS_MAX } from '../../remote/wire/protocol.js'
import { toWire, wireBytes } from '../../remote/wire/wire-value.js'

/** How long the clients of the owner before have to come back. */
const KEPT_MS = 15_000

type StoredChanges = Door['streams']['changes$']
type StoredChange = StoredChanges extends Observable<infer C> ? C : never

export class RecentChanges {
  readonly #door: Door
  /** The sequence before the first of them. */
  readonly #start: number
  #changes: StoredChange[] | undefined = []
  #bytes = 0
  readonly #stop: () => void

  constructor(door: Door) {
    this.#door = door
    this.#start = door.sequence
    const subscription = door.streams.changes$.subscribe((change) => this.#keep(change))
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
   * The changes after a sequence, then those to come.
   * @throws CacheError `HISTORY_GONE` if they are not here any more.
   */
  readonly after = (sequence: number): StoredChanges => {
    const { changes$ } = this.#door.streams
    if (sequence === this.#door.sequence) return changes$
    const missed = this.#changes?.filter((change) => change.sequence > sequence)
    if (missed !== undefined && sequence >= this.#start && sequence < this.#door.sequence)
      return concat(from(missed), changes$)
    throw new CacheError(
      'HISTORY_GONE',
      `The owner of the cache has changed, and the changes after ${sequence} are not known to the new one`,
    )
  }
}
