/** Requests end with the connection that they were sent over. The connection is a fake. */
import type { NatsConnection } from '@nats-io/transport-node'
import test from 'ava'
import { NatsRequests } from '../../../../src/edges/cluster/nats/nats-requests.js'
import { loopTurn } from '../../../helpers/loop-turn.js'

test('a request that waits when the connection is lost is rejected, and so is one before there is another', async (t) => {
  let tell: (status: { type: string }) => void = () => undefined
  let sent = 0
  const connection = {
    async *status() {
      for (;;) yield await new Promise((resolve) => (tell = resolve))
    },
    request(subject: string) {
      sent++
      return subject === 'answered' ? Promise.resolve('answer') : new Promise(() => undefined)
    },
  } as unknown as NatsConnection
  const requests = new NatsRequests(connection)
  const ask = (subject: string) => requests.request(subject, new Uint8Array(), { timeout: 60_000 }) as Promise<unknown>
  await loopTurn()
  t.is(await ask('answered'), 'answer')
  const waiting = [ask('one'), ask('two')]
  tell({ type: 'disconnect' })
  for (const one of waiting) await t.throwsAsync(one, { message: /connection to the server is lost/ })
  t.is(sent, 3)
  await t.throwsAsync(ask('answered'), { message: /connection to the server is lost/ })
  t.is(sent, 3, 'it was not sent')
  tell({ type: 'reconnect' })
  await loopTurn()
  t.is(await ask('answered'), 'answer')
})
