/**
 * The last look at a value that was read, before anyone else sees it. Last on the reader's path; before it: `machine`.
 *
 * One walk, depth first and without recursion, in time and memory linear in the value:
 * - what was an object and became a Map (see `containers`) is replaced wherever the object still stands;
 * - nesting is bounded, by the longest path that leads to no container twice;
 * - a class, a timezone or a timedelta, which only exist while reading, may not be left in it.
 *
 * Only what was fetched from the memo can be met twice, so only that is remembered: a large cache of small values, each
 * its own, needs no memory here.
 */
import { isReadingOnly } from './allow-list.js'
import { refusal } from './refusal.js'

export interface Unsettled {
  readonly value: unknown
  readonly moved: ReadonlyMap<object, object>
  /** Containers that more than one reference may lead to. */
  readonly shared: ReadonlySet<object>
  /** Levels of containers that the value may have. */
  readonly nestingMax: number
  /** Byte offset of the end, for errors. */
  readonly at: number
}

/** A container on the path from the value to where the walk is. */
interface Visit {
  readonly container: object
  readonly children: Iterator<object>
  /** Levels below and including this container, as far as they are known. */
  height: number
}

export function settle(unsettled: Unsettled): unknown {
  const { moved, shared, nestingMax, at } = unsettled
  const path: Visit[] = []
  /** Of each shared container that was met: its height, and 0 while the walk is inside it (then it closes a cycle). */
  const heights = new Map<object, number>()

  const enter = (container: object): number => {
    const known = heights.get(container)
    if (known !== undefined) return known
    if (path.length >= nestingMax) throw tooDeep(nestingMax, at)
    if (shared.has(container)) heights.set(container, 0)
    path.push({ container, children: childrenOf(container, moved), height: 1 })
    return 0
  }

  const value = replaced(unsettled.value, moved)
  if (isContainer(value)) enter(value)
  for (let visit = path.at(-1); visit; visit = path.at(-1)) {
    const child = visit.children.next()
    if (!child.done) {
      visit.height = Math.max(visit.height, 1 + enter(child.value))
      continue
    }
    if (visit.height > nestingMax) throw tooDeep(nestingMax, at)
    path.pop()
    if (heights.has(visit.container)) heights.set(visit.container, visit.height)
    const parent = path.at(-1)
    if (parent) parent.height = Math.max(parent.height, 1 + visit.height)
  }
  return value
}

/** The containers directly inside `container`, whose moved ones are replaced on the way. */
function* childrenOf(container: object, moved: ReadonlyMap<object, object>): Generator<object> {
  if (Array.isArray(container)) {
    for (let i = 0; i < container.length; i++) {
      const item = replaced(container[i], moved)
      if (item !== container[i]) container[i] = item
      if (isContainer(item)) yield item
    }
  } else if (container instanceof Map) {
    for (const [key, held] of container) {
      if (isContainer(key)) yield key
      const value = replaced(held, moved)
      if (value !== held) container.set(key, value)
      if (isContainer(value)) yield value
    }
  } else if (container instanceof Set) {
    for (const item of container) if (isContainer(item)) yield item
  } else {
    const dict = container as Record<string, unknown>
    for (const key of Object.keys(dict)) {
      const held = dict[key]
      const value = replaced(held, moved)
      if (value !== held) Object.defineProperty(dict, key, { value })
      if (isContainer(value)) yield value
    }
  }
}

function replaced(value: unknown, moved: ReadonlyMap<object, object>): unknown {
  return moved.size > 0 && typeof value === 'object' && value !== null ? (moved.get(value) ?? value) : value
}

function isContainer(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return false
  if (isReadingOnly(value)) throw refusal(`it holds ${value.name}, which has no JavaScript form`, value.at)
  return true
}

function tooDeep(nestingMax: number, at: number): Error {
  return refusal(`its value is nested deeper than ${nestingMax} levels`, at)
}
