import type { Observable } from 'rxjs'
import { distinctUntilChanged } from 'rxjs/internal/operators/distinctUntilChanged'
import { ReplaySubject } from 'rxjs/internal/ReplaySubject'
import type { LifecycleState } from '../actor/lifecycle.js'

/** The current state at once (even after `closed`), then every change. Completes when the cache is closed. */
export class LifecycleStream {
  readonly #states = new ReplaySubject<LifecycleState>(1)
  readonly observable: Observable<LifecycleState> = this.#states.pipe(
    distinctUntilChanged(
      (a, b) => a.state === b.state && a.done === b.done && a.total === b.total && a.reason === b.reason,
    ),
  )

  constructor(current: LifecycleState) {
    this.#states.next(Object.freeze(current))
  }

  next(state: LifecycleState): void {
    this.#states.next(Object.freeze(state)) // shared by all subscribers
    if (state.state === 'closed') this.#states.complete()
  }
}
