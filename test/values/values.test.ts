import test, { type ExecutionContext } from 'ava'
import { type Cache, type CacheOptions, ValueError } from '../../src/index.js'
import { everything } from '../helpers/everything.js'
import { openMemory, reopen } from '../helpers/open-memory.js'

const cyclic: Record<string, unknown> = { name: 'cyclic' }
cyclic['self'] = cyclic
cyclic['list'] = [cyclic, { back: cyclic }]

const shared = { n: 1 }

const own = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1, "toString": null}')

const sparse: unknown[] = []
sparse[3] = 1
sparse[100_000] = 2

const VALUES: Record<string, unknown> = {
  null: null,
  true: true,
  false: false,
  zero: 0,
  'minus zero': -0,
  one: 1,
  'minus one': -1,
  'the largest of 31 bits': 2 ** 30 - 1,
  'the largest of 32 bits': 2 ** 31 - 1,
  'the smallest of 32 bits': -(2 ** 31),
  'one more than 32 bits': 2 ** 32,
  'the largest safe integer': Number.MAX_SAFE_INTEGER,
  'the smallest safe integer': Number.MIN_SAFE_INTEGER,
  fraction: 0.1,
  'the smallest double': Number.MIN_VALUE,
  'the largest double': Number.MAX_VALUE,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  'minus infinity': Number.NEGATIVE_INFINITY,
  'bigint 0': 0n,
  'a bigint below zero': -1n,
  'a large bigint': 2n ** 200n,
  'a large bigint below zero': -(2n ** 200n),
  'empty text': '',
  text: 'text',
  'text with zeros': '\0a\0',
  'text of many scripts': 'é日本語😀',
  'lone surrogates': '\ud83d \ude00',
  'long text': 'x'.repeat(100_000),
  'long text beyond ASCII': 'ж'.repeat(100_000),
  'text with an underscore, which is a tag of V8': { _: '_', text: '______' },
  'empty object': {},
  'empty array': [],
  object: { a: 1, b: [2, { c: 'd' }], e: null },
  'own __proto__': own,
  'object with numbers as keys': { 1: 'a', 0: 'b', 4294967296: 'c' },
  'object with odd keys': { '': 1, '\ud83d': 2, ' ': 3 },
  // biome-ignore lint/suspicious/noSparseArray: the hole is the point
  'array with holes': [1, , 3],
  'sparse array': sparse,
  'array with properties': Object.assign([1, 2], { extra: 'x' }),
  Date: new Date(1_700_000_000_123),
  'invalid Date': new Date(Number.NaN),
  RegExp: /a(b)?/giu,
  Map: new Map<unknown, unknown>([
    ['a', 1],
    [{ key: 1 }, new Map([[1, 2]])],
    [Number.NaN, -0],
  ]),
  Set: new Set<unknown>([1, 'a', new Set([2]), null]),
  'boxed number': Object(5),
  'boxed text': Object('text'),
  'boxed bigint': Object(5n),
  Error: new RangeError('message', { cause: { why: 1 } }),
  Buffer: Buffer.from([0, 1, 255]),
  'empty Buffer': Buffer.alloc(0),
  Uint8Array: new Uint8Array([0, 1, 255]),
  'empty Uint8Array': new Uint8Array(0),
  Int8Array: new Int8Array([-1, 1]),
  Uint8ClampedArray: new Uint8ClampedArray([0, 255]),
  Int16Array: new Int16Array([-300, 300]),
  Uint16Array: new Uint16Array([65_535]),
  Int32Array: new Int32Array([-(2 ** 31)]),
  Uint32Array: new Uint32Array([2 ** 32 - 1]),
  Float32Array: new Float32Array([0.5, -0, Number.NaN]),
  Float64Array: new Float64Array([0.1, -0, Number.NaN]),
  BigInt64Array: new BigInt64Array([-(2n ** 63n)]),
  BigUint64Array: new BigUint64Array([2n ** 64n - 1n]),
  ArrayBuffer: new Uint8Array([1, 2, 3]).buffer,
  DataView: new DataView(new Uint8Array([1, 2, 3]).buffer),
  'bytes inside': { b: Buffer.from('b'), u: new Uint8Array([1]), f: [new Float64Array([1.5])] },
  'a part of a typed array': new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
  'a part of a Float64Array': new Float64Array([1, 2, 3, 4]).subarray(1, 3),
  'the same object twice': [shared, shared],
  cycles: cyclic,
  'a cycle through a Map': (() => {
    const map = new Map<string, unknown>()
    return map.set('self', map)
  })(),
  'a huge array': Array.from({ length: 200_000 }, (_, index) => index),
  'many properties': Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`p${index}`, { index }])),
  '900 levels': nested(900),
  'undefined in an object': { a: undefined },
  'undefined in an array': [1, undefined],
  'undefined in a sparse array': Object.assign([], { 100000: undefined }),
  'undefined as a property of an array': Object.assign([1], { extra: undefined }),
  'undefined as a key of a Map': new Map([[undefined, 1]]),
  'undefined as a value of a Map': new Map([[1, undefined]]),
  'undefined in a Set': new Set([undefined]),
  'undefined deep inside': { a: [{ b: new Map([[1, new Set([[{ c: undefined }]])]]) }] },
  'undefined beside a cycle': Object.assign([], [cyclic, undefined]),
  'undefined after many items': [...Array.from({ length: 50_000 }, () => '_'), { last: undefined }],
  'what Keyv stores without a ttl': { value: { a: 1 }, expires: undefined },
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value }
  return value
}

