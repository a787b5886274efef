/** A record as a message of NATS. */
import { headers } from '@nats-io/transport-node'
import test from 'ava'
import { headersOf, recordOf } from '../../../../src/edges/cluster/nats/nats-record.js'

test('every name of a node comes back, and one that is damaged does not end the process', (t) => {
  for (const node of ['a', 'ü %', '100%25', '\u{1f600}'])
    t.is(
      recordOf({
        headers: headersOf({ kind: 'frame', epoch: 1, node, body: new Uint8Array() }),
        data: new Uint8Array(),
      }).node,
      node,
    )
  const damaged = headers()
  damaged.set('Daybook-Node', '%C3%2')
  t.is(recordOf({ headers: damaged, data: new Uint8Array() }).node, '%C3%2')
  t.is(recordOf({ headers: undefined as never, data: new Uint8Array() }).node, '')
})
