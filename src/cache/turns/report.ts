import { queueTask } from '../../durable/storage/event-loop.js'

/** Throws on a later tick, as RxJS does with what subscribers throw: for errors that are none of the caller's. */
export function reportLater(error: unknown): void {
  queueTask(() => {
    throw error
  })
}