/** Equal, and of the same kind down to the prototype and the sign of zero. */
function same(t: ExecutionContext, actual: unknown, expected: unknown): void {
  if (typeof expected === 'object' && expected !== null) {
    t.is(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected))
    t.deepEqual(actual, expected)
  } else t.true(Object.is(actual, expected), `${String(actual)} is not ${String(expected)}`)
}

for (const [what, value] of Object.entries(VALUES)) {
  test(`${what} comes back exactly: at once, from the journal and from a snapshot`, async (t) => {
    const opened = await openMemory(t)
    opened.cache.set('key', value)
    same(t, opened.cache.get('key'), value)
    opened.cache.set('nested', { deep: [value] })
    const fromJournal = await reopen(t, opened)
    same(t, fromJournal.cache.get('key'), value)
    same(t, (fromJournal.cache.get('nested') as { deep: unknown[] }).deep[0], value)
    await fromJournal.cache.compact()
    const fromSnapshot = await reopen(t, fromJournal)
    same(t, fromSnapshot.cache.get('key'), value)
    same(t, (fromSnapshot.cache.get('nested') as { deep: unknown[] }).deep[0], value)
  })
}

test('own __proto__ properties stay own properties', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('key', own)
  const copy = cache.get('key') as object
  t.true(Object.hasOwn(copy, '__proto__'))
  t.is((copy as { polluted?: boolean }).polluted, undefined)
  t.is(Object.getPrototypeOf(copy), Object.prototype)
})

test('undefined inside a value stays a property of its own', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('key', { a: undefined, list: [undefined] })
  const copy = cache.get('key') as { list: unknown[] }
  t.deepEqual(Object.keys(copy), ['a', 'list'])
  t.true(0 in copy.list)
})

test('setMany names the entry and the part that it refuses, and changes nothing', async (t) => {
  const { cache } = await openMemory(t)
  const error = t.throws(
    () =>
      cache.setMany([
        ['fine', { a: undefined }],
        ['user:7', { links: [{}, { home: new URL('http://a') }] }],
      ]),
    { instanceOf: ValueError },
  )
  t.regex(
    error.message,
    /the value of 'user:7': its part \['links'\]\[1\]\['home'\] is an instance of URL, of which nothing/,
  )
  t.is(cache.size, 0)
})

test('what getOrSet loads may have undefined inside', async (t) => {
  const { cache } = await openMemory(t)
  t.deepEqual(await cache.getOrSet('key', () => ({ a: undefined })), { a: undefined })
  t.deepEqual(cache.get('key'), { a: undefined })
})

