/**
 * The stack machine that a pickle is a program for: stack, marks and memo. Second on the reader's path. Before: `cursor`;
 * beside it: `containers`, `allow-list`; after: `actions`, which are its instructions, and `settle`.
 *
 * Source: the module docstring of CPython's Lib/pickletools.py, "The pickle virtual machine".
 */
import { Containers, type Dict } from './containers.js'
import type { Cursor } from './cursor.js'
import { type Allowance, cost, ITEMS_MAX, MARKS_MAX } from './limits.js'
import { refusal } from './refusal.js'
import { Texts } from './texts.js'

/** Values on the stack while the outermost dict of a cache's document is read: itself, its keys, their values. */
const OUTER_HEIGHT_MAX = 100

export class Machine {
  readonly cursor: Cursor
  readonly allowance: Allowance
  readonly containers: Containers
  readonly texts: Texts
  /** Byte offset of the opcode that runs. */
  at = 0
  /** The value, once STOP has run. */
  result: { readonly value: unknown } | undefined

  /** The values up to {@link #height}; what lies above is left over. */
  readonly stack: unknown[] = []
  #height = 0
  /** Where the stack stood at the last open mark: nothing below can be popped. */
  #floor = 0
  /** The floors below that one. */
  readonly #marks: number[] = []
  readonly #memo: unknown[] = []
  #memoized = 0
  readonly #keyOfMap: string | undefined

  /**
   * @param keyOfMap the dict under this key of the outermost dict becomes a Map even if all its keys are str: an object
   * would sort keys like '7' to its front, and the order of a cache's entries is their recency
   */
  constructor(cursor: Cursor, allowance: Allowance, keyOfMap?: string) {
    this.cursor = cursor
    this.allowance = allowance
    this.containers = new Containers(allowance)
    this.texts = new Texts(cursor.bytes, allowance)
    this.#keyOfMap = keyOfMap
  }

  push(value: unknown): void {
    if (this.#height === this.stack.length) {
      this.allowance.take(cost.reference, this.at)
      if (this.#height >= ITEMS_MAX) throw this.refusal(`a stack of more than ${ITEMS_MAX} values`)
    }
    this.stack[this.#height++] = value
  }

  pop(): unknown {
    if (this.#height <= this.#floor) throw this.refusal('a value is taken from an empty stack')
    return this.stack[--this.#height]
  }

  /** The value on top, which stays there. */
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
   * Takes everything above the last mark, and the mark, off the stack. The items stay in {@link stack}, from the returned
   * `start` up to `end`, until something is pushed.
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
    // No file has more values to remember than bytes, so an index far above only wants to see memory being taken.
    if (index > this.cursor.bytes.length + 0xff || index >= ITEMS_MAX) throw this.refusal(`the memo index ${index}`)
    const value = this.top()
    this.allowance.take(cost.reference, this.at)
    if (this.#memo[index] === undefined) this.#memoized++
    this.#memo[index] = value
  }

  /** MEMOIZE: under the number of values remembered so far. */
  memoize(): void {
    this.put(this.#memoized)
  }

  get(index: number): void {
    const value = this.#memo[index]
    if (value === undefined) throw this.refusal(`nothing was remembered under the memo index ${index}`)
    this.push(this.containers.share(value, this.at))
  }

  duplicate(): void {
    this.push(this.containers.share(this.top(), this.at))
  }

  newDict(): Dict {
    const isMap = this.#keyOfMap !== undefined && this.#isUnder(this.#keyOfMap)
    this.allowance.take(isMap ? cost.map : cost.object, this.at)
    return isMap ? new Map() : {}
  }

  /** A bytes object of its own: a view would keep the whole file in memory. */
  copyBytes(bytes: Uint8Array): Uint8Array {
    this.allowance.take(cost.bytes, this.at)
    this.allowance.takeOutside(bytes.length, this.at)
    return new Uint8Array(bytes)
  }

  stop(): void {
    const value = this.pop()
    if (this.#height > 0 || this.#marks.length > 0) throw this.refusal('values are left over at its end')
    if (this.cursor.left > 0) throw refusal(`${this.cursor.left} bytes follow its end`, this.cursor.offset)
    this.result = { value }
  }

  /** Refuses the opcode that runs. */
  refusal(what: string): Error {
    return refusal(what, this.at)
  }

  /** True if what comes next is the value of `key` in the outermost dict: it is the first such key on a low stack. */
  #isUnder(key: string): boolean {
    const height = this.#height
    const isNear = height > 1 && height <= OUTER_HEIGHT_MAX && this.#marks.length <= 1
    return isNear && this.stack[height - 1] === key && this.stack.indexOf(key) === height - 1
  }
}
