import test from 'ava'
import {
  decodeFrame,
  encodeFrame,
  FRAME_BYTES_MAX,
  FrameReader,
  jsonFrame,
} from '../../../../src/edges/processes/line/frames.js'

const MESSAGES: unknown[] = [
  [0, [1, 5, 'short', -1.5e-300, null, true, '\ud800 \u2028']],
  [[[[[[]]]]]],
  [Number.NaN, Number.POSITIVE_INFINITY],
  [{ object: 1 }],
  Array.from({ length: 30 }, (_, at) => at),
  ['x'.repeat(300)],

  [[0, 1, true]],
  ['text', 'gr\u00fc\u00dfe', '\ud83d\udc4b'],
  [1, -0, 1.5, 2n ** 70n, undefined, null],
  [new Uint8Array([1, 2, 3])],
]

test('messages arrive whole and in order, however their bytes are cut', (t) => {
  const bytes = Buffer.concat([...MESSAGES.map(encodeFrame), Buffer.alloc(4), jsonFrame({ a: 1 })])
  for (const size of [1, 2, 3, 7, 64, bytes.length]) {
    const reader = new FrameReader(() => FRAME_BYTES_MAX)
    const got: unknown[] = []
    for (let at = 0; at < bytes.length; at += size)
      reader.read(bytes.subarray(at, at + size), (frame) => got.push(frame.length === 0 ? 'alive' : decodeFrame(frame)))
    t.deepEqual(got, [...MESSAGES, 'alive', { a: 1 }])
  }
})

test('bytes in a message are their own, not a part of what was received', (t) => {
  const frame = encodeFrame([new Uint8Array([1, 2, 3]), Buffer.from('abc'), new Float64Array([1.5])]).subarray(4)
  const [bytes, buffer, numbers] = decodeFrame(Buffer.from(frame)) as [Uint8Array, Uint8Array, Float64Array]
  t.is(bytes.buffer.byteLength, 3)
  t.deepEqual(buffer, Uint8Array.of(97, 98, 99))
  t.is(numbers.buffer.byteLength, 8)
})

test('a frame that is too large is refused at its header', (t) => {
  const reader = new FrameReader(() => 1_000)
  const header = Buffer.alloc(4)
  header.writeUInt32LE(1_001)
  t.throws(() => reader.read(header, () => t.fail()), { instanceOf: RangeError })
})
