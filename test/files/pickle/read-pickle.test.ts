import test from 'ava'
import { readPickle } from '../../../src/files/pickle/read-pickle.js'

const bytes = (pickle: string) => Buffer.from(pickle, 'latin1')
const u8 = (...items: number[]) => new Uint8Array(items)

/** Pickles written by hand, and their values. */
const READS: readonly (readonly [string, unknown])[] = [
  ['N.', null],
  ['\x88.', true],
  ['\x89.', false],
  ['I00\n.', false],
  ['I01\n.', true],
  ['I0\n.', 0],
  ['I-5\n.', -5],
  ['I9007199254740991\n.', Number.MAX_SAFE_INTEGER],
  ['I9007199254740992\n.', 2n ** 53n],
  ['L5L\n.', 5],
  ['L-0L\n.', 0],
  ['L-9223372036854775808L\n.', -(2n ** 63n)],
  ['J\xff\xff\xff\xff.', -1],
  ['K\xff.', 255],
  ['M\x00\x01.', 256],
  ['\x8a\x00.', 0],
  ['\x8a\x01\x80.', -128],
  ['\x8a\x07\xff\xff\xff\xff\xff\xff\xff.', -1],
  ['\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.', -(2n ** 63n)],
  ['\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x80\x00.', 2n ** 63n],
  ['\x8b\x02\x00\x00\x00\x00\x80.', -32768],
  ['F1.5\n.', 1.5],
  ['F-0.0\n.', -0],
  ['F1e+300\n.', 1e300],
  ['Fnan\n.', Number.NaN],
  ['F-inf\n.', -Infinity],
  ['G\x3f\xf8\x00\x00\x00\x00\x00\x00.', 1.5],
  ["S'abc'\n.", 'abc'],
  ['S"it\'s"\n.', "it's"],
  ["S'a\\n\\t\\\\\\'\\x41\\101\\0\\q'\n.", "a\n\t\\'AA\0\\q"],
  ["S'\\xff'\n.", u8(255)],
  ['T\x02\x00\x00\x00ab.', 'ab'],
  ['U\x02\xff\x00.', u8(255, 0)],
  ['Vab\n.', 'ab'],
  ['V\xe9\\u65e5\\U0001f600\\ud800\\n\\\\u0041\\\n.', 'é日😀\ud800\\n\\\\u0041\\'],
  ['X\x05\x00\x00\x00a\xed\xa0\x80b.', 'a\ud800b'],
  ['\x8c\x04\xf0\x9f\x98\x80.', '😀'],
  ['\x8c\x03\xef\xbb\xbf.', '\ufeff'],
  ['\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.', 'a'],
  ['B\x01\x00\x00\x00\xff.', u8(255)],
  ['C\x01\xff.', u8(255)],
  ['\x8e\x01\x00\x00\x00\x00\x00\x00\x00\xff.', u8(255)],
  ['\x96\x01\x00\x00\x00\x00\x00\x00\x00\xff.', u8(255)],
  [').', []],
  ['(K\x01K\x02t.', [1, 2]],
  ['K\x01\x85.', [1]],
  ['K\x01K\x02\x86.', [1, 2]],
  ['K\x01K\x02K\x03\x87.', [1, 2, 3]],
  [']K\x01a.', [1]],
  ['](K\x01K\x02e.', [1, 2]],
  ['(K\x01l.', [1]],
  ['}U\x01aK\x01s.', { a: 1 }],
  ['}(U\x01aK\x01u.', { a: 1 }],
  ['(U\x01aK\x01d.', { a: 1 }],
  [
    '}(U\x01aK\x01K\x02Nu.',
    new Map<unknown, unknown>([
      ['a', 1],
      [2, null],
    ]),
  ],
  ['\x8f(K\x01K\x02\x90.', new Set([1, 2])],
  ['(K\x01\x91.', new Set([1])],
  ['NK\x010.', null],
  ['N(K\x01K\x021.', null],
  ['N(0.', null],
  [']K\x012\x86a.', [[1, 1]]],
  ['](K\x01p5\n0g5\nq\x06h\x06r\x07\x00\x00\x00j\x07\x00\x00\x00e.', [1, 1, 1]],
  ['](K\x07\x94h\x00e.', [7, 7]],
  ['\x80\x05\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x01.', 1],
  ['c__builtin__\nset\n(](K\x01etR.', new Set([1])],
  ['cbuiltins\nset\n)R.', new Set()],
  ['cbuiltins\nfrozenset\n(](K\x01etR.', new Set([1])],
  ['c__builtin__\nbytes\n)R.', u8()],
  ['cbuiltins\nbytearray\n)R.', u8()],
  ['cbuiltins\nbytearray\nC\x01\xff\x85R.', u8(255)],
  ['c__builtin__\nbytearray\nV\xff\nVlatin-1\n\x86R.', u8(255)],
  ['c_codecs\nencode\nV\x80\nVlatin1\n\x86R.', u8(128)],
  ['ccollections\nOrderedDict\n)R(U\x01bK\x01U\x01aK\x02u.', { b: 1, a: 2 }],
  ['ccollections\nOrderedDict\n]]U\x01aaK\x01aa\x85R.', { a: 1 }],
  ['ccollections\nOrderedDict\n)RK\x01K\x02s.', new Map([[1, 2]])],
  ['cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x02\x03\x04\x05\x0a\x5b\xf5\x85R.', new Date('2024-01-02T03:04:05.678Z')],
  ['cdatetime\ndatetime\nC\x0a\x07\xe8\x81\x02\x03\x04\x05\x0a\x5b\xf5N\x86R.', new Date('2024-01-02T03:04:05.678Z')],
  ['cdatetime\ndatetime\nU\x0a\x07\x08\x01\x02\x03\x04\x05\x00\x00\x00\x85R.', new Date('1800-01-02T03:04:05.000Z')],
]

