/**
 * Values to try a copy with: everything that structured cloning takes or refuses, in odd combinations. The same seed makes the
 * same value again, because some have getters that change what is read after them, so each can be copied only once.
 */
import vm from 'node:vm'
import { Random } from '../random.js'

export interface Made {
  readonly value: unknown
  /** Which kinds of values are in it. */
  readonly kinds: ReadonlySet<Kind>
  /** The getters that have been called, in order. */
  readonly calls: string[]
}

const realm = vm.createContext()
const foreign = vm.runInContext(
  '({ object: () => ({}), array: () => [], date: (ms) => new Date(ms), map: () => new Map(), make: Function("return { a: 1, b: [2] }") })',
  realm,
) as {
  object(): Record<string, unknown>
  array(): unknown[]
  date(ms: number): Date
  map(): Map<unknown, unknown>
  make(): object
}

class Point {
  x = 1
  y: unknown = undefined
  readonly #hidden = 1
  get sum() {
    return this.x + this.#hidden
  }
}
class Line extends Point {
  override y: unknown = [1]
}
class List extends Array<unknown> {}
class Day extends Date {}
class Dictionary extends Map<unknown, unknown> {}

const NAMES = ['a', 'b', 'c', 'id', 'name', '', ' ', 'ключ', '\ud800', '__proto__', 'constructor', 'toString', 'toJSON', 'then', 'length', '0', '1', '10', '4294967294', '4294967295', '-1', '1.5', '01'] // biome-ignore format: a list

/** An own property, whatever the name. */
function put(object: object, name: PropertyKey, value: unknown, enumerable = true): void {
  Object.defineProperty(object, name, { value, enumerable, writable: true, configurable: true })
}

