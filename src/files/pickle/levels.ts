/** The containers that the encoder is inside, from the outermost to the one whose items it is writing. */
import { describe } from '../../errors.js'
import { opcodes } from './opcodes.js'

/** How many items Python's pickler puts on the stack at once. */
export const BATCH_ITEMS = 1_000

const { APPEND, APPENDS, SETITEM, SETITEMS, ADDITEMS } = opcodes

/** A container, read item by item. `at` is the key that was read last, for errors. */
type Source =
  | { readonly kind: 'list'; readonly list: readonly unknown[] }
  | { readonly kind: 'object'; readonly entries: readonly (readonly [key: string, value: unknown])[] }
  | { readonly kind: 'map'; readonly pairs: Iterator<readonly [unknown, unknown], undefined>; at?: unknown }
  | { readonly kind: 'set'; readonly items: Iterator<unknown, undefined> }

export class Level {
  readonly source: Source
  readonly size: number
  /** Items read so far. */
  done = 0
  /** Items until {@link closing} ends the batch. */
  leftInBatch = 0
  closing: number | undefined

  constructor(source: Source, size: number) {
    this.source = source
    this.size = size
  }

  /** Begins the next batch. Returns whether a MARK precedes it: not for a single item, except in a set. */
  openBatch(): boolean {
    const { kind } = this.source
    this.leftInBatch = Math.min(BATCH_ITEMS, this.size - this.done)
    const single = this.leftInBatch === 1 && kind !== 'set'
    if (kind === 'list') this.closing = single ? APPEND : APPENDS
    else if (kind === 'set') this.closing = ADDITEMS
    else this.closing = single ? SETITEM : SETITEMS
    return !single
  }

  /** The place of the item that was read last. */
  where(): string {
    const { source } = this
    const index = this.done - 1
    switch (source.kind) {
      case 'list':
        return `[${index}]`
      case 'object':
        return `[${describe(source.entries[index]?.[0])}]`
      case 'map':
        return `.get(${describe(source.at)})`
      case 'set':
        return ` (item ${index} of a Set)`
    }
  }
}

/** The levels as a path from the value to the last item, short enough for a message. */
export function pathOf(levels: readonly Level[]): string {
  const steps = levels.map((level) => (level.done > 0 ? level.where() : '')).join('')
  return steps.length > 200 ? `${steps.slice(0, 100)}…${steps.slice(-100)}` : steps
}