for (const [pickle, value] of READS) {
  test(`reads ${JSON.stringify(pickle)}`, (t) => {
    const read = readPickle(bytes(pickle))
    t.deepEqual(read, value)
    t.deepEqual(structuredClone(read), value)
  })
}

test('a datetime with a timezone is that moment, rounded down to the millisecond', (t) => {
  const state = 'C\x0a\x07\xe8\x01\x02\x03\x04\x05\x00\x00\x01'
  const zone = (days: string, seconds: string, us: string, name = '\x85') =>
    `cdatetime\ntimezone\ncdatetime\ntimedelta\n${days}${seconds}${us}\x87R${name}R`
  const at = (offset: string) =>
    (readPickle(bytes(`cdatetime\ndatetime\n${state}${offset}\x86R.`)) as Date).toISOString()
  t.is(at(zone('K\0', 'K\0', 'K\0')), '2024-01-02T03:04:05.000Z')
  t.is(at(zone('K\0', 'M\x10\x0e', 'K\0')), '2024-01-02T02:04:05.000Z')
  t.is(at(zone('J\xff\xff\xff\xff', 'J\x80\x51\x01\x00', 'K\0')), '2024-01-02T03:04:05.000Z')
  t.is(at(zone('J\xff\xff\xff\xff', 'M\x40\x38', 'K\0')), '2024-01-02T23:04:05.000Z')
  t.is(at(zone('K\0', 'M\x10\x0e', 'K\0', 'VCET\n\x86')), '2024-01-02T02:04:05.000Z')
  t.is(at(zone('K\0', 'K\0', 'K\x02')), '2024-01-02T03:04:04.999Z')
})

