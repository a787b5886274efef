import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ValueError } from '../../../src/errors.js'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'
import { pythonTest, runPython } from '../../helpers/pickle/python.js'

const bytes = (pickle: string) => Buffer.from(pickle, 'latin1')

function refuses(t: ExecutionContext, pickle: Uint8Array, message: RegExp): void {
  for (const read of [readPickle, readCachePickle]) {
    const error = t.throws(() => read(pickle), { instanceOf: ValueError, message })
    t.regex(error?.message ?? '', /[Nn]othing .*(executed|changed)/)
  }
}

const WITNESS = join(tmpdir(), `daybook-pickle-was-executed-${process.pid}`)
const TOUCH = `touch ${WITNESS}`
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`

/** Pickles that would execute something in Python, and the message that names it. */
const EXECUTING: readonly (readonly [string, string, RegExp])[] = [
  ['GLOBAL and REDUCE', `cos\nsystem\n(S'${TOUCH}'\ntR.`, /it refers to "os\.system", .*\(byte \d+\)/],
  ['GLOBAL alone', 'cposix\nsystem\n.', /"posix\.system"/],
  ['STACK_GLOBAL', `${text('os')}${text('system')}\x93${text(TOUCH)}\x85R.`, /"os\.system"/],
  ['STACK_GLOBAL through the memo', `${text('os')}\x940${text('system')}\x940h\0h\x01\x93.`, /"os\.system"/],
  ['INST', `(S'${TOUCH}'\nios\nsystem\n.`, /an instance of "os\.system" \(INST\)/],
  ['OBJ', `(cos\nsystem\nS'${TOUCH}'\no.`, /"os\.system"/],
  ['OBJ of an allowed name', '(cbuiltins\nset\no.', /OBJ/],
  ['NEWOBJ', 'cos\nsystem\n)\x81.', /"os\.system"/],
  ['NEWOBJ of an allowed name', 'cbuiltins\nset\n)\x81.', /NEWOBJ/],
  ['NEWOBJ_EX of an allowed name', 'cbuiltins\nset\n)}\x92.', /NEWOBJ_EX/],
  ['BUILD', '}}b.', /BUILD/],
  ['BUILD of an allowed name', 'ccollections\nOrderedDict\n)R}b.', /BUILD/],
  ['EXT1', '\x82\x05.', /the extension code 5/],
  ['EXT2', '\x83\x05\x01.', /the extension code 261/],
  ['EXT4', '\x84\x05\x00\x00\x00.', /the extension code 5/],
  ['PERSID', 'Psecret\n.', /"secret" outside the file \(PERSID\)/],
  ['BINPERSID', 'NQ.', /BINPERSID/],
  ['NEXT_BUFFER', '\x97.', /outside the file/],
  ['READONLY_BUFFER', 'N\x98.', /outside the file/],
  ['eval', "cbuiltins\neval\n(S'1'\ntR.", /"builtins\.eval"/],
  ['getattr', 'c__builtin__\ngetattr\n.', /"__builtin__\.getattr"/],
  [
    'a dotted name',
    `${text('collections')}${text('OrderedDict.fromkeys')}\x93.`,
    /"collections\.OrderedDict\.fromkeys"/,
  ],
  ['a dotted module', `${text('builtins.set')}${text('')}\x93.`, /"builtins\.set\."/],
  ['a name of JavaScript', `${text('__proto__')}${text('constructor')}\x93.`, /"__proto__\.constructor"/],
  ['a name that is not text', 'K\x01K\x02\x93.', /not a str/],
  ['other encodings', 'c_codecs\nencode\nVa\nVrot13\n\x86R.', /only a str and latin1 are accepted/],
  ['encode without an encoding', 'c_codecs\nencode\nVa\n\x85R.', /latin1/],
  ['encode of wide text', 'c_codecs\nencode\nV\\u0100\nVlatin1\n\x86R.', /latin1, but with other characters/],
  ['a call of a value', 'K\x01)R.', /not a function/],
  ['a call of a dict', '})R.', /not a function/],
  ['a call without a tuple', 'cbuiltins\nset\nK\x01R.', /without a tuple/],
  ['copyreg', 'ccopy_reg\n_reconstructor\n.', /"copy_reg\._reconstructor"/],
  ['a call that loads a pickle', 'c_pickle\nloads\n.', /"_pickle\.loads"/],
]

for (const [name, pickle, message] of EXECUTING) {
  test(`nothing is executed: ${name}`, (t) => {
    refuses(t, bytes(pickle), message)
    refuses(
      t,
      bytes(`\x80\x04}(${text('entries')}}${text('a')}${pickle.slice(0, -1)}N\x86s${text('stats')}}u.`),
      message,
    )
    t.false(existsSync(WITNESS))
  })
}

pythonTest('Python itself would have executed it', (t) => {
  const printed = runPython(
    'import pickle, sys; pickle.loads(sys.stdin.buffer.read())',
    bytes("cbuiltins\nprint\n(S'executed'\ntR."),
  )
  t.is(printed.trim(), 'executed')
})

/** Pickles that are malformed, or claim more bytes than there are. */
const MALFORMED: readonly (readonly [string, string, RegExp])[] = [
  ['an empty file', '', /empty, truncated or damaged \(byte 0\)/],
  ['no STOP', 'K\x01', /ends without a STOP/],
  ['STOP on an empty stack', '.', /empty stack/],
  ['values left over', 'NN.', /left over/],
  ['a mark left over', '(N.', /left over|empty stack/],
  ['bytes behind the end', 'N.N', /1 bytes follow its end \(byte 2\)/],
  ['an unknown opcode', '\xff.', /the opcode 0xff is not one of pickle's \(byte 0\)/],
  ['a zero byte', '\0', /0x00/],
  ['a text file', 'hello', /byte 0|byte 1/],
  ['a ZIP archive', 'PK\x03\x04', /.*/],
  ['a protocol of the future', '\x80\x06N.', /protocol 6; the newest known is 5/],
  ['POP of nothing', '0.', /empty stack/],
  ['POP_MARK without a mark', 'N1.', /without a mark/],
  ['DUP of nothing', '2.', /empty stack/],
  ['a pop below the mark', 'N(\x85.', /empty stack/],
  ['MEMOIZE of nothing', '\x94.', /empty stack/],
  ['MEMOIZE of a mark', 'N(\x94.', /empty stack/],
  ['GET of nothing', 'h\x05.', /the memo index 5 is not in use/],
  ['GET of a negative index', 'g-1\n.', /"-1" is not a memo index/],
  ['GET of a property name', 'glength\n.', /"length" is not a memo index/],
  ['PUT at 2^32 - 1', 'Nr\xff\xff\xff\xff.', /the memo index 4294967295/],
  ['PUT at 10^10', 'Np9999999999\n.', /the memo index 9999999999/],
  ['PUT at 10^1000', `Np${'9'.repeat(999)}\n.`, /is not a memo index/],
  ['APPEND to a number', 'K\x01K\x02a.', /not a list/],
  ['APPEND to bytes', 'C\x01aK\x02a.', /not a list/],
  ['APPENDS without a list', '(K\x01e.', /empty stack/],
  ['APPENDS without a mark', ']K\x01e.', /without a mark/],
  ['SETITEM of a list', ']NNs.', /not a dict/],
  ['SETITEM of a Date', 'cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x02\x03\x04\x05\0\0\0\x85RNNs.', /not a dict/],
  ['SETITEMS of a class', 'cbuiltins\nset\n(NNu.', /not a dict/],
  ['SETITEMS with a key alone', '}(Nu.', /a key without a value/],
  ['DICT with a key alone', '(Nd.', /a key without a value/],
  ['ADDITEMS to a list', '](N\x90.', /not a set/],
  ['a dict as a key', '}}Ns.', /a dict as a key/],
  ['a dict as an item', '\x8f(}\x90.', /a dict as a key/],
  ['a str that is not UTF-8', 'X\x02\0\0\0\xff\xfe.', /not encoded as Python does \(byte/],
  ['a str that is overlong UTF-8', '\x8c\x02\xc0\x80.', /not encoded/],
  ['a str above U+10FFFF', '\x8c\x04\xf4\x90\x80\x80.', /not encoded/],
  ['a str of five-byte UTF-8', '\x8c\x05\xf8\x88\x80\x80\x80.', /not encoded/],
  ['a str that ends in UTF-8', '\x8c\x02\xe6\x97.', /not encoded/],
  ['half an escape', 'V\\u12\n.', /not encoded/],
  ['an escape above U+10FFFF', 'V\\U00110000\n.', /not encoded/],
  ['a str without quotes', 'Sabc\n.', /quoted/],
  ['a str with one quote', "S'\n.", /quoted/],
  ['a str with two kinds of quotes', 'S\'a"\n.', /quoted/],
  ['a str that ends in a backslash', "S'a\\'\n.", /quoted/],
  ['a str with half an escape', "S'\\x4'\n.", /quoted/],
  ['an invalid int', 'I1_000\n.', /"1_000" is not an int/],
  ['an int in hexadecimal', 'I0x10\n.', /is not an int/],
  ['an empty int', 'I\n.', /is not an int/],
  ['an int of a million digits', `I${'9'.repeat(1e6)}\n.`, /a line of more than 10002 bytes/],
  ['an invalid float', 'F1,5\n.', /is not a float/],
  ['a float of a million digits', `F${'1'.repeat(1e6)}x\n.`, /a line of more than 1000 bytes/],
  ['a long int of 2 GB', '\x8b\xff\xff\xff\x7f.', /an int of 2147483647 bytes; the limit is 16777216/],
  ['a long int of negative length', '\x8b\xff\xff\xff\xff.', /a length of -1/],
  ['an 8-bit str of negative length', 'T\xff\xff\xff\xff.', /a length of -1/],
  ['an 8-bit str of 2 GB', 'T\xff\xff\xff\x7f.', /needs 2147483647 bytes here, but the file has 1 left/],
  ['a str of 4 GB', 'X\xff\xff\xff\xff.', /needs 4294967295 bytes/],
  ['a str of 2^64 bytes', `\x8d${'\xff'.repeat(8)}.`, /needs 18446744073709552000 bytes/],
  ['bytes of 4 GB', 'B\xff\xff\xff\xff.', /needs 4294967295 bytes/],
  ['bytes of 2^63', `\x8e${'\0'.repeat(7)}\x80.`, /needs 9223372036854776000 bytes/],
  ['a bytearray of 2^63', `\x96${'\0'.repeat(7)}\x80.`, /needs 9223372036854776000 bytes/],
  ['a frame of 2^64', `\x95${'\xff'.repeat(8)}N.`, /a frame of 18446744073709552000 bytes with 2 left/],
  ['a module line without an end', 'cos', /a line that does not end/],
  ['a module line of a million bytes', `c${'a'.repeat(1e6)}\nb\n.`, /a line of more than 1000 bytes/],
  [
    'a datetime of three bytes',
    'cdatetime\ndatetime\nC\x03abc\x85R.',
    /arguments that Python does not write for datetime\.datetime/,
  ],
  ['the 31st of February', 'cdatetime\ndatetime\nC\x0a\x07\xe8\x02\x1f\0\0\0\0\0\0\x85R.', /does not exist/],
  ['the year 0', 'cdatetime\ndatetime\nC\x0a\0\0\x01\x01\0\0\0\0\0\0\x85R.', /does not exist/],
  ['the month 0', 'cdatetime\ndatetime\nC\x0a\x07\xe8\0\x01\0\0\0\0\0\0\x85R.', /does not exist/],
  ['25 hours', 'cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x01\x19\0\0\0\0\0\x85R.', /does not exist/],
  ['60 seconds', 'cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x01\0\0\x3c\0\0\0\x85R.', /does not exist/],
  ['a million microseconds', 'cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x01\0\0\0\x0f\x42\x40\x85R.', /does not exist/],
  ['a timezone of a day', 'cdatetime\ntimezone\ncdatetime\ntimedelta\nK\x01\x85R\x85R.', /datetime\.timezone/],
  ['a timezone of text', 'cdatetime\ntimezone\nVx\n\x85R.', /datetime\.timezone/],
  ['a timedelta of text', 'cdatetime\ntimedelta\nVx\n\x85R.', /datetime\.timedelta/],
  [
    'a datetime with a text for its timezone',
    'cdatetime\ndatetime\nC\x0a\x07\xe8\x01\x01\0\0\0\0\0\0Vx\n\x86R.',
    /datetime\.datetime/,
  ],
  ['a set of a number', 'cbuiltins\nset\nK\x01\x85R.', /arguments that Python does not write for set/],
  ['an OrderedDict of a number', 'ccollections\nOrderedDict\nK\x01\x85R.', /for OrderedDict/],
  ['an OrderedDict of triples', 'ccollections\nOrderedDict\n]NNN\x87a\x85R.', /for OrderedDict/],
  ['bytes with arguments', 'cbuiltins\nbytes\nK\x01\x85R.', /for bytes/],
  ['a bytearray of a number', 'cbuiltins\nbytearray\nK\x01\x85R.', /for bytearray/],
  [
    'a class left in a list',
    ']cbuiltins\nset\na.',
    /it contains builtins\.set, which has no JavaScript form \(byte 1\)/,
  ],
  ['a class as a key', '}cbuiltins\nset\nNs.', /builtins\.set, which has no JavaScript form/],
  ['a class in a set', '\x8f(cbuiltins\nset\n\x90.', /builtins\.set/],
  ['a timezone left in a dict', '}Ncdatetime\ntimezone\ncdatetime\ntimedelta\n)R\x85Rs.', /a datetime\.timezone/],
  ['two nans as keys', `}(${'G\x7f\xf8\0\0\0\0\0\0N'.repeat(2)}u.`, /a second nan/],
]

for (const [name, pickle, message] of MALFORMED) {
  test(`refused as a ValueError: ${name}`, (t) => refuses(t, bytes(pickle), message))
}

test('nesting is limited without recursion, however it is built', (t) => {
  const lists = (levels: number) => bytes(`${']'.repeat(levels)}${'a'.repeat(levels - 1)}.`)
  const tuples = (levels: number) => bytes(`)${'\x85'.repeat(levels - 1)}.`)
  const dicts = (levels: number) => bytes(`}${'Vk\n}'.repeat(levels - 1)}${'s'.repeat(levels - 1)}.`)
  // Each list is put into the one before it through the memo, so that no stack grows.
  const outsideIn = (levels: number) =>
    bytes(
      `]p0\n0${indices(levels - 1)
        .map((i) => `]p${i + 1}\n0g${i}\ng${i + 1}\na0`)
        .join('')}g0\n.`,
    )
  // The innermost list is also an item of the outermost, so that a walk can reach it on a short path before the long one.
  const byTwoWays = (levels: number) =>
    bytes(
      `(${']p0\n'}${indices(levels - 2)
        .map((i) => `g${i}\n\x85p${i + 1}\n`)
        .join('')}tp${levels - 1}\n0]g0\nag${levels - 2}\na.`,
    )
  for (const make of [lists, tuples, dicts, outsideIn, byTwoWays]) {
    t.notThrows(() => structuredClone(readPickle(make(1_000))))
    for (const levels of [1_001, 5_000]) {
      t.throws(() => readPickle(make(levels)), { instanceOf: ValueError, message: /deeper than 1000 levels/ })
    }
  }
  t.throws(() => readPickle(lists(300_000)), { instanceOf: ValueError })
  t.throws(() => readPickle(bytes('('.repeat(300_000))), { instanceOf: ValueError, message: /containers are open/ })
})

function indices(length: number): number[] {
  return Array.from({ length }, (_, index) => index)
}

// Without a guard each of these would take minutes, and AVA would end it.
test('a value whose references double sixty times is read in linear time', (t) => {
  const doubling = bytes(
    `]p0\n${indices(60)
      .map((i) => `g${i}\n\x86p${i + 1}\n`)
      .join('')}.`,
  )
  let value = readPickle(doubling)
  for (let i = 0; i < 60; i++) value = (value as unknown[])[0]
  t.deepEqual(value, [])
})

test('a large leaf with many references is visited once', (t) => {
  const leaf = Buffer.concat([
    bytes('](('),
    Buffer.alloc(1_000_000, 'N'),
    bytes('lp0\n'),
    Buffer.from('g0\n'.repeat(500_000)),
    bytes('e.'),
  ])
  t.is((readPickle(leaf) as unknown[]).length, 500_001)
})

test('every copy of bytes and sets from the memo counts against the limits', (t) => {
  const body = 'a'.repeat(100_000)
  const encode = `c_codecs\nencode\np0\nV${body}\np1\nVlatin1\np2\n000](${'g0\ng1\ng2\n\x86R'.repeat(5_000)}e.`
  t.throws(() => readPickle(bytes(encode)), { instanceOf: ValueError, message: /too large for a file of this size/ })
  const sets = `cbuiltins\nset\np0\n0](${'K\x01'.repeat(100_000)}ep1\n0](${'g0\ng1\n\x85R'.repeat(20_000)}e.`
  t.throws(() => readPickle(bytes(sets)), { instanceOf: ValueError, message: /MiB of heap/ })
})

test('ints with the same hash in V8 do not stall a dict', (t) => {
  const alike = (count: number) =>
    Buffer.concat([
      bytes('}('),
      ...indices(count).map((index) => {
        const pair = Buffer.from(`\x8a\x0d\x01${'\0'.repeat(12)}N`, 'latin1')
        pair.writeUInt32LE(index, 10)
        return pair
      }),
      bytes('u.'),
    ])
  t.is((readPickle(alike(1_000)) as Map<unknown, unknown>).size, 1_000)
  t.throws(() => readPickle(alike(50_000)), {
    instanceOf: ValueError,
    message: /differ only above their lowest 64 bits/,
  })
})

/** Pickles with one of everything: one of our writer, and one as Python's protocol 0 would be. */
const SOUND: readonly (readonly [string, Buffer])[] = [
  [
    'a cache',
    Buffer.concat([
      ...writePickle({
        entries: [
          ['a', { text: 'é\ud800', list: [1, -1, 70_000, 2 ** 40, 2n ** 70n, 0.5], none: null }, 1_704_110_410_123],
          [
            'b',
            new Map<unknown, unknown>([
              [1, new Date(5)],
              [null, new Set(['x', 2.5])],
            ]),
            undefined,
          ],
          ['c', [new Uint8Array(300), 'x'.repeat(300), true, false, new Date(6)], undefined],
        ],
        stats: { hits: 1, misses: 2, evictions: 3 },
      }),
    ]),
  ],
  [
    'protocol 0',
    bytes(
      "(dp0\nVentries\np1\n(dp2\nVa\np3\n((lp4\nI1\naI01\naL5L\naF0.5\naS'it'\nag4\naNtp5\nsVb\np6\n(c_codecs\nencode\np7\n(V\xff\nVlatin1\ntRp8\nNtssVstats\np9\n(dVhits\nI1\nss.",
    ),
  ],
]

for (const [name, pickle] of SOUND) {
  test(`a pickle cut off at any byte is refused (${name})`, (t) => {
    t.notThrows(() => readCachePickle(pickle))
    t.notThrows(() => readPickle(pickle))
    for (let length = 0; length < pickle.length; length++) {
      for (const read of [readPickle, readCachePickle]) {
        const error = errorOf(() => read(pickle.subarray(0, length)))
        if (!(error instanceof ValueError && /truncated|empty stack|left over/.test(error.message)))
          t.fail(`${length}: ${error}`)
      }
    }
  })
}

/** Like `t.throws`, but without reading the stack, which takes a millisecond with source maps. */
function errorOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

pythonTest('a pickle written by Python in protocols 0 to 5 is refused when it is cut off at any byte', (t) => {
  const script = `
import sys, json, base64, pickle, datetime, collections
value = {'a': [1, 300, -1, 2**70, 0.5, 'é', b'\\xff', bytearray(b'x'), None, True], 2: (1, (2,), {3}, frozenset([4])),
  'when': datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone.utc), 'od': collections.OrderedDict(a=1)}
value['self'] = value
json.dump([base64.b64encode(pickle.dumps(value, p)).decode() for p in range(pickle.HIGHEST_PROTOCOL + 1)], sys.stdout)
`
  for (const base64 of JSON.parse(runPython(script)) as string[]) {
    const pickle = Buffer.from(base64, 'base64')
    t.notThrows(() => readPickle(pickle))
    for (let length = 0; length < pickle.length; length++) {
      const error = errorOf(() => readPickle(pickle.subarray(0, length)))
      if (!(error instanceof ValueError)) t.fail(`${length}: ${error}`)
    }
  }
})

test('reading does not change the bytes, and reading twice returns two values', (t) => {
  const pickle = pickleValue({ a: [new Uint8Array([1])] })
  const before = Buffer.from(pickle)
  const [one, two] = [readPickle(pickle), readPickle(pickle)]
  t.deepEqual(Buffer.from(pickle), before)
  t.deepEqual(one, two)
  t.not(one, two)
})
