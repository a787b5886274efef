/** The writer asserts of every frame what the reader checks, so a frame that the reader would refuse is not written. */
import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import { FIRST_SEQUENCE, NO_SEQUENCE } from '../../../src/core/model/sequence.js'
import { SEAL_HAS_SUCCESSOR } from '../../../src/durable/format/format.js'
import { beginFrame, type FrameHeader, finishFrame } from '../../../src/durable/format/frame.js'
import { SegmentWriter } from '../../../src/durable/journal/segment-writer.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'

const ID = Buffer.alloc(16, 3)

function segment() {
  const disk = new SimulatedDisk()
  const header = { journalId: ID, sequence: FIRST_SEQUENCE, previousChecksum: 0, createdAtMs: 0 }
  const writer = SegmentWriter.create(disk.process(), '/j', header)
  const append = (changes: Partial<Record<keyof FrameHeader, unknown>>) => {
    const bytes = new ByteWriter(128)
    beginFrame(bytes)
    const header = {
      kind: 'events',
      flags: 0,
      firstSequence: FIRST_SEQUENCE,
      count: 0,
      previousChecksum: writer.lastChecksum,
      durableSequence: NO_SEQUENCE,
      writtenAtMs: 0,
      ...changes,
    } as FrameHeader
    const checksum = finishFrame(bytes, 0, header, new Counters(), 0)
    writer.append({ frames: [{ header, checksum }], bytes: bytes.bytes.subarray(0, bytes.length) })
  }
  return { disk, writer, append }
}

for (const [what, changes] of [
  ['with a gap before it', { firstSequence: 2 }],
  ['that follows another one', { previousChecksum: 1 }],
  ['that says it is durable itself', { durableSequence: 1 }],
  ['of rows', { kind: 'rows' }],
] as const) {
  test(`a frame ${what} is not written`, (t) => {
    const { disk, writer, append } = segment()
    append({})
    const before = { offset: writer.offset, operations: disk.log.length }
    t.throws(() => append(changes), { code: 'INTERNAL', message: /A frame that is wrong was not written/ })
    t.deepEqual({ offset: writer.offset, operations: disk.log.length }, before)
    append({})
    t.is(writer.offset, before.offset + 96)
  })
}

test('a frame behind the seal of a segment that continues in another file is not written', (t) => {
  const { append } = segment()
  append({ kind: 'seal', flags: 0 }) // of a clean close: the journal was opened again
  append({ kind: 'seal', flags: SEAL_HAS_SUCCESSOR })
  t.throws(() => append({}), { code: 'INTERNAL', message: /continues in another file/ })
})
