/** Plain data in bytes: what docs/format.md shows, what is refused, and that everything that was encoded is decoded. */
import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { EncodedPlain, PlainBytes } from '../../../src/core/model/stored-value.js'
import { encodeSet } from '../../../src/durable/format/encode-event.js'
import { MalformedBytesError } from '../../../src/values/bytes/byte-reader.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { storeValue } from '../../../src/values/encode.js'
import { decodePlain } from '../../../src/values/plain/decode.js'
import { plainBytesOf, plainSize } from '../../../src/values/plain/encode.js'
import { copyOut } from '../../../src/values/plain/plain-data.js'

const heldOf = (value: object) => (storeValue(value, 'copy') as EncodedPlain).bytes as PlainBytes
const bytesOf = (value: object) => Buffer.from(heldOf(value) as string, 'latin1')
const decode = (...bytes: number[]) => decodePlain(Buffer.from(bytes).toString('latin1'))

test('docs/format.md shows the bytes of its example', async (t) => {
  const shown = /^0d 23 [\s\S]*?(?=\n```)/m.exec(await readFile('docs/format.md', 'utf8'))?.[0] ?? ''
  const writer = new ByteWriter(64)
  const value = storeValue([{ id: 1, name: 'Ada' }, { id: 2, name: undefined }, new Date(0)], 'copy')
  encodeSet(writer, '', value, Number.POSITIVE_INFINITY)
  // After the head of the event and its empty key.
  t.is(writer.bytes.subarray(2, writer.length).toString('hex'), shown.replaceAll(/\s/g, ''))
})

test('keys are written once in a value, however many objects have them', (t) => {
  const rows = (count: number) => Array.from({ length: count }, () => ({ identifier: 1, description: 2 }))
  t.is(bytesOf(rows(11)).length - bytesOf(rows(10)).length, 6)
})

test('an object with many keys, and one with a long key, is a dictionary; so shapes do not pile up', (t) => {
  const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]))
  t.is(bytesOf(keys(64))[0], 19)
  t.is(bytesOf(keys(65))[0], 21)
  t.is(bytesOf({ ['k'.repeat(100)]: 1 })[0], 19)
  t.is(bytesOf({ ['k'.repeat(101)]: 1 })[0], 21)
  for (const value of [keys(65), { ['k'.repeat(101)]: 1, b: { c: 2 } }])
    t.deepEqual(copyOut(decodePlain(heldOf(value))), value)
})

test('more shapes than are remembered', (t) => {
  for (let n = 0; n < 11_000; n++) {
    const value = { [`first${n}`]: n, [`second${n}`]: { third: n } }
    const held = heldOf(value)
    if (n % 500 < 2) t.deepEqual(copyOut(decodePlain(held)), value)
  }
})

test('after its first use it is encoded as it was at first, with that size', (t) => {
  const value = [{ a: 1, b: [{ a: 2, b: [] }, 'é'], c: {} }, { a: 1, b: new Date(5) }, [1, [2, null]]]
  const held = heldOf(value)
  const data = decodePlain(held)
  t.is(plainBytesOf(data), held)
  t.is(plainSize(data), held.length)
})

test('objects with the same keys, one inside the other, of which different ones hold objects', (t) => {
  const values = [
    { a: { a: 1, b: {} }, b: 1 },
    { a: { a: { a: [], b: 1 }, b: {} }, b: new Date(5) },
    { a: 1, b: { a: { a: 1, b: 2 }, b: 1 } },
    { a: 1, b: 2 },
  ]
  for (const value of [...values, ...values, ...values.reverse(), ...values]) {
    const held = heldOf(value)
    t.deepEqual(copyOut(decodePlain(held)), value)
    t.is(plainBytesOf(decodePlain(held)), held)
  }
})

test('what callers get shares no part with what is kept', (t) => {
  const value = () => ({ a: { a: 1, b: {} }, b: [[1], { c: [2] }], ['k'.repeat(101)]: { d: {} }, e: new Date(5) })
  const data = decodePlain(heldOf(value()))
  const spoil = (part: object): void => {
    for (const [key, member] of Object.entries(part)) {
      if (typeof member === 'object') spoil(member as object)
      Object.assign(part, { [key]: 'spoilt' })
    }
    if (part instanceof Date) part.setTime(0)
  }
  spoil(copyOut(data))
  t.deepEqual(copyOut(data), value())
})

test('many bytes are held outside of the heap', (t) => {
  t.is(typeof heldOf({ text: 'é'.repeat(1_000) }), 'string')
  const large = heldOf({ text: 'é'.repeat(10_000) })
  t.true(large instanceof Uint8Array)
  t.deepEqual(copyOut(decodePlain(large)), { text: 'é'.repeat(10_000) })
})

for (const [what, bytes] of [
  ['nothing', []],
  ['a primitive', [0]],
  ['undefined', [16]],
  ['an unknown part', [18, 1, 99]],
  ['bytes after the part', [18, 0, 0]],
  ['fewer items than there should be', [18, 2, 0]],
  ['four billion items', [18, 255, 255, 255, 255, 15]],
  ['a shape that is not defined', [20, 0]],
  ['a shape that is defined later', [18, 2, 20, 0, 19, 0]],
  ['a shape longer than the bytes', [19, 50, 0, 1, 97]],
  ['a key longer than its shape', [19, 3, 0, 9, 97, 0]],
  ['a key of an unknown kind', [19, 3, 7, 1, 97, 0]],
  ['half a Date', [17, 0, 0]],
  ['300 levels', [...Array.from({ length: 300 }, () => [18, 1]).flat(), 0]],
] as const) {
  test(`${what}: malformed`, (t) => {
    t.throws(() => decode(...bytes), { instanceOf: MalformedBytesError })
  })
}

test('every change of a byte is decoded to something, or malformed', (t) => {
  const value = [
    { a: 1, b: 'text', c: [1n, 1.5] },
    { a: null, b: undefined, c: [new Date(5)] },
    { __proto__: null, d: 'é\ud800' },
  ]
  const bytes = bytesOf(value)
  for (let at = 0; at < bytes.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = Buffer.from(bytes)
      changed[at] = byte
      try {
        copyOut(decodePlain(changed.toString('latin1')))
      } catch (error) {
        if (!(error instanceof MalformedBytesError)) throw error
      }
    }
  }
  t.pass()
})
