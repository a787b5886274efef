import test from 'ava'
import { decodeFrame, encodeFrame } from '../../../../src/edges/remote/line/frames.js'

test('bytes in a message are their own, not a part of what was received', (t) => {
  const frame = encodeFrame([new Uint8Array([1, 2, 3]), Buffer.from('abc'), new Float64Array([1.5])]).subarray(4)
  const [bytes, buffer, numbers] = decodeFrame(Buffer.from(frame)) as [Uint8Array, Uint8Array, Float64Array]
  t.is(bytes.buffer.byteLength, 3)
  t.deepEqual(buffer, Uint8Array.of(97, 98, 99))
  t.is(numbers.buffer.byteLength, 8)
})
