import { Observable } from 'rxjs/internal/Observable'
import { distinctUntilChanged } from 'rxjs/internal/operators/distinctUntilChanged'
import { ReplaySubject } from 'rxjs/internal/ReplaySubject'
import { Subject } from 'rxjs/internal/Subject'
import type { LifecycleState } from '../actor/lifecycle.js'

/**
 * The current state at once (even after `closed`), then every change, and every warning. Completes when the cache is closed.
 */
export class LifecycleStream {
  readonly #states = new ReplaySubject<LifecycleState>(1)
  readonly #warnings = new Subject<LifecycleState>()
  readonly observable = new Observable<LifecycleState>((subscriber) => {
    subscriber.add(this.#warnings.subscribe((warning) => subscriber.next(warning)))
    subscriber.add(this.#changes.subscribe(subscriber))
  })
  readonly #changes = this.#states.pipe(
    distinctUntilChanged(
      (a, b) => a.state === b.state && a.done === b.done && a.total === b.total && a.reason === b.reason,
    ),
  )

  constructor(current: LifecycleState) {
    this.#states.next(Object.freeze(current))
  }

  next(state: LifecycleState): void {
    Object.freeze(state) // shared by all subscribers
    if (state.warning === undefined) this.#states.next(state)
    else this.#warnings.next(state)
    if (state.state === 'closed') this.#states.complete()
  }
}
