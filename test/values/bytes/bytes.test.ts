import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { ByteReader, MalformedBytesError } from '../../../src/values/bytes/byte-reader.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { TEXT } from '../../../src/values/bytes/text.js'
import { holds } from '../../helpers/property.js'

const readerOf = (writer: ByteWriter) => new ByteReader(writer.bytes, 0, writer.length)
/** Any sequence of UTF-16 code units, lone surrogates among them. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff })), { maxLength: 80 })
  .map((units) => String.fromCharCode(...units))

function roundTrip(text: string): { text: string; kind: number; left: boolean } {
  const writer = new ByteWriter(16)
  const kind = writer.putText(text)
  const reader = readerOf(writer)
  return { text: reader.text(kind), kind, left: reader.at < reader.end }
}

test('any string comes back, whatever its code units', (t) =>
  holds(
    t,
    fc.property(anyText, (text) => {
      const { text: back, left } = roundTrip(text)
      assert.deepEqual({ back, left }, { back: text, left: false })
    }),
    2_000,
  ))

test('each kind of string has its own encoding', (t) => {
  const cases: [string, number][] = [
    ['', TEXT.ascii],
    ['plain', TEXT.ascii],
    ['\u0000\u007f', TEXT.ascii],
    ['x'.repeat(48), TEXT.ascii],
    ['x'.repeat(49), TEXT.ascii],
    ['x'.repeat(100_000), TEXT.ascii],
    ['\u0080', TEXT.utf8],
    ['é'.repeat(30), TEXT.utf8],
    ['👋'.repeat(1_000), TEXT.utf8],
    ['\ud83d', TEXT.utf16],
    ['a\udc4b', TEXT.utf16],
    ['\udc4b\ud83d', TEXT.utf16],
    [`${'x'.repeat(100)}\ud800`, TEXT.utf16],
  ]
  for (const [text, kind] of cases) t.deepEqual(roundTrip(text), { text, kind, left: false })
})

test('varints hold every integer of 32 bits', (t) => {
  for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]) {
    const writer = new ByteWriter(16)
    writer.putVarint(value)
    t.is(readerOf(writer).varint(), value)
    t.true(writer.length <= 5)
  }
})

test('a double comes back bit for bit', (t) => {
  for (const value of [0, -0, 0.1, Number.MIN_VALUE, Number.MAX_VALUE, Infinity, -Infinity, Number.NaN]) {
    const writer = new ByteWriter(16)
    writer.putDouble(value)
    t.is(readerOf(writer).double(), value)
  }
})

test('a writer grows, and frees what one large frame needed', (t) => {
  const writer = new ByteWriter(1_024)
  writer.putBytes(new Uint8Array(1_000_000))
  t.true(writer.bytes.length >= 1_000_000)
  writer.clear()
  t.is(writer.bytes.length, 1_024)
  t.is(writer.length, 0)
})

test('a length past the end is refused before anything is allocated', (t) => {
  const huge = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3])
  const before = process.memoryUsage().rss
  t.throws(() => new ByteReader(huge, 0, huge.length).view(), { instanceOf: MalformedBytesError })
  t.throws(() => new ByteReader(huge, 0, huge.length).text(0), { instanceOf: MalformedBytesError })
  t.true(process.memoryUsage().rss - before < 100 * 1024 * 1024)
})

test('a varint that never ends, an unknown kind of text and an early end are refused', (t) => {
  const endless = Buffer.alloc(10, 0xff)
  t.throws(() => new ByteReader(endless, 0, 10).varint(), { instanceOf: MalformedBytesError })
  t.throws(() => new ByteReader(Buffer.from([1, 65]), 0, 2).text(3), { instanceOf: MalformedBytesError })
  t.throws(() => new ByteReader(Buffer.alloc(7), 0, 7).double(), { instanceOf: MalformedBytesError })
  t.throws(() => new ByteReader(Buffer.alloc(0), 0, 0).byte(), { instanceOf: MalformedBytesError })
})

test('a reader reads or refuses any bytes', (t) =>
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 4 }), (bytes, what) => {
      const reader = new ByteReader(Buffer.from(bytes), 0, bytes.length)
      try {
        if (what === 0) reader.varint()
        else if (what === 1) reader.view()
        else reader.text(what - 2)
      } catch (error) {
        if (!(error instanceof MalformedBytesError)) throw error
      }
      assert.ok(reader.at <= bytes.length, `it read ${reader.at} of ${bytes.length} bytes`)
    }),
    2_000,
  ))
