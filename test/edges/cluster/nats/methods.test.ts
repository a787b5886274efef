/** The cache's methods in a cluster over a real server, from the leader and from a node that follows. */
import test from 'ava'
import { nats } from '../../../../src/nats.js'
import { testNodeCases } from '../../../helpers/cluster/node-cases.js'
import { openNodes } from '../../../helpers/cluster/three-nodes.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  let servers: NatsServers
  let clusters = 0
  test.before(async () => {
    servers = await NatsServers.start(1)
  })
  test.after.always(() => servers?.end())
  testNodeCases(8, (t, options, around) => {
    const engine = nats({ servers: servers.urls, replicas: 1 })
    return openNodes(t, 2, { name: `cluster ${clusters++}`, engine, ...options }, around)
  })
}
