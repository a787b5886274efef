/**
 * Plain data as the cache keeps it after its first use: a tree of objects, arrays, primitives and Dates, in which no part occurs
 * twice. `decode.ts` makes it, and nobody else ever has a reference to it. Objects and arrays that contain only primitives, which
 * are most of them, are copied at once; the others are a {@link Branch} or {@link Rows}.
 */
import type { PlainData } from '../../core/model/stored-value.js'
import type { Bare } from './bare.js'
import { define } from './define.js'

/** The most levels that plain data has: what walks it does so recursively, on any stack. */
export const PLAIN_LEVELS_MAX = 200

/** An object with parts that are objects, too. */
export class Branch {
  readonly object: Bare
  /** The keys of these parts. */
  readonly keys: readonly string[]

  constructor(object: Bare, keys: readonly string[]) {
    this.object = object
    this.keys = keys
  }
}

/** An array with items that are objects. */
export class Rows {
  readonly items: readonly unknown[]

  constructor(items: readonly unknown[]) {
    this.items = items
  }
}

/** A copy for a caller. */
export function copyOut(data: PlainData): object {
  return copyPart(data)
}

function copyPart(part: object): object {
  if (part instanceof Branch) return copyBranch(part)
  if (Array.isArray(part)) return part.slice()
  if (part instanceof Date) return new Date(part)
  if (part instanceof Rows) return copyRows(part.items)
  return { ...part } // defines, also what has the name of a setter
}

function copyBranch({ object, keys }: Branch): object {
  const copy: Record<string, unknown> = { ...object }
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] as string
    const part = object[key]
    if (typeof part === 'object' && part !== null) copy[key] = copyPart(part) // unless forged bytes have a key twice
  }
  return copy
}

function copyRows(items: readonly unknown[]): unknown[] {
  const copy = items.slice()
  for (let index = 0; index < copy.length; index++) {
    const item = copy[index]
    if (typeof item === 'object' && item !== null) copy[index] = copyPart(item)
  }
  return copy
}

/**
 * One for all callers, deeply frozen; undefined if there is a Date in it, which cannot be frozen. The objects are built anew,
 * because V8 gives each frozen copy of a copy a shape of its own, which makes reading their properties slow.
 */
export function frozenOut(data: PlainData): object | undefined {
  return frozenPart(data)
}

function frozenPart(part: object): object | undefined {
  if (part instanceof Date) return undefined
  if (part instanceof Rows) return frozenRows(part.items)
  if (Array.isArray(part)) return Object.freeze(part.slice())
  return frozenObject(part instanceof Branch ? part.object : (part as Bare))
}

function frozenObject(source: Bare): object | undefined {
  const built: Record<string, unknown> = {}
  for (const key in source) {
    let member = source[key]
    if (typeof member === 'object' && member !== null) {
      member = frozenPart(member)
      if (member === undefined) return undefined
    }
    // An assignment, which is faster, would call an inherited setter.
    if (key in built) define(built, key, member, true)
    else built[key] = member
  }
  return Object.freeze(built)
}

function frozenRows(source: readonly unknown[]): object | undefined {
  const items = source.slice()
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    if (typeof item !== 'object' || item === null) continue
    items[index] = frozenPart(item)
    if (items[index] === undefined) return undefined
  }
  return Object.freeze(items)
}
