/** Looking back from a client. Before: remote-client. After: requests, and owner/served-past at the other end. */
import { checkKey } from '../../../cache/arguments/arguments.js'
import { checkKeyPattern, type KeyPattern } from '../../../cache/arguments/key-pattern.js'
import { CacheClosedError } from '../../../errors.js'
import { OP } from '../wire/codes.js'
import type { Requests } from './requests.js'

/** A view of a cache elsewhere. It is freed by `close()`, and with its client. */
export class RemoteView<V = unknown> {
  readonly sequence: number
  readonly timeMs: number
  /** Entries stored then, including expired and stale ones. */
  readonly size: number
  readonly #read: (method: string, argument: string | { prefix: string } | undefined) => Promise<unknown>
  readonly #end: () => Promise<void>

  /** @internal Use `at()`. */
  constructor(requests: Requests, { id, sequence, timeMs, size }: OpenedView) {
    this.sequence = sequence
    this.timeMs = timeMs
    this.size = size
    this.#read = (method, argument) => requests.ask(OP.readPast, [id, method, argument])
    this.#end = () => requests.ask(OP.endPast, [id]) as Promise<undefined>
  }

  get(key: string): Promise<V | undefined> {
    return this.#readKey('get', key) as Promise<V | undefined>
  }

  has(key: string): Promise<boolean> {
    return this.#readKey('has', key) as Promise<boolean>
  }

  /** Seconds left at that time. */
  ttl(key: string): Promise<number | undefined> {
    return this.#readKey('ttl', key) as Promise<number | undefined>
  }

  keys(pattern?: KeyPattern): Promise<string[]> {
    return this.#readMatching('keys', pattern) as Promise<string[]>
  }

  entries(pattern?: KeyPattern): Promise<IterableIterator<[string, V]>> {
    return this.#readMatching('entries', pattern) as Promise<IterableIterator<[string, V]>>
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<[string, V], void, undefined> {
    yield* await this.entries()
  }

  // Arguments are checked here, because one that cannot be cloned would make its whole batch fail.

  async #readKey(method: string, key: unknown): Promise<unknown> {
    checkKey(key)
    return this.#read(method, key)
  }

  async #readMatching(method: string, pattern: unknown): Promise<unknown> {
    return this.#read(method, pattern === undefined ? undefined : checkKeyPattern(pattern))
  }

  close(): Promise<void> {
    return this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

interface OpenedView {
  id: number
  sequence: number
  timeMs: number
  size: number
}

export async function openView<V>(requests: Requests, parameters: readonly unknown[]): Promise<RemoteView<V>> {
  return new RemoteView<V>(requests, (await requests.ask(OP.openPast, ['at', parameters])) as OpenedView)
}

const DONE = { done: true, value: undefined } as const

/** The items of an iterator of the owner's, asked for in portions when they are needed. */
export class RemoteItems<T> implements AsyncIterableIterator<T> {
  readonly #requests: Requests
  readonly #method: 'history' | 'diff' | 'changesSince'
  readonly #parametersAfter: ((last: T) => readonly unknown[]) | undefined
  /** With which another owner goes on. */
  #parameters: readonly unknown[]
  #id: Promise<number>
  #portion: T[] = []
  #isDone = false
  #last: Promise<unknown> = Promise.resolve()

  /** @param parametersAfter Without it the iterator ends with the owner that began it. */
  constructor(
    requests: Requests,
    method: 'history' | 'diff' | 'changesSince',
    parameters: readonly unknown[],
    parametersAfter?: (last: T) => readonly unknown[],
  ) {
    this.#requests = requests
    this.#method = method
    this.#parameters = parameters
    this.#parametersAfter = parametersAfter
    this.#id = this.#open() // now: its present is that of this call
  }

  #open(): Promise<number> {
    const id = this.#requests.ask(OP.openPast, [this.#method, this.#parameters]) as Promise<number>
    id.catch(() => undefined)
    return id
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const next = this.#last.then(() => this.#next())
    this.#last = next.catch(() => undefined)
    return next
  }

  async #next(): Promise<IteratorResult<T, undefined>> {
    while (this.#portion.length === 0 && !this.#isDone) {
      let id: number | undefined
      try {
        id = await this.#id
        const items = (await this.#requests.ask(OP.nextPast, [id])) as T[] | undefined
        if (items === undefined) this.#isDone = true
        else if (!this.#isDone) this.#take(items)
      } catch (error) {
        if (this.#isDone) return DONE
        const isOwnerGone = id !== undefined && error instanceof CacheClosedError
        if (isOwnerGone && this.#parametersAfter !== undefined) this.#id = this.#open()
        else {
          this.#isDone = true
          throw error
        }
      }
    }
    const value = this.#portion.pop()
    return value === undefined ? DONE : { done: false, value }
  }

  #take(items: T[]): void {
    const last = items.at(-1) as T // no portion is empty
    this.#parameters = this.#parametersAfter?.(last) ?? this.#parameters
    this.#portion = items.reverse()
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#portion = []
    if (this.#isDone) return DONE
    this.#isDone = true
    this.#id.then((id) => this.#requests.tell(OP.endPast, id)).catch(() => undefined)
    return DONE
  }
}
