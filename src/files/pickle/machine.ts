/**
 * The stack machine that a pickle is a program for: stack, marks and memo. On the reader's path before it: `cursor` and
 * `fetched`; after it: `actions`, which are its instructions, then `settle`.
 *
 * Source: the module docstring of CPython's Lib/pickletools.py, "The pickle virtual machine".
 */
import { Containers, type Dict, isDict, isEmpty } from './containers.js'
import type { Cursor } from './cursor.js'
import { IndexSet, isIndexWithin } from './fetched.js'
import { type Allowance, cost, ITEMS_MAX, MARKS_MAX } from './limits.js'
import { refusal } from './refusal.js'
import { Texts } from './texts.js'

/**
 * The dict under `key` in the outermost dict. It becomes a Map even if all its keys are str: an object would move keys like
 * '7' to the front, but the order of a cache's entries is their recency. Its items go to `receive` as soon as they are
 * complete, and are not kept.
 */
export interface EntriesDict {
  readonly key: string
  readonly receive: (key: unknown, value: unknown, machine: Machine) => void
}

/** More than the values on the stack while the outermost dict of a cache's document is read: itself, its keys and values. */
const OUTER_HEIGHT_MAX = 100

export class Machine {
  readonly cursor: Cursor
  readonly allowance: Allowance
  readonly containers: Containers
  readonly texts: Texts
  /** Byte offset of the current opcode. */
  at = 0
  /** Whether STOP has run. Then {@link value} is the pickle's value. */
  isDone = false
  value: unknown

  /** Valid up to {@link #height}. */
  readonly stack: unknown[] = []
  #height = 0
  /** The height at the last open mark. Nothing below can be popped. */
  #floor = 0
  /** The floors of the other open marks. */
  readonly #marks: number[] = []
  /** Memoized values that will be fetched. */
  readonly #memo = new Map<number, unknown>()
  /** The indices that will be fetched. */
  readonly #fetched: IndexSet
  /** The indices in use. */
  readonly #remembered = new IndexSet()
  #memoized = 0
  readonly #entries: EntriesDict | undefined

  constructor(cursor: Cursor, allowance: Allowance, fetched: IndexSet, entries?: EntriesDict) {
    this.cursor = cursor
    this.allowance = allowance
    this.containers = new Containers(allowance)
    this.texts = new Texts(cursor.bytes, allowance)
    this.#fetched = fetched
    this.#entries = entries
  }

  push(value: unknown): void {
    if (this.#height === this.stack.length) {
      this.allowance.take(cost.reference, this.at)
      if (this.#height >= ITEMS_MAX) throw this.refusal(`a stack of more than ${ITEMS_MAX} values`)
    }
    this.stack[this.#height++] = value
  }

  pop(): unknown {
    if (this.#height <= this.#floor) throw this.refusal('it pops a value from an empty stack')
    return this.stack[--this.#height]
  }

  /** The value on top of the stack, which stays there. */
  top(): unknown {
    if (this.#height <= this.#floor) throw this.refusal('an empty stack')
    return this.stack[this.#height - 1]
  }

  replaceTop(value: unknown): void {
    this.stack[this.#height - 1] = value
  }

  mark(): void {
    if (this.#marks.length >= MARKS_MAX) throw this.refusal(`more than ${MARKS_MAX} containers are open at once`)
    this.#marks.push(this.#floor)
    this.#floor = this.#height
  }

  /**
   * Removes the last mark and everything above it from the stack. The items stay in {@link stack}, from `start` up to `end`,
   * until something is pushed.
   */
  takeToMark(): { start: number; end: number } {
    const below = this.#marks.pop()
    if (below === undefined) throw this.refusal('items without a mark')
    const end = this.#height
    this.#height = this.#floor
    this.#floor = below
    return { start: this.#height, end }
  }

  /** {@link takeToMark} as a new array. */
  popToMark(): unknown[] {
    const { start, end } = this.takeToMark()
    return this.stack.slice(start, end)
  }

  /** POP: the top value, or the mark if nothing is above it. */
  discard(): void {
    if (this.#marks.length > 0 && this.#height === this.#floor) this.takeToMark()
    else this.pop()
  }

  put(index: number): void {
    // A much larger index would only waste memory.
    if (!isIndexWithin(index, this.cursor.bytes)) throw this.refusal(`the memo index ${index}`)
    const value = this.top()
    if (!this.#remembered.has(index)) {
      this.#remembered.add(index)
      this.#memoized++
    }
    if (!this.#fetched.has(index)) return
    this.allowance.take(cost.pair, this.at)
    this.#memo.set(index, value)
    this.containers.share(value, this.at)
    this.allowance.keep()
  }

  /** MEMOIZE: the index is the number of values memoized so far. */
  memoize(): void {
    this.put(this.#memoized)
  }

  get(index: number): void {
    const value = this.#memo.get(index)
    if (value === undefined) throw this.refusal(`the memo index ${index} is not in use`)
    this.push(this.containers.fetch(value))
  }

  duplicate(): void {
    this.containers.share(this.top(), this.at)
    this.push(this.containers.fetch(this.top()))
  }

  newDict(): Dict {
    const isEntries = this.#entries !== undefined && this.#isUnder(this.#entries.key)
    this.allowance.take(isEntries ? cost.map : cost.object, this.at)
    if (!isEntries) return {}
    const map = new Map<unknown, unknown>()
    const { receive } = this.#entries
    if (this.#isSurelyOutermost()) this.containers.handOver(map, (key, value) => receive(key, value, this))
    return map
  }

  /** A copy: a view would keep the whole file in memory. */
  copyBytes(bytes: Uint8Array): Uint8Array {
    this.allowance.take(cost.bytes, this.at)
    this.allowance.takeOutside(bytes.length, this.at)
    return new Uint8Array(bytes)
  }

  stop(): void {
    const value = this.pop()
    if (this.#height > 0 || this.#marks.length > 0) throw this.refusal('values are left over at its end')
    if (this.cursor.left > 0) throw refusal(`${this.cursor.left} bytes follow its end`, this.cursor.offset)
    this.value = value
    this.isDone = true
  }

  /** The error that refuses the current opcode. */
  refusal(what: string): Error {
    return refusal(what, this.at)
  }

  /** Whether the next value is that of `key` in the outermost dict: the first such key, on a low stack. */
  #isUnder(key: string): boolean {
    const height = this.#height
    const isNear = height > 1 && height <= OUTER_HEIGHT_MAX && this.#marks.length <= 1
    return isNear && this.stack[height - 1] === key && this.stack.indexOf(key) === height - 1
  }

  /**
   * Whether the key on top of the stack can only belong to the outermost dict. An empty dict right below it could be the dict
   * that it belongs to; a dict with items is complete, since Python writes it that way.
   */
  #isSurelyOutermost(): boolean {
    const height = this.#height
    if (!isDict(this.stack[0])) return false
    if (this.#marks.length === 0) return height === 2
    const below = this.stack[height - 2]
    return this.#floor === 1 && height % 2 === 0 && (height === 2 || !isDict(below) || !isEmpty(below))
  }
}
