/** Errors that no call has caused. Before: `turns.ts`, `outbox.ts`. After: the process. */
import { isStackOverflow } from '../../core/evolve/stack.js'
import { queueTask } from '../../durable/storage/event-loop.js'

/** Throws on a later tick, as RxJS does with subscribers' errors: for errors that the caller did not cause. */
export function reportLater(error: unknown): void {
  queueTask(() => {
    throw error
  })
}

/** After a stack overflow, does something again on a later tick, which has a stack of its own. Other errors are thrown there. */
export function orLater(error: unknown, again: () => void): void {
  if (isStackOverflow(error)) queueTask(again)
  else reportLater(error)
}