test('cycles and shared references inside a value are kept', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('cycle', cyclic)
  const copy = cache.get('cycle') as { self: unknown; list: [unknown, { back: unknown }] }
  t.is(copy.self, copy)
  t.is(copy.list[1].back, copy)
  cache.set('shared', [shared, shared])
  const [first, second] = cache.get('shared') as [unknown, unknown]
  t.is(first, second)
})

test('holes in an array stay holes', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('key', VALUES['array with holes'])
  t.false(1 in (cache.get('key') as object))
})

// ── what cannot be stored ──

class Point {
  x = 1
  get double() {
    return this.x * 2
  }
}

class Hidden {
  readonly #secret = 1
  get secret() {
    return this.#secret
  }
}

test('a class instance is stored as its own properties, as by structured cloning', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('key', new Point())
  t.deepEqual(cache.get('key'), { x: 1 })
  t.is(Object.getPrototypeOf(cache.get('key')), Object.prototype)
})

test('a getter is called once, and its value is stored', async (t) => {
  const { cache } = await openMemory(t)
  let calls = 0
  cache.set('key', {
    get n() {
      return ++calls
    },
  })
  t.deepEqual(cache.get('key'), { n: 1 })
  t.is(calls, 1)
})

const throwing = {
  get a(): never {
    throw new Error('mine')
  },
}
const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
})()
const detached = () => {
  const bytes = new Uint8Array(4)
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
  return bytes
}

const UNSTORABLE: Record<string, unknown> = {
  undefined: undefined,
  'a function': () => 1,
  'a class': Point,
  'a symbol': Symbol('s'),
  'a function inside': { a: { b: [() => 1] } },
  'a symbol inside': { a: Symbol('s') },
  'a boxed symbol': Object(Symbol('s')),
  'a method': { toString() {} },
  'a getter that throws': throwing,
  'a getter that throws inside': { a: [throwing] },
  'a Proxy': new Proxy({}, {}),
  'a Proxy of an array': new Proxy([1], {}),
  'a Proxy of a Uint8Array': new Proxy(new Uint8Array(4), {}),
  'a Proxy of a Buffer': new Proxy(Buffer.alloc(4), {}),
  'a Proxy inside': { a: new Proxy({}, {}) },
  'a Proxy whose traps throw': new Proxy(
    {},
    {
      get: () => {
        throw new Error('mine')
      },
      getPrototypeOf: () => {
        throw new Error('mine')
      },
    },
  ),
  'a revoked Proxy': revoked,
  'a detached Uint8Array': detached(),
  'a detached Uint8Array inside': { a: detached() },
  'a detached ArrayBuffer': detached().buffer,
  'a SharedArrayBuffer': new SharedArrayBuffer(8),
  'a Uint8Array of shared memory': new Uint8Array(new SharedArrayBuffer(8)),
  'a Buffer of shared memory': Buffer.from(new SharedArrayBuffer(8) as unknown as ArrayBuffer),
  'a Float64Array of shared memory': new Float64Array(new SharedArrayBuffer(8)),
  'a DataView of shared memory inside': { a: [new DataView(new SharedArrayBuffer(8))] },
  'a Uint8Array of shared memory as a key of a Map': new Map([[new Uint8Array(new SharedArrayBuffer(8)), 1]]),
  'a WeakMap': new WeakMap(),
  'a WeakRef': new WeakRef({}),
  'a Promise': Promise.resolve(1),
  'a Promise inside': { a: Promise.resolve(1) },
  'a URL': new URL('http://a'),
  Headers: new Headers(),
  FormData: new FormData(),
  'a Response': new Response('a'),
  'a Request': new Request('http://a'),
  'a Blob': new Blob(['a']),
  'an AbortSignal': new AbortController().signal,
  'an Intl.NumberFormat': new Intl.NumberFormat(),
  'an object with private fields only': new Hidden(),
  'an object with private fields only, inside': { a: [{ b: new Hidden() }] },
  'a URL in an array': [new URL('http://a')],
  'a URL as a key of a Map': new Map([[new URL('http://a'), 1]]),
  'a URL as a value of a Map': new Map([[1, { url: new URL('http://a') }]]),
  'a URL in a Set': new Set([new URL('http://a')]),
  'a URL as a property of an array': Object.assign([1], { url: new URL('http://a') }),
  'a URL as the cause of an error': new Error('e', { cause: new URL('http://a') }),
  'a URL as a property of an error': Object.assign(new Error('e'), { url: new URL('http://a') }),
  'a URL that a getter returns': {
    get url() {
      return new URL('http://a')
    },
  },
  'a function as the cause of an error': new Error('e', { cause: () => 1 }),
  'a generator': (function* () {})(),
  'the arguments of a call': (function (..._: unknown[]) {
    // biome-ignore lint/complexity/noArguments: they are the point
    return arguments
  })(undefined),
  '200,000 levels': nested(200_000),
  '200,000 levels of Maps': (() => {
    let value: unknown = 1
    for (let level = 0; level < 200_000; level++) value = new Map([[1, value]])
    return value
  })(),
  '5,000 levels': nested(5_000),
  '1,100 levels of Sets, which take three bytes each': (() => {
    let value: unknown = 1
    for (let level = 0; level < 1_100; level++) value = new Set([value])
    return value
  })(),
}

