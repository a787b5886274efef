/** The extension of an event: what it costs, and which bytes are refused. That it comes back is a case of `events.test.ts` and of the suites. */
import test from 'ava'
import fc from 'fast-check'
import type { CacheEvent } from '../../../src/core/model/event.js'
import { extensionOf } from '../../../src/core/model/extension.js'
import { decodeEvent } from '../../../src/durable/format/decode-event.js'
import { encodeEvent } from '../../../src/durable/format/encode-event.js'
import { NewerFormatError } from '../../../src/durable/format/newer-format.js'
import { ByteReader, MalformedBytesError } from '../../../src/values/bytes/byte-reader.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { holds } from '../../helpers/property.js'

const NEVER = Number.POSITIVE_INFINITY

function bytesOf(event: CacheEvent): Buffer {
  const writer = new ByteWriter(16)
  encodeEvent(writer, event)
  return Buffer.from(writer.bytes.subarray(0, writer.length))
}

function decode(...bytes: number[]): CacheEvent {
  const reader = new ByteReader(Buffer.from(bytes), 0, bytes.length)
  const event = decodeEvent(reader)
  reader.expectEnd()
  return event
}

/** A `set` of the empty key to null, with an extension of these bytes. */
const setWith = (...extension: number[]) => decode(0x81, 0, 0, extension.length, ...extension)
const rescheduledWith = (...extension: number[]) => decode(0x85, 0, extension.length, ...extension)

const FRESH = [1, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f] // until 1 ms

test('an event without an extension has no byte for it', (t) => {
  t.is(bytesOf({ type: 'set', key: '', value: null, expiresAtMs: NEVER }).length, 3)
  t.is(bytesOf({ type: 'rescheduled', key: '', expiresAtMs: NEVER }).length, 2)
})

test('tags and ends of the fresh time come back, whatever they are', async (t) => {
  const time = fc.oneof(fc.constant(NEVER), fc.double({ noNaN: true, noDefaultInfinity: true }))
  const tags = fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 20 })
  await holds(
    t,
    fc.property(time, time, tags, (expiresAtMs, freshUntilMs, given) => {
      const extension = extensionOf(freshUntilMs, given)
      const plain = { type: 'set' as const, key: 'k', value: 1, expiresAtMs }
      const event: CacheEvent = extension === undefined ? plain : { ...plain, extension }
      t.deepEqual(decode(...bytesOf(event)), event)
    }),
    200,
  )
})

test('the parts are read in either order', (t) => {
  const expected = { freshUntilMs: 1, tags: ['a'] }
  t.like(setWith(...FRESH, 2, 3, 0, 1, 97), { extension: expected })
  t.like(setWith(2, 3, 0, 1, 97, ...FRESH), { extension: expected })
  t.like(rescheduledWith(...FRESH), { freshUntilMs: 1 })
})

for (const [what, attempt] of [
  ['a part of another kind', () => setWith(3, 0)],
  ['a part of another kind, of whatever length', () => setWith(9, 200, 1)],
  ['tags of a rescheduled event', () => rescheduledWith(2, 3, 0, 1, 97)],
] as const) {
  test(`${what}: only a newer daybook writes it`, (t) => {
    t.throws(attempt, { instanceOf: NewerFormatError })
  })
}

for (const [what, attempt] of [
  ['an extension that ends beyond the payload', () => decode(0x81, 0, 0, 5, 1, 8)],
  ['a part that ends beyond its extension', () => setWith(1, 9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)],
  ['a part that is longer than its content', () => decode(0x81, 0, 0, 11, 1, 9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0)],
  ['a part that is shorter than its content', () => setWith(1, 7, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f)],
  ['a time that is NaN', () => setWith(1, 8, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f)],
  ['a time at infinity', () => setWith(1, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)],
  ['a tag twice', () => setWith(2, 6, 0, 1, 97, 0, 1, 97)],
  ['a tag of an unknown kind of text', () => setWith(2, 3, 7, 1, 97)],
  ['a tag longer than its part', () => setWith(2, 3, 0, 2, 97)],
  ['a kind without a length', () => setWith(1)],
] as const) {
  test(`${what}: malformed`, (t) => {
    t.throws(attempt, { instanceOf: MalformedBytesError })
  })
}

test('every change of a byte is decoded to an event, malformed, or newer', (t) => {
  const bytes = bytesOf({
    type: 'set',
    key: 'k',
    value: 1,
    expiresAtMs: 5,
    extension: { freshUntilMs: 4, tags: ['a', 'é', '\ud800'] },
  })
  for (let at = 0; at < bytes.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = [...bytes]
      changed[at] = byte
      try {
        decode(...changed)
      } catch (error) {
        if (!(error instanceof MalformedBytesError || error instanceof NewerFormatError)) throw error
      }
    }
  }
  t.pass()
})
