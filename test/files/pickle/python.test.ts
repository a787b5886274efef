import { isDeepStrictEqual } from 'node:util'
import test from 'ava'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'
import { pythonTest, runPython } from '../../helpers/pickle/python.js'
import { PYTHON_2 } from '../../helpers/pickle/python-2.js'

const u8 = (...items: number[]) => new Uint8Array(items)
const range = (length: number) => Array.from({ length }, (_, index) => index)
const utc = (...parts: [number, number, number, number, number, number, number]) => new Date(Date.UTC(...parts))

const cyclicList: unknown[] = [1]
cyclicList.push(cyclicList)
const cyclicDict: Record<string, unknown> = {}
cyclicDict['self'] = cyclicDict
const cyclicMap = new Map<number, unknown>()
cyclicMap.set(1, cyclicMap)
const cyclicTuple: unknown[][] = [[]]
cyclicTuple[0]!.push(cyclicTuple)
const shared = [1, 2]

/** A Python expression, and the value that must be read from its pickle in any protocol. */
const WRITTEN_BY_PYTHON: readonly (readonly [string, unknown])[] = [
  ['None', null],
  ['[True, False]', [true, false]],
  [
    '[0, 1, -1, 255, 256, 65535, 65536, 2**31 - 1, -2**31, 2**31, 2**53 - 1]',
    [0, 1, -1, 255, 256, 65_535, 65_536, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53 - 1],
  ],
  [
    '[2**53, -2**53, 2**63, -2**63, 2**64, 10**400, -10**400, 2**2048]',
    [2n ** 53n, -(2n ** 53n), 2n ** 63n, -(2n ** 63n), 2n ** 64n, 10n ** 400n, -(10n ** 400n), 2n ** 2048n],
  ],
  ['[0.5, -0.0, 1e300, float("inf"), float("-inf"), 5e-324, 0.1]', [0.5, -0, 1e300, Infinity, -Infinity, 5e-324, 0.1]],
  ['float("nan")', Number.NaN],
  [
    '["", "a", "é", "日本", "😀", "a\\\\b\\n\\r\\t\\0\\x1a\'\\"\\\\u0041", "x" * 300, "é" * 200, "x" * 70000]',
    ['', 'a', 'é', '日本', '😀', 'a\\b\n\r\t\0\x1a\'"\\u0041', 'x'.repeat(300), 'é'.repeat(200), 'x'.repeat(70_000)],
  ],
  ['["\\ud800", "x\\udfff日"]', ['\ud800', 'x\udfff日']],
  [
    '[b"", b"abc", b"\\x80\\xff\\0\\n", b"\\xff" * 70000]',
    [u8(), u8(97, 98, 99), u8(128, 255, 0, 10), new Uint8Array(70_000).fill(255)],
  ],
  ['[bytearray(), bytearray(b"\\0\\xff")]', [u8(), u8(0, 255)]],
  ['[1, [2, [3, []]]]', [1, [2, [3, []]]]],
  ['[(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)]', [[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]],
  ['{"a": 1, "b": {"c": []}}', { a: 1, b: { c: [] } }],
  [
    '{1: "a", 2: {3: 4}, None: 2.5}',
    new Map<unknown, unknown>([
      [1, 'a'],
      [2, new Map([[3, 4]])],
      [null, 2.5],
    ]),
  ],
  [
    '{"a": 1, 2: "b"}',
    new Map<unknown, unknown>([
      ['a', 1],
      [2, 'b'],
    ]),
  ],
  [
    '{(1, "a"): 2, frozenset([1]): 3, b"k": 4}',
    new Map<unknown, unknown>([
      [[1, 'a'], 2],
      [new Set([1]), 3],
      [u8(107), 4],
    ]),
  ],
  ['OrderedDict([("z", 1), ("a", 2)])', { z: 1, a: 2 }],
  ['[set(), {1, 2}, frozenset([3])]', [new Set(), new Set([1, 2]), new Set([3])]],
  ['list(range(1100))', range(1_100)],
  ['tuple(range(1100))', range(1_100)],
  ['{"k%d" % i: i for i in range(1100)}', Object.fromEntries(range(1_100).map((index) => [`k${index}`, index]))],
  ['set(range(1100))', new Set(range(1_100))],
  ['cyclic_list()', cyclicList],
  ['cyclic_dict("self")', cyclicDict],
  ['cyclic_dict(1)', cyclicMap],
  ['cyclic_tuple()', cyclicTuple],
  ['nested(150)', range(150).reduce<unknown>((inner) => [inner], [])],
  ['(lambda shared: [shared, shared, {"k": shared}])([1, 2])', [shared, shared, { k: shared }]],
  ['datetime(2024, 1, 2, 3, 4, 5, 678901)', utc(2024, 0, 2, 3, 4, 5, 678)],
  ['datetime(2024, 1, 2, 3, 4, 5, fold=1)', utc(2024, 0, 2, 3, 4, 5, 0)],
  ['datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)', utc(2024, 0, 2, 3, 4, 5, 678)],
  ['datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=-5, minutes=-30)))', utc(2024, 0, 2, 8, 34, 5, 0)],
  ['datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2), "CEST"))', utc(2024, 0, 2, 1, 4, 5, 0)],
  ['[datetime.min, datetime.max]', [new Date('0001-01-01T00:00:00.000Z'), new Date('9999-12-31T23:59:59.999Z')]],
]

/** Prints the pickles of each expression in every protocol, by both of Python's picklers, and optimized. */
const PICKLE_ALL = `
import sys, json, base64, pickle, pickletools
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
def cyclic_list():
    l = [1]; l.append(l); return l
def cyclic_dict(key):
    d = {}; d[key] = d; return d
def cyclic_tuple():
    t = ([],); t[0].append(t); return t
def nested(levels):
    n = []
    for _ in range(levels): n = [n]
    return n
out = []
for source in json.load(sys.stdin):
    value = eval(source)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        plain = pickle.dumps(value, protocol)
        for data in plain, pickle._dumps(value, protocol=protocol), pickletools.optimize(plain):
            out.append([source, protocol, base64.b64encode(data).decode()])
json.dump(out, sys.stdout)
`

pythonTest('reads every kind of value that Python writes, in protocols 0 to 5, framed, memoized and optimized', (t) => {
  const sources = WRITTEN_BY_PYTHON.map(([source]) => source)
  const pickles = JSON.parse(runPython(PICKLE_ALL, JSON.stringify(sources))) as [string, number, string][]
  t.true(pickles.length >= sources.length * 5 * 3)
  const expected = new Map(WRITTEN_BY_PYTHON)
  for (const [source, protocol, base64] of pickles) {
    const read = readPickle(Buffer.from(base64, 'base64'))
    if (!isDeepStrictEqual(read, expected.get(source))) t.deepEqual(read, expected.get(source), `${source} ${protocol}`)
    t.notThrows(() => structuredClone(read), source)
    const again = readPickle(pickleValue(read))
    if (!isDeepStrictEqual(again, read)) t.deepEqual(again, read, `${source} ${protocol}, written again`)
  }
})

pythonTest('shared references that Python wrote are shared', (t) => {
  const source = WRITTEN_BY_PYTHON.find(([text]) => text.includes('shared'))![0]
  for (const [, , base64] of JSON.parse(runPython(PICKLE_ALL, JSON.stringify([source]))) as [
    string,
    number,
    string,
  ][]) {
    const [one, two, { k }] = readPickle(Buffer.from(base64, 'base64')) as [unknown, unknown, { k: unknown }]
    t.true(one === two && two === k)
  }
})

pythonTest('a value without a JavaScript form is refused with its Python name, in protocols 0 to 5', (t) => {
  const prelude = `
import decimal, uuid, fractions, pathlib, enum
from collections import defaultdict, deque, namedtuple, Counter
class Thing: pass
`
  const kinds: [string, RegExp][] = [
    ['3+4j', /complex number/],
    ['timedelta(1)', /datetime\.timedelta, which has no JavaScript form/],
    ['timezone.utc', /datetime\.timezone, which has no JavaScript form/],
    ['[datetime, 1]', /datetime\.datetime, which has no JavaScript form/],
    ['{"a": set}', /set, which has no JavaScript form/],
    ['datetime(2024, 1, 1).date()', /"datetime\.date"/],
    ['datetime(2024, 1, 1).time()', /"datetime\.time"/],
    ['Thing()', /"(copy_?reg\._reconstructor|__main__\.Thing)"/],
    ['Thing', /"__main__\.Thing"/],
    ['len', /"(builtins|__builtin__)\.len"/],
    ['Ellipsis', /"(builtins|__builtin__)\.(Ellipsis|getattr)"/],
    ['range(3)', /"(builtins|__builtin__)\.x?range"/],
    ['decimal.Decimal(1)', /"decimal\.Decimal"/],
    ['uuid.UUID(int=1)', /"(uuid\.UUID|copy_?reg\._reconstructor)"/],
    ['fractions.Fraction(1, 2)', /"fractions\.Fraction"/],
    ['pathlib.PurePosixPath("a")', /"pathlib(\._local)?\.PurePosixPath"/],
    ['defaultdict(list)', /"collections\.defaultdict"/],
    ['deque([1])', /"collections\.deque"/],
    ['Counter("a")', /"collections\.Counter"/],
    ['{float("nan"): 1, float("nan"): 2}', /second nan/],
  ]
  const script = PICKLE_ALL.replace('out = []', `${prelude}\nout = []`)
  const pickles = JSON.parse(runPython(script, JSON.stringify(kinds.map(([source]) => source)))) as [
    string,
    number,
    string,
  ][]
  const words = new Map(kinds)
  for (const [source, protocol, base64] of pickles) {
    const message = words.get(source)!
    t.throws(() => readPickle(Buffer.from(base64, 'base64')), { name: 'ValueError', message }, `${source} ${protocol}`)
  }
})

pythonTest('reads what the original class would save: a dict or an OrderedDict, in the order of use', (t) => {
  const script = `
import sys, json, base64, pickle
from collections import OrderedDict
class DistributedCache:
    def __init__(self, entries, pair):
        self._entries = OrderedDict((k, pair(v, e)) for k, v, e in entries)
        self._stats = {'hits': 1, 'misses': 2, 'evictions': 3}
    def save(self, protocol, kind, first):
        parts = [('entries', kind(self._entries)), ('stats', self._stats), ('version', 1)]
        return pickle.dumps(dict(parts[first:] + parts[:first]), protocol)
rows = [('7', 1, None), ('user:é', {'entries': {'2': 2, '1': 1}}, 1704110410.123), ('entries', {}, 1704110410), ('1', [1], None)]
out = []
for pair in (lambda v, e: (v, e)), (lambda v, e: [v, e]), (lambda v, e: {'value': v, 'expires_at': e}):
    for count in 1, 2, 4:
        cache = DistributedCache(rows[4 - count:] if count < 4 else rows, pair)
        for kind in dict, OrderedDict:
            for first in 0, 1, 2:
                for protocol in range(6 if sys.version_info >= (3, 8) else 5):
                    out.append([count, base64.b64encode(cache.save(protocol, kind, first)).decode()])
json.dump(out, sys.stdout)
`
  const rows = [
    ['7', 1, undefined],
    ['user:é', { entries: { 1: 1, 2: 2 } }, 1_704_110_410_123],
    ['entries', {}, 1_704_110_410_000],
    ['1', [1], undefined],
  ]
  for (const [count, base64] of JSON.parse(runPython(script)) as [number, string][]) {
    const read = readCachePickle(Buffer.from(base64, 'base64'))
    t.deepEqual([...read.entries], rows.slice(4 - count) as never)
    t.is(read.entryCount, count)
    t.deepEqual(read.stats, { hits: 1, misses: 2, evictions: 3 })
  }
})

pythonTest('Python finds in a saved cache what a Python programmer expects', (t) => {
  const entries: [string, unknown, number | undefined][] = [
    ['7', 42, undefined],
    ['user:1', { name: 'Ada', tags: ['x', 'y'], big: 2n ** 100n, ratio: 0.5 }, 1_704_110_410_123],
    ['1', new Map([[1, 'one']]), 1_704_110_410_000],
    ['when', new Date(1_704_110_400_500), undefined],
    ['lone \ud800', new Set(['a', new Uint8Array([1])]), 0.5],
    ...range(2_500).map((index): [string, unknown, undefined] => [`k${index}`, [index, 'x'.repeat(index)], undefined]),
  ]
  const saved = Buffer.concat([...writePickle({ entries, stats: { hits: 1, misses: 2, evictions: 3 } })])
  const printed = runPython(
    `
import sys, io, pickle, pickletools
from datetime import datetime, timezone
data = sys.stdin.buffer.read()
for load in pickle.loads, pickle._loads:
    d = load(data)
    assert list(d) == ['entries', 'stats'] and d['stats'] == {'hits': 1, 'misses': 2, 'evictions': 3}
    e = d['entries']
    assert type(e) is dict and all(type(v) is tuple and len(v) == 2 for v in e.values())
    assert list(e)[:5] == ['7', 'user:1', '1', 'when', 'lone \\ud800']
    assert e['7'] == (42, None)
    assert e['user:1'] == ({'name': 'Ada', 'tags': ['x', 'y'], 'big': 2**100, 'ratio': 0.5}, 1704110410.123)
    assert e['1'] == ({1: 'one'}, 1704110410.0) and type(e['1'][1]) is float
    assert e['when'][0] == datetime(2024, 1, 1, 12, 0, 0, 500000, timezone.utc) and e['when'][0].tzinfo is timezone.utc
    assert e['lone \\ud800'] == ({'a', b'\\x01'}, 0.0005)
    assert all(e['k%d' % i] == ([i, 'x' * i], None) for i in range(2500)) and len(e) == 2505
pickletools.dis(data, out=io.StringIO())
print('ok')
`,
    saved,
  )
  t.is(printed.trim(), 'ok')
})

for (const [label, base64] of PYTHON_2) {
  test(`reads what Python 2.7 wrote (${label})`, (t) => {
    t.deepEqual(readPickle(Buffer.from(base64, 'base64')), {
      str: 'abc',
      raw: u8(255, 0),
      text: 'é日😀',
      long: 5,
      big: 2n ** 70n,
      float: 0.1,
      flags: [true, false, null],
      set: new Set([1]),
      frozen: new Set(['a']),
      dict: new Map([[1, [2, 3]]]),
      od: { z: 1 },
      when: utc(2024, 0, 2, 3, 4, 5, 678),
      array: u8(1, 255),
    })
  })
}