for (const isolation of ['copy', 'share'] as const) {
  for (const [what, value] of Object.entries(UNSTORABLE)) {
    test(`${what} is a ValueError that changes nothing, with isolation ${isolation}`, async (t) => {
      const { cache } = await openMemory(t, { isolation, maxSize: 2 })
      cache.set('key', 'old', { ttl: 10 })
      cache.set('other', 1)
      const before = everything(cache)
      for (const call of [
        () => cache.set('key', value),
        () => cache.set('new', value, { ttl: 1 }),
        () =>
          cache.setMany([
            ['new', 1],
            ['key', value],
          ]),
      ]) {
        const error = t.throws(call, { instanceOf: ValueError })
        t.is(error.code, 'INVALID_VALUE')
        t.regex(error.message, /Nothing was changed/)
        t.true(error.message.length < 500)
      }
      t.deepEqual(everything(cache), before)
    })
  }
}

test('an object disguised as bytes is stored as its structured clone, or is a ValueError', async (t) => {
  const { cache } = await openMemory(t)
  for (const value of [
    Object.create(Uint8Array.prototype),
    Object.create(Buffer.prototype),
    Object.setPrototypeOf({ a: 1 }, Uint8Array.prototype),
    Object.assign(new Uint8Array([1, 2]), { slice: () => 'not bytes' }),
    Object.assign(new Uint8Array([1, 2]), { constructor: Array }),
  ]) {
    let stored = false
    try {
      stored = cache.set('key', value)
    } catch (error) {
      t.true(error instanceof ValueError, String(error))
    }
    if (stored) t.deepEqual(cache.get('key'), structuredClone(value))
  }
})

test('a getter that calls the cache sees whole turns', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('key', {
    get n() {
      cache.set('inner', 1)
      return cache.size
    },
  })
  t.deepEqual(
    [...cache.entries()],
    [
      ['inner', 1],
      ['key', { n: 1 }],
    ],
  )
})

// ── isolation ──

async function withObject(
  t: ExecutionContext,
  options: Omit<CacheOptions, 'clock'>,
): Promise<{ cache: Cache<{ n: number[] }>; object: { n: number[] } }> {
  const { cache } = await openMemory<{ n: number[] }>(t, options)
  const object = { n: [1] }
  cache.set('key', object)
  return { cache, object }
}

test('with copies, changing an object after set does not change the cache', async (t) => {
  const { cache, object } = await withObject(t, {})
  object.n.push(2)
  t.deepEqual(cache.get('key'), { n: [1] })
})