/** The kinds of values, and how one of each is made. */
const MAKERS = {
  // biome-ignore format: a list
  primitive: (m: Maker) => m.pick([null, undefined, true, false, 0, -0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 53, 1.5, NaN, Infinity, -Infinity, 5e-324, 0n, -1n, 2n ** 70n, '', 'text', 'é', '日本', '😀', '\ud800', 'x\udc00', '\0', 'a'.repeat(40), 'é'.repeat(70)]),
  object: (m: Maker) => m.fill({}),
  array: (m: Maker) => m.items([]),
  rows: (m: Maker) => {
    const names = m.names(1 + m.below(6))
    return Array.from({ length: m.below(8) }, () => {
      const row = {}
      for (const name of names) put(row, name, m.leaf())
      return row
    })
  },
  'object without a prototype': (m: Maker) => m.fill(Object.create(null)),
  'object whose prototype is a root with properties': (m: Maker) =>
    m.fill(Object.create(Object.assign(Object.create(null), { inherited: 1, a: 2 }))),
  'object that inherits from an object': (m: Maker) => put2(m.fill(Object.create({ inherited: 1 }))),
  'array without a prototype': (m: Maker) => Object.setPrototypeOf(m.items([]), null),
  'array with the prototype of an object': (m: Maker) => Object.setPrototypeOf(m.items([]), Object.prototype),
  'foreign object': (m: Maker) => m.fill(foreign.object()),
  'foreign array': (m: Maker) => m.items(foreign.array()),
  'foreign data': () => foreign.make(),
  'foreign Date': (m: Maker) => foreign.date(m.below(1e9)),
  'foreign Map': (m: Maker) => m.pairs(foreign.map()),
  'many properties': (m: Maker) => {
    const object = {}
    for (let n = 0; n < 60 + m.below(80); n++) put(object, `p${n}`, m.leaf())
    return object
  },
  'removed properties': (m: Maker) => {
    const object = m.fill({ first: 1, second: 2 }) as Record<string, unknown>
    delete object['first']
    return object
  },
  frozen: (m: Maker) => Object.freeze(m.fill({})),
  'frozen array': (m: Maker) => Object.freeze(m.items([])),
  'symbol keys': (m: Maker) => {
    const object = m.fill({})
    put(object, Symbol('s'), () => 1)
    put(object, Symbol.toStringTag, 'Map')
    return object
  },
  'hidden properties': (m: Maker) => {
    const object = m.fill({})
    put(object, 'hidden', () => 1, false)
    put(object, m.name(), m.leaf(), false)
    return object
  },
  getter: (m: Maker) => m.getter(m.fill({}), (value) => value),
  'getter of an array': (m: Maker) => m.getter(m.items([]), (value) => value, '0'),
  'getter that removes': (m: Maker) => {
    const object = m.fill({}) as Record<string, unknown>
    m.getter(object, (value) => {
      for (const name of ['a', 'b', 'zz', '1', '10']) if (name !== 'g') delete object[name]
      return value
    })
    return put2(object)
  },
  'getter that adds and changes': (m: Maker) => {
    const object = m.fill({}) as Record<string, unknown>
    const child = m.fill({})
    m.getter(object, (value) => {
      put(object, 'added', 1)
      put(object, 'zz', 'changed')
      put(child, 'added', [2])
      return value
    })
    put(object, 'child', child)
    return put2(object)
  },
  'getter that shortens an array': (m: Maker) => {
    const array = m.items([]) as unknown[]
    array.unshift(m.getter({}, (value) => {
      array.length = m.below(3)
      return value
    })) // biome-ignore format: short
    array.push(1, 2)
    return array
  },
  'getter that lengthens an array': (m: Maker) => {
    const array = m.items([]) as unknown[]
    array.push(m.getter({}, (value) => {
      array.push('late')
      array[0] = 'changed'
      return value
    })) // biome-ignore format: short
    return array
  },
  'getter that throws': (m: Maker) =>
    m.getter(m.fill({}), () => {
      throw new Error('mine')
    }),
  instance: (m: Maker) => m.fill(m.pick([new Point(), new Line()])),
  'instance of an old class': (m: Maker) => put2(m.fill(Object.create({ constructor: Point, method() {}, list: [] }))),
  'subclass of Array': (m: Maker) => m.items(new List()),
  'subclass of Date': (m: Maker) => new Day(m.below(1e9)),
  'subclass of Map': (m: Maker) => m.pairs(new Dictionary()),
  holes: (m: Maker) => {
    const array = m.items([]) as unknown[]
    array.push(1, 2, 3)
    delete array[m.below(array.length)]
    if (m.below(2) === 0) array.length += 1 + m.below(3)
    return array
  },
  'as many names as holes': (m: Maker) => {
    const array = [1, 2, 3] as unknown[]
    delete array[m.below(3)]
    put(array, m.pick(['extra', '__proto__', '-1']), m.part())
    return array
  },
  'hidden element': (m: Maker) => {
    const array = [1, 1, 1]
    put(array, m.below(3), 1, false)
    if (m.below(2) === 0) put(array, 'extra', 1)
    return array
  },
  'huge sparse array': (m: Maker) => {
    const array: unknown[] = []
    array[m.pick([1_000, 1_000_000, 2 ** 32 - 2])] = m.part()
    if (m.below(2) === 0) array[m.below(20)] = m.part()
    return array
  },
  match: () => /(?<first>b)(c)?/.exec('abd'),
  'match with indices': () => /(?<first>b)(c)?/d.exec('abd'),
  'named properties of an array': (m: Maker) => {
    const array = m.items([])
    put(array, m.pick(['extra', '__proto__', 'constructor', '-1', '4294967295']), m.part())
    return array
  },
  shared: (m: Maker) => {
    const part = m.part()
    return m.pick<() => unknown>([() => [part, part], () => ({ a: part, b: [part] }), () => new Map([[part, part]])])()
  },
  'shared among many': (m: Maker) => {
    const parts = Array.from({ length: 15 + m.below(10) }, () => m.fill({}))
    return [...parts, m.pick(parts), m.leaf()]
  },
  cycle: (m: Maker) => {
    const object = m.fill({}) as Record<string, unknown>
    put(object, 'self', m.pick<() => unknown>([() => object, () => [object], () => new Set([object])])())
    return object
  },
  Date: (m: Maker) => new Date(m.pick([0, 1.7e12, -1, NaN, 8.64e15])),
  RegExp: (m: Maker) => Object.assign(m.pick([/a/g, /[/]\n/u, /(?:)/]), { lastIndex: 1, extra: 1 }),
  Map: (m: Maker) => m.pairs(new Map()),
  Set: (m: Maker) => {
    const set = new Set()
    for (let n = m.below(4); n > 0; n--) set.add(m.part())
    return set
  },
  'Map that a getter changes': (m: Maker) => {
    const map = m.pairs(new Map()) as Map<unknown, unknown>
    const changing = m.getter({}, (value) => {
      map.clear()
      map.set('late', 1)
      return value
    })
    return map.set('g', changing).set('last', 1)
  },
  boxed: (m: Maker) => Object.assign(Object(m.pick<unknown>([1, -0, 'text', true, 5n])), { extra: 1 }),
  bytes: (m: Maker) =>
    m.pick([
      new Uint8Array([1, 2]),
      new Float64Array([-0, NaN]),
      new BigInt64Array(2),
      new DataView(new ArrayBuffer(3)),
    ]),
  ArrayBuffer: () => new Uint8Array([1, 2, 3]).buffer,
  'of another kind than its prototype': (m: Maker) =>
    Object.setPrototypeOf(
      m.pick([new Date(5), new Map([[1, 2]]), new Set([1]), /a/, Object('ab'), new ArrayBuffer(1)]),
      m.pick([null, Object.prototype, Point.prototype, Array.prototype]),
    ),
  'prototype of another kind': (m: Maker) =>
    put2(m.fill(Object.create(m.pick<object>([Map.prototype, Date.prototype, Array.prototype, Uint8Array.prototype])))),
  deep: (m: Maker) => m.nest(190 + m.below(30)),
  '900 levels': (m: Maker) => m.nest(m.isTop ? 900 + m.below(80) : 3),
  // ── refused ──
  function: (m: Maker) => m.pick<unknown>([() => 1, Point, async () => 1]),
  symbol: () => Symbol('s'),
  Proxy: (m: Maker) => new Proxy(m.pick([{}, [], new Map()]), {}),
  arguments: (m: Maker) => argumentsOf(...[m.leaf(), m.leaf()].slice(m.below(3))),
  uncloneable: (m: Maker) =>
    m.pick<() => unknown>([
      () => new WeakMap(),
      () => Promise.resolve(1),
      () => new WeakRef({}),
      () => Object.assign(new WeakSet(), { a: 1 }),
      () => Object(Symbol('s')),
      () => new Map().entries(),
    ])(),
} satisfies Record<string, (m: Maker) => unknown>

