/** Errors that no call has caused. Before: `turns.ts`, `outbox.ts`. After: the process. */
import { queueTask } from '../../durable/storage/event-loop.js'

/** Throws on a later tick, as RxJS does with subscribers' errors: for errors that the caller did not cause. */
export function reportLater(error: unknown): void {
  queueTask(() => {
    throw error
  })
}
