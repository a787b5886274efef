import { availableParallelism } from 'node:os'
import test from 'ava'
import { CLIENT_SIDE, DOORBELL_BYTES, Doorbell, OWNER_SIDE } from '../../../../src/edges/threads/line/doorbell.js'

/** With one processor neither side polls: the other could not run meanwhile. */
const looks = availableParallelism() > 1

test('each side sees the messages of the other that it has not received yet', (t) => {
  const memory = new SharedArrayBuffer(DOORBELL_BYTES)
  const client = new Doorbell(memory, CLIENT_SIDE)
  // The owner has sent its greeting, and received the message that brought the memory.
  client.sent()
  const owner = new Doorbell(memory, OWNER_SIDE, 1, 1)
  client.received()
  for (const [sender, receiver] of [
    [client, owner],
    [owner, client],
  ] as const) {
    receiver.turned()
    t.false(receiver.awaitMessage())
    sender.sent()
    receiver.turned()
    t.is(receiver.awaitMessage(), looks)
    receiver.received()
    receiver.turned()
    t.false(receiver.awaitMessage())
  }
})