export type Kind = keyof typeof MAKERS
export const KINDS = Object.keys(MAKERS) as Kind[]
/** What structured cloning refuses. */
export const REFUSED_KINDS: readonly Kind[] = [
  'getter that throws',
  'function',
  'symbol',
  'Proxy',
  'arguments',
  'uncloneable',
]

/** Makes sure that something comes after what may be inherited. */
function put2(object: object): object {
  put(object, 'zz', 'last')
  return object
}

function argumentsOf(..._: unknown[]): unknown {
  // biome-ignore lint/complexity/noArguments: they are the point
  return arguments
}

class Maker {
  readonly kinds = new Set<Kind>()
  readonly calls: string[] = []
  readonly #random: Random
  #left = 12
  #level = 0

  constructor(seed: number) {
    this.#random = new Random(seed)
    for (let n = 0; n < 5; n++) this.below(2) // the first numbers of near seeds are alike
  }

  /** Whether what is made now is not inside anything. */
  get isTop(): boolean {
    return this.#level === 0
  }

  below(limit: number): number {
    return this.#random.below(limit)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }

  name(): string {
    return this.below(3) === 0 ? `k${this.below(30)}` : this.pick(NAMES)
  }

  names(count: number): string[] {
    return Array.from({ length: count }, () => this.name())
  }

  leaf(): unknown {
    return this.below(6) === 0 ? new Date(this.below(1e9)) : MAKERS.primitive(this)
  }

  /** Most parts are plain, and most of them small, so that a value is often plain altogether. */
  part(): unknown {
    if (this.#left <= 0 || this.#level > 5 || this.below(3) === 0) return this.leaf()
    this.#left--
    this.#level++
    const kind =
      this.below(4) === 0
        ? this.pick(KINDS.slice(0, this.below(8) === 0 ? KINDS.length : -5))
        : this.pick(['object', 'array', 'rows'] as const)
    const part = this.make(kind)
    this.#level--
    return part
  }

  make(kind: Kind): unknown {
    this.kinds.add(kind)
    return MAKERS[kind](this)
  }

  fill(object: object): object {
    for (let n = this.below(6); n > 0; n--) put(object, this.name(), this.part())
    return object
  }

  items(array: unknown[]): unknown[] {
    const length = this.below(20) === 0 ? 30 + this.below(40) : this.below(6)
    for (let n = 0; n < length; n++) array[n] = n < 6 ? this.part() : this.leaf()
    return array
  }

  pairs(map: Map<unknown, unknown>): Map<unknown, unknown> {
    for (let n = this.below(4); n > 0; n--) map.set(this.part(), this.part())
    return map
  }

  nest(levels: number): unknown {
    let value = this.leaf()
    for (let level = 0; level < levels; level++) value = level % 3 === 0 ? [value] : { value, level }
    return value
  }

  getter(object: object, effect: (value: unknown) => unknown, name = 'g'): object {
    const value = this.part()
    const label = `${name}${this.calls.length}`
    const get = () => {
      this.calls.push(label)
      return effect(value)
    }
    Object.defineProperty(object, name, { get, enumerable: true, configurable: true })
    return object
  }
}

export function make(seed: number): Made {
  const maker = new Maker(seed)
  // Every kind has its turn at the top.
  const value = maker.below(3) === 0 ? maker.make(maker.pick(KINDS)) : maker.part()
  return { value, kinds: maker.kinds, calls: maker.calls }
}
