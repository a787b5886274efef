import test from 'ava'
import { readCachePickle, readPickle } from '../../../src/files/pickle/read-pickle.js'
import { pickleValue, writePickle } from '../../../src/files/pickle/write-pickle.js'

/** The worked example of src/files/pickle/README.md, byte by byte. */
const DOCUMENT = `
  80 04
  95 53 00 00 00 00 00 00 00
  7d
  28
  8c 07 65 6e 74 72 69 65 73
  7d
  28
  8c 01 61
  5d
  94
  28
  4b 01
  88
  65
  47 41 d9 64 aa 52 a0 00 00
  86
  8c 01 62
  4e
  4e
  86
  75
  8c 05 73 74 61 74 73
  7d
  28
  8c 04 68 69 74 73
  4b 01
  8c 06 6d 69 73 73 65 73
  4b 02
  8c 09 65 76 69 63 74 69 6f 6e 73
  4b 03
  75
  75
  2e`

test('the worked example of the README is written byte for byte, and read back', (t) => {
  const entries: [string, unknown, number | undefined][] = [
    ['a', [1, true], 1_704_110_410_500],
    ['b', null, undefined],
  ]
  const stats = { hits: 1, misses: 2, evictions: 3 }
  const written = Buffer.concat([...writePickle({ entries, stats })])
  t.is(written.toString('hex'), DOCUMENT.replaceAll(/\s/g, ''))
  const read = readCachePickle(written)
  t.deepEqual([...read.entries], entries)
  t.deepEqual(read.stats, stats)
  t.is(read.entryCount, 2)
})

/** A value, and its bytes between the frame header and STOP, as Python's own pickler writes them. */
const VALUES: readonly (readonly [unknown, string])[] = [
  [null, '4e'],
  [true, '88'],
  [false, '89'],
  [0, '4b00'],
  [255, '4bff'],
  [256, '4d0001'],
  [65_535, '4dffff'],
  [65_536, '4a00000100'],
  [-1, '4affffffff'],
  [2 ** 31 - 1, '4affffff7f'],
  [-(2 ** 31), '4a00000080'],
  [2 ** 31, '8a050000008000'],
  [-(2 ** 31) - 1, '8a05ffffff7fff'],
  [2 ** 39 - 1, '8a05ffffffff7f'],
  [2 ** 39, '8a06000000008000'],
  [-(2 ** 39) - 1, '8a06ffffffff7fff'],
  [2 ** 47, '8a0700000000008000'],
  [Number.MAX_SAFE_INTEGER, '8a07ffffffffffff1f'],
  [Number.MIN_SAFE_INTEGER, '8a07010000000000e0'],
  [2n ** 53n, '8a0700000000000020'],
  [2n ** 63n, '8a09000000000000008000'],
  [-(2n ** 63n), '8a080000000000000080'],
  [-(2n ** 63n) - 1n, '8a09ffffffffffffff7fff'],
  [2n ** 2040n, `8b00010000${'00'.repeat(255)}01`],
  [0.5, '473fe0000000000000'],
  [-0, '478000000000000000'],
  [2 ** 53, '474340000000000000'],
  [Number.NaN, '477ff8000000000000'],
  [-Infinity, '47fff0000000000000'],
  ['', '8c00'],
  ['é', '8c02c3a9'],
  ['\ud83d\ude00', '8c04f09f9880'],
  ['\ud800', '8c03eda080'],
  ['\udc00\ud800', '8c06edb080eda080'],
  ['x'.repeat(256), `5800010000${'78'.repeat(256)}`],
  [new Uint8Array([0, 255]), '430200ff94'],
  [new Uint8Array(256), `4200010000${'00'.repeat(256)}94`],
  [[], '5d94'],
  [[7], '5d944b0761'],
  [{}, '7d94'],
  [{ a: 1 }, '7d948c01614b0173'],
  [new Set([1]), '8f94284b0190'],
]

for (const [value, bytes] of VALUES) {
  test(`the bytes of ${typeof value} ${bytes.slice(0, 24)}`, (t) => {
    const written = Buffer.from(pickleValue(value)).toString('hex')
    t.is(written.slice(0, 6), '800495')
    t.is(written.slice(22), `${bytes}2e`)
    t.deepEqual(readPickle(pickleValue(value)), value)
  })
}

test('a Date is a datetime in UTC; class and timezone are written once', (t) => {
  const written = Buffer.from(pickleValue([new Date(0), new Date(1)])).toString('latin1')
  t.is(
    written.slice(11),
    ']\x94(' +
      '\x8c\x08datetime\x8c\x08datetime\x93\x94C\x0a\x07\xb2\x01\x01\0\0\0\0\0\0' +
      '\x8c\x08datetime\x8c\x08timezone\x93\x8c\x08datetime\x8c\x09timedelta\x93K\0K\0K\0\x87R\x85R\x94' +
      '\x86R\x94' +
      'h\x01C\x0a\x07\xb2\x01\x01\0\0\0\0\x03\xe8h\x02\x86R\x94e.',
  )
  t.deepEqual(readPickle(pickleValue([new Date(0), new Date(1)])), [new Date(0), new Date(1)])
})
