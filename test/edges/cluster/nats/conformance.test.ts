/** The cases for logs, on one server and on three. */
import test from 'ava'
import { nats } from '../../../../src/nats.js'
import { logCases } from '../../../../src/testing/conformance/log-cases.js'
import { NatsServers, WHY_NO_NATS } from '../../../helpers/cluster/nats-servers.js'

if (WHY_NO_NATS !== undefined) test.skip(WHY_NO_NATS, () => undefined)
else {
  for (const count of [1, 3] as const) {
    let servers: NatsServers
    test.before(async () => {
      servers = await NatsServers.start(count)
    })
    test.after.always(() => servers?.stop())
    for (const [at, one] of logCases.entries()) {
      test.serial(`${count} nats-server: ${one.name}`, async (t) => {
        const engine = nats({ servers: servers.addresses, replicas: count })
        await t.notThrowsAsync(one.run((node) => engine(`case ${at}`, node)))
      })
    }
  }
}
