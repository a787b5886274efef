/** The cases for logs, on one server and on three. */
import test from 'ava'
import { nats } from '../../../../src/nats.js'
import { logCases } from '../../../../src/testing/conformance/log-cases.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  for (const count of [1, 3] as const) {
    let servers: NatsServers
    test.before(async () => {
      servers = await NatsServers.start(count)
    })
    test.after.always(() => servers?.end())
    for (const [at, one] of logCases.entries()) {
      test.serial(`${count} nats-server: ${one.name}`, async (t) => {
        const engine = nats({ servers: servers.urls, replicas: count })
        await t.notThrowsAsync(one.run((node) => engine(`case ${at}`, node)))
      })
    }
  }
}
