/**
 * What the loaders of a client return, on its way to the owner. A value that cannot be sent stays here, for the calls of this
 * client. Before: remote-loads, or the synchronous client. After: owner/served-loads.
 */
import { type LoadedByKey, Unstorable } from '../../../cache/loads/loaded.js'
import type { Conversion } from '../../../cache/loads/local-loader.js'
import type { StoredValue } from '../../../core/model/stored-value.js'
import { restoreValue, storeValue } from '../../../values/encode.js'
import { toWireError } from '../wire/wire-error.js'
import { toStored, toWire, UNSENT } from '../wire/wire-value.js'
import { Dated, Unsent } from './answers.js'

export class LoadedHere {
  readonly conversion: Conversion = {
    store: (value, key) => storeValue(value, 'copy', key),
    restore: (stored) => restoreValue(stored, 'copy'),
    owner: this,
  }
  /** Values that could not be sent, by request and key. */
  readonly #unsent = new Map<number, Map<string, unknown>>()
  /** How many calls are pending that may ask for them. */
  #pending = 0

  begin(): void {
    this.#pending++
  }

  end(): void {
    if (--this.#pending === 0 && this.#unsent.size > 0) this.#unsent.clear()
  }

  /** What is sent to the owner: [key, value, ttl in milliseconds, key, …]. */
  toWire(request: number, loaded: LoadedByKey): unknown[] {
    const rows: unknown[] = []
    for (const [key, { value, ttlMs }] of loaded) {
      if (value instanceof Unstorable) {
        this.#keep(request, key, value.value)
        rows.push(key, [UNSENT, ...toWireError(value.error)], ttlMs)
      } else rows.push(key, toWire(value), ttlMs)
    }
    return rows
  }

  #keep(request: number, key: string, value: unknown): void {
    const values = this.#unsent.get(request) ?? new Map<string, unknown>()
    this.#unsent.set(request, values.set(key, value))
    const [oldest] = this.#unsent.keys()
    if (this.#unsent.size > UNSENT_MAX) this.#unsent.delete(oldest as number) // of a client that is never idle
  }

  /** @throws the owner's error if the value is not here. */
  valueOf(answer: unknown): unknown {
    if (answer instanceof Dated) return answer.value
    if (!(answer instanceof Unsent)) return answer
    const values = this.#unsent.get(answer.request)
    if (values?.has(answer.key) !== true) throw answer.error
    return values.get(answer.key)
  }
}

/** The values that loaded ones replace, as the owner sends them: [key, value, key, …]. */
export function staleValuesOf(flat: readonly unknown[]): Map<string, StoredValue> {
  const values = new Map<string, StoredValue>()
  for (let at = 0; at < flat.length; at += 2) values.set(flat[at] as string, toStored(flat[at + 1]))
  return values
}

/** Requests whose values are kept. */
const UNSENT_MAX = 1_024
