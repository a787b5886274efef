/** Permissions and credentials that are withdrawn from a node that runs: it says which, and goes on when it has them again. */
import test from 'ava'
import { type ClusterCache, openCluster } from '../../../../src/cluster.js'
import { CacheError } from '../../../../src/errors.js'
import { nats } from '../../../../src/nats.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

const USER = '{ user: u, password: p }'
const usersAre = (users: string) => `authorization { users: [${users}] }`

/** How the server is configured, and what the node then says. */
const WITHDRAWN: Record<string, [user: string, said: RegExp]> = {
  'to write the log': [
    '{ user: u, password: p, permissions: { publish: { deny: "daybook.x.log" } } }',
    /no permission to publish on daybook\.x\.log\. .*Allow the user to publish on daybook\.x\.>/,
  ],
  'to get answers': [
    '{ user: u, password: p, permissions: { subscribe: { deny: "_INBOX.>" } } }',
    /no permission to subscribe to _INBOX\.>\. .*Allow the user to publish on .*, and to subscribe to .*_INBOX\.>/,
  ],
  'to connect': ['{ user: other, password: p }', /does not accept the credentials\. .*Pass the credentials/],
}

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  for (const [what, [user, said]] of Object.entries(WITHDRAWN))
    test.serial(
      `the permission ${what} is withdrawn: calls and a warning name it; given back, the node goes on`,
      async (t) => {
        t.timeout(60_000)
        const servers = await NatsServers.start(1, usersAre(USER))
        t.teardown(() => servers.end())
        const cache: ClusterCache = await openCluster({
          name: 'x',
          engine: nats({ servers: servers.urls, user: 'u', pass: 'p', replicas: 1 }),
          reconnectTimeout: 2,
        })
        t.teardown(() => cache.close())
        await cache.set('a', 1)
        const warnings: string[] = []
        const warned = ({ message }: Error) => warnings.push(message)
        process.on('warning', warned)
        t.teardown(() => process.off('warning', warned))

        servers.configure(usersAre(user))
        let failure: CacheError | undefined
        while (failure?.cause === undefined)
          failure = await cache.set('b', 2).then(
            () => undefined,
            (error) => error,
          )
        t.is(failure.code, 'OWNER_UNAVAILABLE')
        t.regex(failure.message, said)
        t.true(failure.cause instanceof CacheError)
        t.is(warnings.filter((message) => said.test(message)).length, 1)

        servers.configure(usersAre(USER))
        for (let isSet = false; !isSet; )
          isSet = await cache.set('c', 3).then(
            () => true,
            () => false,
          )
        t.is(await cache.get('c'), 3)
      },
    )
}
