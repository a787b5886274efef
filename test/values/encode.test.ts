/** Values between callers and the cache, without a cache. What comes back exactly: values.test.ts. */
import { serialize } from 'node:v8'
import test from 'ava'
import { type EncodedPlain, EncodedValue } from '../../src/core/model/stored-value.js'
import { ValueError } from '../../src/errors.js'
import { adoptEncoded, restoreOnce, restoreValue, storeValue } from '../../src/values/encode.js'

const encoded = (value: unknown) => storeValue(value, 'copy') as EncodedValue

test('primitives are stored as they are', (t) => {
  for (const value of [null, true, 0, -0, Number.NaN, 'text', 10n]) t.is(storeValue(value, 'copy'), value)
})

test('bytes and Buffers are stored as bytes, other objects that are not plain data structured', (t) => {
  t.is(encoded(Uint8Array.of(1)).encoding, 'bytes')
  t.is(encoded(Buffer.of(1)).encoding, 'buffer')
  class Own extends Uint8Array {}
  for (const value of [new Map(), [new Set()], Float64Array.of(1), Own.of(1)])
    t.is(encoded(value).encoding, 'structured')
})

test('stored bytes are a copy, and so is every restored value', (t) => {
  const original = Uint8Array.of(1, 2)
  const stored = storeValue(original, 'copy')
  original.fill(9)
  const first = restoreValue(stored, 'copy') as Uint8Array
  first.fill(7)
  t.deepEqual(restoreValue(stored, 'copy'), Uint8Array.of(1, 2))
})

test('plain data stays in bytes until it is read twice; whoever reads it once for all changes nothing', (t) => {
  const value = { list: [{ n: 1 }] }
  const stored = storeValue(value, 'copy') as EncodedPlain
  const { bytes } = stored
  t.is(typeof bytes, 'string')
  const held = () => [stored.bytes, typeof stored.copy === 'object' && stored.copy !== null]
  const read = (how: () => unknown) => t.deepEqual(how(), value)
  read(() => restoreOnce(stored))
  read(() => restoreValue(stored, 'copy'))
  read(() => restoreOnce(stored))
  t.deepEqual(held(), [bytes, false])
  read(() => restoreValue(stored, 'copy'))
  t.deepEqual(held(), [undefined, true])
  read(() => restoreValue(stored, 'copy'))
  read(() => restoreOnce(stored))
})

test("with 'share' the object that was set is restored, or else the first one that was decoded", (t) => {
  const object = { n: 1 }
  t.is(restoreValue(storeValue(object, 'share'), 'share'), object)
  const recovered = new EncodedValue('structured', serialize(object))
  const first = restoreValue(recovered, 'share')
  t.deepEqual(first, object)
  t.is(restoreValue(recovered, 'share'), first)
})

test('an array over shared memory is a ValueError, since another thread could change it', (t) => {
  for (const value of [new Uint8Array(new SharedArrayBuffer(8)), [new Float64Array(new SharedArrayBuffer(8))]])
    t.throws(() => storeValue(value, 'copy'), { instanceOf: ValueError })
})

for (const [what, value, message] of [
  ['undefined', undefined, /undefined/],
  ['a function', () => 1, /function/],
  ['a symbol', Symbol('s'), /symbol/i],
  ['an object with a function', { f: () => 1 }, /its part \['f'\] is a function, which cannot be cloned/],
  [
    'a getter that throws something that is not an error',
    {
      get x(): never {
        throw 'a string'
      },
    },
    /'a string'/,
  ],
] as const) {
  test(`${what} is a ValueError that says so`, (t) => {
    t.throws(() => storeValue(value, 'copy'), { instanceOf: ValueError, message })
  })
}

test('bytes encoded elsewhere are adopted only if they are a value that could have been stored', (t) => {
  t.deepEqual(restoreValue(adoptEncoded('structured', serialize({ a: [1, 2] })), 'copy'), { a: [1, 2] })
  t.is(adoptEncoded('structured', serialize('a')), 'a')
  t.throws(() => adoptEncoded('structured', Uint8Array.of(1, 2, 3)), { instanceOf: ValueError })
  t.throws(() => adoptEncoded('structured', serialize(undefined)), { instanceOf: ValueError, message: /undefined/ })
})
