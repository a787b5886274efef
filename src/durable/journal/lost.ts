/** What a failed write means for what is pending, in words. Before: `durability`. */
import type { Sequence } from '../../core/model/sequence.js'

/** How a journal is being closed: only if everything can be written, or in any case. */
export type Closing = 'if all is written' | 'in any case'

export const CLOSE_AGAIN = 'Free some space, then call close() again; close({ force: true }) closes without that.'

/** What a failed write means, and what to do. */
export function pendingMeans(
  closing: Closing | undefined,
  { count, bytes }: { count: number; bytes: number },
  written: Sequence,
): { consequence: string; advice?: string } {
  if (closing === undefined) return { consequence: 'They stay pending, and reads still work.' }
  const pending = `${count} ${count === 1 ? 'change' : 'changes'}, ${bytes} bytes`
  if (closing === 'if all is written') {
    return {
      consequence: `The cache stays open, and reads still work. What is pending (${pending}) is tried again every second.`,
      advice: CLOSE_AGAIN,
    }
  }
  return {
    consequence: `Lost: ${pending}. The journal ends with sequence ${written}.`,
    advice: 'Free some space, open the cache again, and repeat them.',
  }
}

export function describeChanges(first: number, last: number): string {
  return first === last ? `The change with sequence ${first}` : `The changes ${first} to ${last}`
}
