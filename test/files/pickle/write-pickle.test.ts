import { runInNewContext } from 'node:vm'
import test from 'ava'
import { ValueError } from '../../../src/errors.js'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'

const STATS = { hits: 0, misses: 0, evictions: 0 }

class Point {
  x = 1
}

const keyOfTexts = Array.from({ length: 5_000 }, (_, n) => `text ${n}`)
const extended = Object.assign([1], { name: 'list' })
const cyclicKey: unknown[] = []
cyclicKey.push(cyclicKey)

/** Keys are written whole, each time: these would come to ten gigabytes. */
const megabyte = new Uint8Array(2 ** 20)
const keysOfParts: Record<string, unknown[]> = {
  'one key that holds bytes many times': [Array.from({ length: 9_000 }, () => megabyte)],
  'many keys that hold the same bytes': Array.from({ length: 9_000 }, (_, n) => [n, megabyte]),
  'many keys that hold the same list': Array.from({ length: 9_000 }, (_, n) => [n, keyOfTexts]),
}

/** Values without a Python form, and the message: what it is, and where. */
const REFUSED: readonly (readonly [unknown, RegExp])[] = [
  [undefined, /it is undefined\. .*Store null/],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what this is about
  [[1, , 3], /the value\[1\] .*a hole/],
  [{ a: { 'b c': /x/ } }, /the value\['a'\]\['b c'\] .*RegExp/],
  [new Set([undefined]), /undefined as a key or item/],
  [() => 1, /a function/],
  [Symbol('s'), /a symbol/],
  [/x/g, /an instance of RegExp.*source and flags/],
  [new TypeError('x'), /an instance of Error.*name and message/],
  [new Point(), /an instance of Point/],
  [new (class {})(), /a class without a name/],
  [new Proxy({}, {}), /a Proxy/],
  [new Float64Array(1), /an instance of Float64Array.*Uint8Array of its bytes/],
  [new Int8Array(1), /an instance of Int8Array/],
  [new Uint8ClampedArray(1), /an instance of Uint8ClampedArray/],
  [new DataView(new ArrayBuffer(1)), /an instance of DataView/],
  [new SharedArrayBuffer(1), /an instance of SharedArrayBuffer/],
  [Object(1), /an instance of Number.*primitive/],
  [Object('a'), /an instance of String/],
  [Object(1n), /an instance of BigInt/],
  [new WeakMap(), /an instance of WeakMap/],
  [Promise.resolve(), /an instance of Promise/],
  [new Date(Number.NaN), /an invalid Date/],
  [new Date(-62_135_596_800_001), /a Date outside Python's years 1 to 9999/],
  [new Date(253_402_300_800_000), /a Date outside Python's years 1 to 9999/],
  [extended, /an array with properties besides its items/],
  [new Map([[{}, 1]]), /an object as a key.*hash/],
  [new Map([[Symbol('s'), 1]]), /hash/],
  [new Map([[undefined, 1]]), /undefined as a key/],
  [new Set([{}]), /hash/],
  [new Set([new Map()]), /hash/],
  [new Set([[{}]]), /hash/],
  [new Set([cyclicKey]), /hash/],
  [new Map<unknown, number>([[new Date(Number.NaN), 1]]), /an invalid Date/],
  [
    new Map<unknown, number>([
      [1, 1],
      [true, 2],
    ]),
    /equal to Python/,
  ],
  [new Set<unknown>([0, false]), /equal to Python/],
  [new Set<unknown>([2 ** 53, 2n ** 53n]), /equal to Python/],
  [new Set([new Date(5), new Date(5)]), /equal to Python/],
  [new Set([new Uint8Array([1]), new Uint8Array([1])]), /equal to Python/],
  [
    new Set([
      [1, [true]],
      [1, [1n]],
    ]),
    /equal to Python/,
  ],
  [new Set<unknown>([new Set([1, 2]), new Set([2, 1])]), /equal to Python/],
  [new Set<unknown>([new Set<unknown>([1, true])]), /hash/],
  [new Map([['a', new Map([[1, /x/]])]]), /the value\.get\('a'\)\.get\(1\) .*RegExp/],
  [2n ** (8n * 2n ** 24n), /a bigint of 16777217 bytes; the limit is 16777216/],
]

for (const [index, [value, words]] of REFUSED.entries()) {
  test(`a value without a Python form is refused, ${index}: ${words.source}`, (t) => {
    const error = t.throws(() => pickleValue(value), { instanceOf: ValueError, message: words })
    t.regex(error?.message ?? '', /No file was written/)
  })
}

test('undefined is left out of dicts, and is None in lists', (t) => {
  const value = {
    a: undefined,
    b: [1, undefined],
    c: new Map([
      [1, undefined],
      [2, 3],
    ] as const),
    d: { e: undefined },
  }
  t.deepEqual(readPickle(pickleValue(value)), { b: [1, null], c: new Map([[2, 3]]), d: {} })
  t.deepEqual(readPickle(pickleValue({ value: 1, expires: undefined })), { value: 1 })
})

test('a getter that throws is a ValueError with its cause, and a getter that works is written', (t) => {
  const cause = new Error('not today')
  const thrower = {
    get a() {
      throw cause
    },
  }
  const error = t.throws(() => pickleValue([thrower]), {
    instanceOf: ValueError,
    message: /the value\[0\].*not today/,
  })
  t.is(error?.cause, cause)
  t.deepEqual(
    readPickle(
      pickleValue({
        get a() {
          return 1
        },
      }),
    ),
    { a: 1 },
  )
})

test('the error names the entry', (t) => {
  const entries: [string, unknown, undefined][] = [
    ['fine', 1, undefined],
    ['user:1', { tags: [/x/] }, undefined],
  ]
  t.throws(() => [...writePickle({ entries, stats: STATS })], {
    instanceOf: ValueError,
    message: /the value of 'user:1'\['tags'\]\[0\] to a Python pickle: it is an instance of RegExp/,
  })
})

test('a deadline of NaN is refused, and Infinity means none', (t) => {
  t.throws(() => [...writePickle({ entries: [['k', 1, Number.NaN]], stats: STATS })], { instanceOf: ValueError })
  const written = Buffer.concat([...writePickle({ entries: [['k', 1, Infinity]], stats: STATS })])
  t.deepEqual([...readCachePickle(written).entries], [['k', 1, undefined]])
})

test('a thousand levels are written and read, one more is refused, and 200,000 do not overflow the stack', (t) => {
  const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = 1
    for (let i = 0; i < levels; i++) value = wrap(value)
    return value
  }
  const wraps = [
    (inner: unknown) => [inner],
    (inner: unknown) => ({ a: inner }),
    (inner: unknown) => new Map([[1, inner]]),
  ]
  for (const wrap of wraps) {
    const deep = nested(1_000, wrap)
    t.deepEqual(pickleValue(readPickle(pickleValue(deep))), pickleValue(deep))
    const entries = (value: unknown): [string, unknown, undefined][] => [['k', value, undefined]]
    const saved = Buffer.concat([...writePickle({ entries: entries(deep), stats: STATS })])
    t.is(readCachePickle(saved).entryCount, 1)
    for (const levels of [1_001, 200_000]) {
      t.throws(() => pickleValue(nested(levels, wrap)), { instanceOf: ValueError, message: /deeper than 1000 levels/ })
    }
  }
  t.notThrows(() => pickleValue(nested(999, (inner) => [inner])))
  t.throws(() => pickleValue([new Set([nested(999, (inner) => [inner])])]), { message: /hash/ })
})

test('shared references and cycles are kept within a value, but not across entries', (t) => {
  const shared = { n: 1 }
  const list: unknown[] = [shared, shared]
  const map = new Map<unknown, unknown>([[1, list]])
  map.set(2, map)
  list.push(list, map)
  const date = new Date(5)
  const bytes = new Uint8Array([1])
  const read = readPickle(pickleValue({ list, date, again: [date, bytes, bytes] })) as Record<string, unknown[]>
  const { list: readList, date: readDate, again } = read
  t.is(readList![0], readList![1])
  t.is(readList![2], readList)
  const readMap = readList![3] as Map<unknown, unknown>
  t.is(readMap.get(1), readList)
  t.is(readMap.get(2), readMap)
  t.is(again![0], readDate as unknown)
  t.is(again![1], again![2])

  const entries: [string, unknown, undefined][] = [
    ['a', shared, undefined],
    ['b', shared, undefined],
  ]
  const [a, b] = [...readCachePickle(Buffer.concat([...writePickle({ entries, stats: STATS })])).entries]
  t.deepEqual(a![1], b![1])
  t.not(a![1], b![1])
})

test('objects of another realm, without a prototype or with keys like __proto__ are plain objects', (t) => {
  t.deepEqual(readPickle(pickleValue(runInNewContext('({ a: [1, new Map([[1, new Date(5)]])] })'))), {
    a: [1, new Map([[1, new Date(5)]])],
  })
  t.deepEqual(readPickle(pickleValue(Object.assign(Object.create(null), { a: 1 }))), { a: 1 })
  const read = readPickle(pickleValue(JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": 3}'))) as object
  t.deepEqual(Object.keys(read), ['__proto__', 'constructor', 'toString'])
  t.is(Object.getPrototypeOf(read), Object.prototype)
})

test('a Buffer or an ArrayBuffer is written as its bytes, without those outside the view', (t) => {
  const buffer = Buffer.from('abcdef').subarray(2, 4)
  t.deepEqual(readPickle(pickleValue([buffer, new Uint8Array([1, 2]).buffer])), [
    new Uint8Array([99, 100]),
    new Uint8Array([1, 2]),
  ])
})

test('strings and bytes of sizes around the limits of opcodes and frames come back', (t) => {
  for (const size of [0, 1, 23, 24, 25, 84, 85, 86, 255, 256, 257, 65_534, 65_535, 65_536, 65_537, 300_000]) {
    for (const letter of ['x', 'é', '日', '😀', '\ud800'])
      t.is(readPickle(pickleValue(letter.repeat(size))), letter.repeat(size))
    t.deepEqual(readPickle(pickleValue(new Uint8Array(size).fill(7))), new Uint8Array(size).fill(7))
  }
})

test('lists, dicts and sets of sizes around a batch come back', (t) => {
  for (const size of [0, 1, 2, 999, 1_000, 1_001, 2_000, 2_001]) {
    const list = Array.from({ length: size }, (_, index) => `item ${index}`)
    const original = [
      list,
      Object.fromEntries(list.map((item) => [item, item])),
      new Map(list.map((_, i) => [i, i])),
      new Set(list),
    ]
    t.deepEqual(readPickle(pickleValue(original)), size === 0 ? [[], {}, {}, new Set()] : original)
  }
})

test('a large cache is written in chunks of bounded size, at least one for every thousand entries', (t) => {
  let taken = 0
  let takenAtLastChunk = 0
  let most = 0
  function* entries(): Generator<[string, unknown, undefined]> {
    for (taken = 0; taken < 20_000; taken++)
      yield [`key ${taken}`, taken % 10 === 0 ? 'x'.repeat(taken) : taken, undefined]
  }
  const chunks: Uint8Array[] = []
  for (const chunk of writePickle({ entries: entries(), stats: STATS })) {
    most = Math.max(most, taken - takenAtLastChunk)
    takenAtLastChunk = taken
    chunks.push(chunk)
    t.true(chunk.length <= 2 ** 18)
  }
  t.true(most <= 1_000)
  const read = readCachePickle(Buffer.concat(chunks))
  t.is(read.entryCount, 20_000)
  let index = 0
  for (const [key, value] of read.entries) {
    if (key !== `key ${index}` || value !== (index % 10 === 0 ? 'x'.repeat(index) : index)) t.fail(`entry ${index}`)
    index++
  }
})

test('stopping early closes the source of entries', (t) => {
  let closed = false
  function* entries(): Generator<[string, unknown, undefined]> {
    try {
      for (let i = 0; ; i++) yield [`${i}`, i, undefined]
    } finally {
      closed = true
    }
  }
  for (const chunk of writePickle({ entries: entries(), stats: STATS })) if (chunk) break
  t.true(closed)
})

for (const [what, keys] of Object.entries(keysOfParts)) {
  test(`${what} are refused before they are written`, (t) => {
    t.throws(() => pickleValue(new Set(keys)), { instanceOf: ValueError, message: /none of them huge/ })
    t.throws(() => pickleValue([...keys.map((key) => new Map([[key, 1]]))]), { message: /none of them huge/ })
  })
}

test('keys that share small parts are written', (t) => {
  const shared = [1, 'two']
  const keys = Array.from({ length: 10_000 }, (_, n) => [n, shared])
  t.deepEqual(readPickle(pickleValue(new Map(keys.map((key) => [key, 1])))), new Map(keys.map((key) => [key, 1])))
})
