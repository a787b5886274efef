/** Values for properties: everything that a pickle can hold. */
import fc from 'fast-check'

const unit = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
  { weight: 1, arbitrary: fc.integer({ min: 0xd7ff, max: 0xe000 }) },
)

/** Any string, lone surrogates included. */
export const text = fc.oneof(
  { weight: 10, arbitrary: fc.array(unit, { maxLength: 12 }).map((units) => String.fromCharCode(...units)) },
  {
    weight: 1,
    arbitrary: fc.array(unit, { minLength: 80, maxLength: 300 }).map((units) => String.fromCharCode(...units)),
  },
  { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', '0', '7', '', 'entries') },
)

const integer = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.integer({ min: -300, max: 70_000 }))

export const number = fc.oneof(
  integer,
  fc.double(),
  fc.constantFrom(
    -0,
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    1e300,
    5e-324,
    2 ** 31,
    -(2 ** 31) - 1,
    2 ** 39,
    -(2 ** 39) - 1,
  ),
)

const bigint = fc
  .tuple(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), fc.constantFrom(0n, 1n, 7n, 8n, 63n, 2100n))
  .map(([value, shift]) => value << shift)

const date = fc.date({
  min: new Date('0001-01-01T00:00:00.000Z'),
  max: new Date('9999-12-31T23:59:59.999Z'),
  noInvalidDate: true,
})

const bytes = fc.uint8Array({ maxLength: 300 })

/** Keys of a Map or items of a Set, such that no two of them are equal to Python. */
const distinctKeys = fc.oneof(
  fc.uniqueArray(text, { maxLength: 5 }),
  fc.uniqueArray(number, { maxLength: 5, comparator: 'SameValueZero' }),
  fc
    .tuple(text, fc.integer({ min: 2 }), fc.constantFrom(null, true, 0.5, 2n ** 70n), bytes, date)
    .map((keys): unknown[] => keys),
  fc
    .tuple(fc.tuple(text, integer), fc.uniqueArray(integer, { maxLength: 4 }))
    .map(([tuple, items]): unknown[] => [tuple, new Set(items)]),
)

function objectOf(pairs: readonly (readonly [string, unknown])[]): object {
  const object = {}
  for (const [key, value] of pairs) {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return object
}

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(text, number, bigint, fc.boolean(), fc.constant(null), date, bytes),
    fc.array(tie('tree'), { maxLength: 5 }),
    fc.array(fc.tuple(text, tie('tree')), { maxLength: 5 }).map(objectOf),
    fc.tuple(distinctKeys, tie('tree')).map(([keys, value]) => new Map(keys.map((key) => [key, value]))),
    distinctKeys.map((items) => new Set(items)),
  ),
}))

/** Any value, some with shared references and some with cycles. */
export const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: tree },
  {
    weight: 1,
    arbitrary: fc.tuple(tree, tree).map(([one, two]) => [one, two, { one, again: one }, new Map([[1, two]])]),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(tree, tree).map(([one, two]) => {
      const list: unknown[] = [one]
      const map = new Map<unknown, unknown>([[5, list]])
      const object = { two, map, list }
      list.push(object, map)
      map.set(null, map)
      return object
    }),
  },
)

/**
 * A value after it was written and read: Python has one int, one kind of bytes, and a dict for both object and Map,
 * which comes back as an object if all its keys are str.
 */
export function asRead(value: unknown, seen = new Map<object, unknown>()): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Date || value instanceof Uint8Array) return value
  const known = seen.get(value)
  if (known !== undefined) return known
  const remember = <T extends object>(made: T): T => {
    seen.set(value, made)
    return made
  }
  if (Array.isArray(value)) {
    const list = remember<unknown[]>([])
    for (const item of value) list.push(asRead(item, seen))
    return list
  }
  if (value instanceof Set) return remember(new Set([...value].map((item) => asRead(item))))
  if (value instanceof Map && ![...value.keys()].every((key) => typeof key === 'string')) {
    const map = remember(new Map<unknown, unknown>())
    for (const [key, held] of value) map.set(asRead(key), asRead(held, seen))
    return map
  }
  const object = remember({})
  for (const [key, held] of value instanceof Map ? value : Object.entries(value)) {
    Object.defineProperty(object, key, {
      value: asRead(held, seen),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return object
}
