/**
 * What a client looks back with: views, and sequences of changes and differences, which it asks for portion by portion. Before:
 * operations. After: cache/history/looking-back.ts. All are freed with their client.
 */
import { randomInt } from 'node:crypto'
import type { Cache } from '../../../cache/cache.js'
import { pastOf } from '../../../cache/cache.js'
import type { Difference } from '../../../cache/history/looking-back.js'
import type { PastChange } from '../../../cache/history/past-change.js'
import type { View } from '../../../cache/history/view.js'
import type { StoredEntry } from '../../../cache/turns/stored-entry.js'
import { CacheClosedError, describe } from '../../../errors.js'
import { DIFFERENCE, ENTRY, LIST, PAIRS, PLAIN, toWire, type Wire } from '../wire/wire-value.js'

/** Items in one answer. */
const PORTION = 256
/** For one client. */
const OPEN_MAX = 1_000

type Items = AsyncIterator<Wire> & { readonly hasMore?: boolean }

export class ServedPast {
  readonly #cache: Cache
  readonly #views = new Map<number, View>()
  readonly #items = new Map<number, Items>()
  /** Another owner must not know the ids of this one. */
  #lastId = randomInt(2 ** 40)
  /** Views that are being read. */
  #opening = 0
  #isClosed = false

  constructor(cache: Cache) {
    this.#cache = cache
  }

  /** Begins one, and answers with its id; for a view also with what never changes of it. */
  async open(method: unknown, parameters: readonly unknown[]): Promise<Wire> {
    if (this.#opening + this.#views.size + this.#items.size >= OPEN_MAX)
      throw new RangeError(
        `A client can have at most ${OPEN_MAX} open views and iterators. Nothing was changed: close some.`,
      )
    if (method === 'at') return this.#at(parameters)
    const id = ++this.#lastId
    this.#items.set(id, this.#begin(method, parameters))
    return id
  }

  async #at([when, options, prefix]: readonly unknown[]): Promise<Wire> {
    this.#opening++
    let view: View
    try {
      view = await pastOf(this.#cache).at(when as never, options as never, prefix as never)
    } finally {
      this.#opening--
    }
    const id = ++this.#lastId
    const { sequence, timeMs, size } = view
    if (this.#isClosed) view.close()
    else this.#views.set(id, view)
    return [PLAIN, { id, sequence, timeMs, size }]
  }

  #begin(method: unknown, parameters: readonly unknown[]): Items {
    const [first, second, third] = parameters as never[]
    const past = pastOf(this.#cache)
    switch (method) {
      case 'history':
        return mapped(past.history<Wire>(first as never, second, toWire), changeToWire)
      case 'diff':
        return mapped(past.diff(first as never, second, third, entryToWire), differenceToWire)
      case 'changesSince':
        return mapped(past.changesSince<Wire>(first as never, toWire, this.#cache.changes$ as never), changeToWire)
      default:
        throw new TypeError(`${describe(method)} does not look back. Nothing was changed.`)
    }
  }

  /** The next items; `undefined` at the end. */
  async next(id: unknown): Promise<Wire> {
    const items = this.#items.get(id as number)
    if (items === undefined) throw gone('iterator')
    const portion: Wire[] = []
    try {
      do {
        const next = await items.next()
        if (next.done === true) break
        portion.push(next.value)
      } while (items.hasMore === true && portion.length < PORTION)
    } catch (error) {
      this.#items.delete(id as number)
      throw error
    }
    if (portion.length > 0) return [LIST, ...portion]
    this.#items.delete(id as number)
    return undefined
  }

  /** Calls a method of a view. */
  read(id: unknown, method: unknown, argument: unknown): Wire {
    const view = this.#views.get(id as number)
    if (view === undefined) throw gone('view')
    switch (method) {
      case 'get':
        return toWire(view.getStored(argument as string))
      case 'has':
        return view.has(argument as string)
      case 'ttl':
        return view.ttl(argument as string)
      case 'keys':
        return [PLAIN, view.keys(argument as string)]
      case 'entries': {
        const pairs: [number, ...unknown[]] = [PAIRS]
        for (const [key, stored] of view.storedEntries(argument === undefined ? '*' : (argument as string)))
          pairs.push(key, toWire(stored))
        return pairs
      }
      default:
        throw new TypeError(`A view has no ${describe(method)}. Nothing was changed.`)
    }
  }

  end(id: unknown): void {
    this.#views.get(id as number)?.close()
    this.#views.delete(id as number)
    void this.#items.get(id as number)?.return?.()
    this.#items.delete(id as number)
  }

  close(): void {
    this.#isClosed = true
    for (const id of [...this.#views.keys(), ...this.#items.keys()]) this.end(id)
  }
}

function mapped<T>(items: AsyncIterableIterator<T>, encode: (item: T) => Wire): Items {
  return {
    get hasMore() {
      return (items as { hasMore?: boolean }).hasMore ?? true // one that never waits for a change
    },
    next: async () => {
      const next = await items.next()
      return next.done === true ? next : { done: false, value: encode(next.value) }
    },
    return: async () => {
      await items.return?.()
      return { done: true, value: undefined }
    },
  }
}

function changeToWire({ value, ...rest }: PastChange<Wire>): Wire {
  return rest.type === 'set' ? [ENTRY, value, rest] : [PLAIN, rest]
}

function entryToWire({ value, ...rest }: StoredEntry): Wire {
  return [ENTRY, toWire(value), rest]
}

function differenceToWire({ key, before, after }: Difference<Wire>): Wire {
  return [DIFFERENCE, key, before, after]
}

function gone(what: string): CacheClosedError {
  return new CacheClosedError(`This ${what} is closed`, { advice: 'Begin another one.' })
}