test('a dict with a key that is not a str is a Map, also where it was referenced before that key came', (t) => {
  // d = {'a': 1}; the list gets it once before d[2] = d makes it a Map, and twice afterwards.
  const list = readPickle(bytes(']q\x05}q\x00(U\x01aK\x01uh\x05h\x00a0K\x02h\x00sah\x00a.')) as unknown[]
  const [first] = list
  t.true(first instanceof Map)
  for (const each of list) t.is(each, first)
  t.deepEqual([...(first as Map<unknown, unknown>).keys()], ['a', 2])
  t.is((first as Map<unknown, unknown>).get(2), first)

  // root = {'k': root, '__proto__': root}, then root[None] = 5
  const root = readPickle(bytes('}q\x00(U\x01kh\x00U\x09__proto__h\x00NK\x05u.')) as Map<unknown, unknown>
  t.is(root.get('k'), root)
  t.is(root.get('__proto__'), root)
  t.is(root.get(null), 5)

  // In an object: {'in': d, '__proto__': d}, and d becomes a Map afterwards.
  const outer = readPickle(bytes('}q\x000}(U\x02inh\x00U\x09__proto__h\x00uh\x00NK\x05s0.')) as Record<string, unknown>
  t.deepEqual(Object.keys(outer), ['in', '__proto__'])
  t.true(outer['in'] instanceof Map)
  t.is(Object.values(outer)[1], outer['in'])
})

test('duplicates on the stack are the same object, also after it became a Map', (t) => {
  const list = readPickle(bytes(']22aa.')) as unknown[]
  t.is(list.length, 2)
  t.is(list[0], list)
  t.is(list[1], list)
  // The upper of two references becomes a Map and is dropped; the lower one is filled further.
  t.deepEqual(
    readPickle(bytes('}2K\x01Ns0U\x01aNs.')),
    new Map<unknown, unknown>([
      [1, null],
      ['a', null],
    ]),
  )
})

test('keys __proto__ and constructor are own properties', (t) => {
  const read = readPickle(bytes('}(U\x09__proto__}U\x01xK\x01sU\x0bconstructorK\x02u.')) as object
  t.deepEqual(Object.keys(read), ['__proto__', 'constructor'])
  t.is(Object.getPrototypeOf(read), Object.prototype)
  t.is(({} as Record<string, unknown>)['x'], undefined)
})

test('cycles through lists, dicts and tuples are kept', (t) => {
  const list = readPickle(bytes(']q\x00h\x00a.')) as unknown[]
  t.is(list[0], list)
  const dict = readPickle(bytes('}q\x00U\x01dh\x00s.')) as Record<string, unknown>
  t.is(dict['d'], dict)
  // As Python writes t = ([],); t[0].append(t)
  const tuple = readPickle(bytes(']q\x00h\x00\x85q\x01a0h\x01.')) as unknown[]
  t.is((tuple[0] as unknown[])[0], tuple)
})

test('values from the memo are the same object, including bytes', (t) => {
  const [a, b, c] = readPickle(bytes('](C\x01aq\x00h\x00}q\x01h\x01e.')) as unknown[]
  t.is(a, b)
  t.deepEqual(c, {})
})

test('bytes are a copy, not a view of the file', (t) => {
  const file = bytes('C\x02ab.')
  const read = readPickle(file) as Uint8Array
  file.fill(0)
  t.deepEqual(read, u8(97, 98))
  t.is(read.buffer.byteLength, 2)
  t.is(Object.getPrototypeOf(read), Uint8Array.prototype)
})

test('similar short strings are not confused by the cache of short strings', (t) => {
  const texts = Array.from({ length: 5_000 }, (_, index) => [
    `k${index}`,
    `k${index}`.padEnd(24, '.'),
    `${index}`.padEnd(25, 'é'),
  ]).flat()
  const pickle = Buffer.concat([
    bytes(']('),
    ...[...texts, ...texts].map((text) =>
      Buffer.concat([bytes('\x8c'), Buffer.of(Buffer.byteLength(text)), Buffer.from(text)]),
    ),
    bytes('e.'),
  ])
  t.deepEqual(readPickle(pickle), [...texts, ...texts])
})
