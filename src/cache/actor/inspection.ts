/**
 * Shows method calls to an XState inspector as if they were messages. Before: a method of `cache.ts`. After: the `inspect` option.
 */
import { type Actor, toObserver } from 'xstate'
import type { Inspector } from './actor-shapes.js'
import type { CacheLogic } from './logic.js'

export class Inspection {
  readonly isWanted: boolean
  actor: Actor<CacheLogic> | undefined
  readonly #inspector: { next?: (event: never) => void }
  /** The next call comes from a message that was sent, which XState itself shows. */
  #isSent = false

  constructor(inspect: Inspector | undefined) {
    this.isWanted = inspect !== undefined
    this.#inspector = toObserver(inspect as never)
  }

  readonly inspect = (event: { type: string }): void => {
    const isSent = this.#isSent
    this.#isSent = false
    if (isSent || this.actor === undefined) return
    const { actor } = this
    const inspected = { type: '@xstate.event', actorRef: actor, rootId: actor.sessionId, sourceRef: undefined, event }
    this.#inspector.next?.(inspected as never)
  }

  ofSent<T>(call: () => T): T {
    this.#isSent = this.isWanted
    try {
      return call()
    } finally {
      this.#isSent = false
    }
  }
}
