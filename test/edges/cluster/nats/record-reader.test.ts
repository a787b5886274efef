/** Records are read although no consumer delivers them. The servers are fakes. */
import { headers, type Msg } from '@nats-io/transport-node'
import test, { type ExecutionContext } from 'ava'
import { headersOf } from '../../../../src/edges/cluster/nats/nats-record.js'
import { RecordReader, type RecordReaderParts } from '../../../../src/edges/cluster/nats/record-reader.js'
import { Collected, record, until } from '../../../../src/testing/conformance/log-nodes.js'

const COUNT = 100
const HEARTBEAT_MS = 50

/** A reader of 100 records, and how many consumers it has asked for. `deliver`: what a consumer does. */
function readerOf(t: ExecutionContext, deliver: (send: (message: Msg) => void) => Promise<{ name: string }>) {
  const seen = new Collected()
  const asked = { consumers: 0 }
  let send: (message: Msg) => void = () => undefined
  const stored = (seq: number) => {
    const one = record(`${seq}`)
    return { seq, header: headersOf(one), data: one.body }
  }
  const parts = {
    connection: {
      subscribe(_: string, { callback }: { callback: (error: null, message: Msg) => void }) {
        send = (message) => callback(null, message)
        return { unsubscribe: () => undefined }
      },
      isClosed: () => false,
    },
    manager: {
      streams: { info: async () => ({ state: { first_seq: 1 } }) },
      consumers: {
        add: () => {
          asked.consumers++
          return deliver(send)
        },
        delete: async () => true,
      },
    },
    impatient: {
      streams: { getMessage: async (_: string, { seq }: { seq: number }) => (seq > COUNT ? null : stored(seq)) },
    },
    stream: 'x',
    inboxPrefix: '_INBOX',
  } as unknown as RecordReaderParts
  const reader = new RecordReader(parts, 1, seen)
  t.teardown(() => reader.stop())
  return { seen, asked }
}

const everyPosition = Array.from({ length: COUNT }, (_, index) => index + 1)

test('while no consumer can be made, each record is asked for, once and in order', async (t) => {
  const { seen } = readerOf(t, () => new Promise(() => undefined))
  await until(() => seen.last === COUNT, 'the records')
  t.deepEqual(seen.positions(), everyPosition)
  t.deepEqual(seen.bodies(), everyPosition.map(String))
})

test('a consumer that is alive and delivers nothing, because its server is behind, is replaced', async (t) => {
  const heartbeat = headers(100, 'Idle Heartbeat')
  const { seen, asked } = readerOf(t, async (send) => {
    const beats = setInterval(() => send({ headers: heartbeat, data: new Uint8Array() } as Msg), HEARTBEAT_MS)
    t.teardown(() => clearInterval(beats))
    return { name: 'c' }
  })
  await until(() => seen.last === COUNT && asked.consumers > 1, 'the records and another consumer')
  t.deepEqual(seen.positions(), everyPosition)
})
