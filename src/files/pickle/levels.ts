/** The containers that the encoder is inside of, from the outermost to the one whose items it writes. */
import { describe } from '../../errors.js'
import { opcodes } from './opcodes.js'

/** As many items as Python's pickler puts on the stack at once. */
export const BATCH_ITEMS = 1_000

const { APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS } = opcodes

/** What is taken item by item. `at` is the key or item that was taken last, for errors. */
type Source =
  | { readonly kind: 'list'; readonly list: readonly unknown[] }
  | { readonly kind: 'object'; readonly object: Readonly<Record<string, unknown>>; readonly keys: readonly string[] }
  | { readonly kind: 'map'; readonly pairs: Iterator<readonly [unknown, unknown], undefined>; at?: unknown }
  | { readonly kind: 'set'; readonly items: Iterator<unknown, undefined> }

export class Level {
  readonly source: Source
  readonly size: number
  /** Items that were taken. */
  done = 0
  /** Items until {@link closing} ends the batch. */
  leftInBatch = 0
  closing: number | undefined

  constructor(source: Source, size: number) {
    this.source = source
    this.size = size
  }

  /** Begins the next batch; true if a MARK goes before it. Sets have no opcode for a single item. */
  openBatch(): boolean {
    const { kind } = this.source
    this.leftInBatch = Math.min(BATCH_ITEMS, this.size - this.done)
    const single = this.leftInBatch === 1 && kind !== 'set'
    if (kind === 'list') this.closing = single ? APPEND : APPENDS
    else if (kind === 'set') this.closing = ADDITEMS
    else this.closing = single ? SETITEM : SETITEMS
    return !single
  }

  /** Where the item is that was taken last. */
  where(): string {
    const { source } = this
    const index = this.done - 1
    switch (source.kind) {
      case 'list':
        return `[${index}]`
      case 'object':
        return `[${describe(source.keys[index])}]`
      case 'map':
        return `.get(${describe(source.at)})`
      case 'set':
        return ` (item ${index} of a Set)`
    }
  }
}

/** The levels as a path from the value to the last item, in a message's length. */
export function pathOf(levels: readonly Level[]): string {
  const steps = levels.map((level) => (level.done > 0 ? level.where() : '')).join('')
  return steps.length > 200 ? `${steps.slice(0, 100)}…${steps.slice(-100)}` : steps
}
