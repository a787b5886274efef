import test from 'ava'
import { FrameReader } from '../../../../src/edges/processes/line/frame-reader.js'
import {
  decodeFrame,
  encodeFrame,
  FRAME_BYTES_MAX,
  jsonFrame,
  shortText,
} from '../../../../src/edges/remote/line/frames.js'

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
      readReused(reader, bytes.subarray(at, at + size), (all, start, end) =>
        got.push(start === end ? 'alive' : decodeFrame(all, start, end)),
      )
    t.deepEqual(got, [...MESSAGES, 'alive', { a: 1 }])
  }
})

/** As a socket does that reads into one buffer. */
function readReused(reader: FrameReader, bytes: Buffer, take: Parameters<FrameReader['read']>[1]): void {
  const chunk = Buffer.from(bytes)
  reader.read(chunk, take)
  chunk.fill(0xff)
}

test('a short message of ASCII is the same frame as text', (t) => {
  for (const message of MESSAGES) {
    const text = shortText(message)
    if (text !== undefined) t.deepEqual(Buffer.from(text, 'latin1'), encodeFrame(message))
  }
  t.is(MESSAGES.filter((message) => shortText(message) !== undefined).length, 2)
  const long = Array.from({ length: 3 }, () => 'x'.repeat(200))
  t.deepEqual(Buffer.from(shortText(long) as string, 'latin1'), encodeFrame(long))
})

test('a frame that is too large is refused at its header', (t) => {
  const reader = new FrameReader(() => 1_000)
  const header = Buffer.alloc(4)
  header.writeUInt32LE(1_001)
  t.throws(() => reader.read(header, () => t.fail()), { instanceOf: RangeError })
})
