import { Counters } from '../../core/model/counters.js'
import type { LoadedEvent } from '../../core/model/event.js'
import type { JournalReceiver } from '../contract.js'
import { decodeUseOrder } from '../format/use-order.js'

/**
 * A receiver that keeps nothing: replaying to it makes all the checks that opening makes. `onLoaded` is called for each loaded
 * file that was needed and is sound.
 */
export function checkingReceiver(onLoaded: (event: LoadedEvent) => void = () => undefined): JournalReceiver {
  return {
    row: () => true,
    set: () => undefined,
    event: (event) => {
      if (event.type === 'loaded') onLoaded(event)
    },
    loadedRows: () => {
      const keys = new Set<string>()
      return { add: (key) => keys.size < keys.add(key).size, counters: new Counters() }
    },
    counters: () => undefined,
    limits: () => undefined,
    noted: () => undefined,
    reset: () => undefined,
    order: (bytes) => void decodeUseOrder(bytes),
    recency: () => undefined,
    progress: () => undefined,
  }
}