test('with copies, changing a value that was read does not change the cache', async (t) => {
  const { cache } = await withObject(t, {})
  for (const read of [
    () => cache.get('key'),
    () => cache.peek('key'),
    () => cache.getMany(['key'])[0],
    () => [...cache.entries()][0]?.[1],
  ]) {
    read()?.n.push(2)
    t.deepEqual(cache.get('key'), { n: [1] })
  }
  ;(await cache.getOrSet('key', () => t.fail() as never)).n.push(2)
  t.deepEqual(cache.get('key'), { n: [1] })
})

test('with copies, changing a value that a subscriber received does not change the cache', async (t) => {
  const { cache } = await openMemory<{ n: number[] }>(t)
  cache.changes$.subscribe((change) => change.value?.n.push(2))
  cache.set('key', { n: [1] })
  t.deepEqual(cache.get('key'), { n: [1] })
})

for (const [what, make] of Object.entries({
  'a Buffer': () => Buffer.from([1, 2]),
  'a Uint8Array': () => new Uint8Array([1, 2]),
  'a Float64Array': () => new Float64Array([1, 2]),
  'a part of a pooled Buffer': () => Buffer.from('ab').subarray(0, 2),
})) {
  test(`with copies, the cache has its own copy of the bytes of ${what}, also inside a value and after recovery`, async (t) => {
    type Bytes = ReturnType<typeof make>
    const opened = await openMemory<{ bytes: Bytes } | Bytes>(t)
    const original = make()
    const expected = Array.from(original)
    opened.cache.set('bytes', original)
    opened.cache.set('inside', { bytes: original })
    original.fill(9)
    for (const isReopened of [false, true]) {
      const { cache } = isReopened ? await reopen(t, opened) : opened
      for (let round = 0; round < 2; round++) {
        const bytes = cache.get('bytes') as Bytes
        const inside = (cache.get('inside') as { bytes: Bytes }).bytes
        t.deepEqual(Array.from(bytes), expected)
        t.deepEqual(Array.from(inside), expected)
        bytes.fill(7)
        inside.fill(7)
        if (!Buffer.isBuffer(inside)) new Uint8Array(inside.buffer).fill(8) // a Buffer's may be a pool
      }
    }
  })
}

test('with share, reads return the object that was set', async (t) => {
  const { cache, object } = await withObject(t, { isolation: 'share' })
  t.is(cache.get('key'), object)
  t.is(cache.peek('key'), object)
  t.is(cache.getMany(['key'])[0], object)
  t.is([...cache.entries()][0]?.[1], object)
  t.is(await cache.getOrSet('key', () => t.fail() as never), object)
})

test('with share, reads return the same object after an undone change', async (t) => {
  const { cache, object } = await withObject(t, { isolation: 'share' })
  t.throws(() =>
    cache.transact(() => {
      cache.set('key', { n: [] })
      cache.clear()
      throw new Error('undo')
    }),
  )
  t.is(cache.get('key'), object)
})

test('with share, streams emit the object that was set', async (t) => {
  const { cache, clock } = await openMemory<object>(t, { isolation: 'share', maxSize: 1 })
  const seen: unknown[] = []
  cache.changes$.subscribe(({ value }) => value !== undefined && seen.push(value))
  cache.evictions$.subscribe(({ value }) => seen.push(value))
  cache.expirations$.subscribe(({ value }) => seen.push(value))
  const [a, b] = [{ a: 1 }, { b: 1 }]
  cache.set('a', a)
  cache.set('b', b, { ttl: 1 })
  clock.advance(1)
  t.deepEqual(seen.length, 4)
  t.is(seen[0], a)
  t.is(seen[1], a)
  t.is(seen[2], b)
  t.is(seen[3], b)
})

test('with share, all reads after recovery return one object, as it was when it was set', async (t) => {
  const opened = await openMemory<{ n: number[] }>(t, { isolation: 'share' })
  const object = { n: [1] }
  opened.cache.set('key', object)
  object.n.push(2)
  t.deepEqual(opened.cache.get('key'), { n: [1, 2] })
  const { cache } = await reopen(t, opened, { isolation: 'share' })
  t.deepEqual(cache.get('key'), { n: [1] })
  t.is(cache.get('key'), cache.get('key'))
})

/** Errors that have each other as causes, in a cycle. */
