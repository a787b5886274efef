/**
 * What `v8.serialize` accepts but a cache must not: `undefined` anywhere inside, nesting so deep that reading the value back
 * could overflow the stack, and errors with a circular `cause`, which every V8 writes but only newer ones read. They are
 * looked for in the serialized copy, which has no getters and no proxies, and only if the bytes show that there may be
 * any, since the search costs as much as a second clone.
 */

/** Deeper values are refused. V8 reads nested objects recursively; this depth fits on any stack. */
export const NESTING_LEVELS_MAX = 1_000

const CIRCULAR_CAUSE = 'an error with a circular cause'
/** V8's tag for undefined. It is also a common character, hence the closer look. */
const UNDEFINED_TAG = 0x5f
/** V8's tags for an error, and for a reference to an earlier object. */
const ERROR_TAG = 0x72
const REFERENCE_TAG = 0x5e
/** V8's tags that open something nested: object, dense and sparse array, map, set, error; boxed primitives are leaves. */
const OPENS = new Uint8Array(256) // a table, since every byte of a large value is looked up
for (const tag of [0x6f, 0x41, 0x61, 0x3b, 0x27, 0x72]) OPENS[tag] = 1

/** What is wrong with the value in `bytes`, if anything. */
export function findUnstorable(bytes: Uint8Array, deserialize: () => unknown): string | undefined {
  if (!bytes.includes(UNDEFINED_TAG) && !mayBeDeep(bytes) && !mayHaveCircularCause(bytes)) return undefined
  let copy: unknown
  try {
    copy = deserialize()
  } catch {
    return `${CIRCULAR_CAUSE}, or nesting too deep to be read back`
  }
  return walk(copy)
}

function mayHaveCircularCause(bytes: Uint8Array): boolean {
  return bytes.includes(REFERENCE_TAG) && bytes.includes(ERROR_TAG)
}

function mayBeDeep(bytes: Uint8Array): boolean {
  if (bytes.length < 3 * NESTING_LEVELS_MAX) return false // a level takes at least three bytes (a Set)
  let opened = 0
  for (let at = 0; at < bytes.length; at++) {
    opened += OPENS[bytes[at] as number] as number
    if (opened > NESTING_LEVELS_MAX) return true
  }
  return false
}

/** Depth first, in the order in which V8 reads, without recursion. */
function walk(root: unknown): string | undefined {
  const seen = new Set<unknown>()
  const opened = new Set<unknown>() // the path from the root to here
  const stack: { of: unknown; children: Iterator<unknown> }[] = [{ of: undefined, children: [root].values() }]
  while (stack.length > 0) {
    const { of, children } = stack.at(-1) as (typeof stack)[number]
    const { done, value } = children.next()
    if (done) {
      opened.delete(of)
      stack.pop()
      continue
    }
    if (value === undefined) return 'undefined'
    if (value instanceof Error && opened.has(value)) return CIRCULAR_CAUSE
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value)) continue
    seen.add(value)
    if (stack.length > NESTING_LEVELS_MAX) return `nesting deeper than ${NESTING_LEVELS_MAX} levels`
    opened.add(value)
    stack.push({ of: value, children: childrenOf(value) })
  }
  return undefined
}

function* childrenOf(value: object): Generator<unknown> {
  if (value instanceof Map) for (const pair of value) yield* pair
  if (value instanceof Set) yield* value
  if (value instanceof Error && Object.hasOwn(value, 'cause')) yield value.cause
  // Own properties only, so that a hole in an array does not count as undefined.
  for (const key in value) if (Object.hasOwn(value, key)) yield (value as Record<string, unknown>)[key]
}
