/** What is not as a log needs it is refused, with what to do, and nothing is left behind. */
import { jetstreamManager, StorageType, type StreamConfig } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import test, { type ExecutionContext } from 'ava'
import { checkVersion } from '../../../../src/edges/cluster/nats/nats-errors.js'
import { type NatsOptions, nats } from '../../../../src/nats.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

test('options that are not such are a TypeError', (t) => {
  t.throws(() => nats({ servers: [] }), { instanceOf: TypeError, message: /servers must be/ })
  for (const options of [undefined, null, 'a:4222'])
    t.throws(() => nats(options as never), { instanceOf: TypeError, message: /options must be an object/ })
  t.throws(() => nats({ servers: 5 as never }), { instanceOf: TypeError, message: /servers must be/ })
  t.throws(() => nats({ servers: 'a', replicas: 2 as never }), {
    instanceOf: TypeError,
    message: /replicas must be 1, 3 or 5/,
  })
})

test('an option that does not exist is a TypeError that names it, and the one that was meant', (t) => {
  for (const [options, message] of [
    [{ server: 'a:4222' }, /'server' is not an option here\. Did you mean servers\?/],
    [{ servers: 'a:4222', replica: 1 }, /'replica' is not an option here\. Did you mean replicas\?/],
    [{ servers: 'a:4222', password: 'p' }, /'password' is not an option here\..* pass, /],
  ] as [object, RegExp][])
    t.throws(() => nats(options as NatsOptions), { instanceOf: TypeError, message })
  t.notThrows(() => nats({ servers: 'a:4222', replicas: 1, user: 'u', pass: 'p', tls: null, maxPingOut: 5 }))
})

test('a server that is older than 2.9 is refused', (t) => {
  for (const version of ['2.9.0', '2.9.10', '2.10.0-RC.1', '3.0.0'])
    t.notThrows(() => checkVersion({ info: { version } } as never))
  for (const version of ['2.8.4', '1.10.0', undefined])
    t.throws(() => checkVersion({ info: { version } } as never), {
      code: 'ENGINE_REFUSED',
      message: /Use a newer nats-server/,
    })
})

async function refused(
  t: ExecutionContext,
  options: NatsOptions,
  name: string,
  code: string,
  message: RegExp,
): Promise<void> {
  const log = nats(options)(name, 'a')
  await t.throwsAsync(log.open(), { code, message })
  await log.close()
}

test('no server: the address is named', async (t) => {
  await refused(t, { servers: '127.0.0.1:1' }, 'x', 'ENGINE_UNAVAILABLE', /127\.0\.0\.1:1.*Check the addresses/)
})

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  let servers: NatsServers
  test.before(async () => {
    servers = await NatsServers.start(1)
  })
  test.after.always(() => servers?.end())

  const managed = async <Result>(
    use: (streams: Awaited<ReturnType<typeof jetstreamManager>>['streams']) => Promise<Result>,
  ) => {
    const connection = await connect({ servers: servers.urls })
    try {
      return await use((await jetstreamManager(connection)).streams)
    } finally {
      await connection.close()
    }
  }
  const streamNames = () =>
    managed(async (streams) => {
      const names: string[] = []
      for await (const { config } of streams.list()) names.push(config.name)
      return names.sort()
    })

  test.serial('three replicas on one server: refused, and no stream is left', async (t) => {
    await refused(t, { servers: servers.urls }, 'three', 'ENGINE_REFUSED', /as many servers.*replicas: 1/)
    t.deepEqual(await streamNames(), [])
  })

  test.serial('a foreign stream of that name is refused and not touched, whichever of the three it is', async (t) => {
    for (const name of ['daybook-foreign', 'KV_daybook-foreign', 'OBJ_daybook-foreign']) {
      await managed((streams) => streams.add({ name, subjects: ['theirs'] }))
      await refused(t, { servers: servers.urls, replicas: 1 }, 'foreign', 'ENGINE_REFUSED', /not made.*another name/)
      t.deepEqual(await streamNames(), [name])
      await managed((streams) => streams.delete(name))
    }
  })

  test.serial(
    'a stream whose subjects include those of the log is in its way: refused, and nothing is left',
    async (t) => {
      await managed((streams) => streams.add({ name: 'wide', subjects: ['daybook.>'] }))
      await refused(t, { servers: servers.urls, replicas: 1 }, 'way', 'ENGINE_REFUSED', /subjects overlap/)
      t.deepEqual(await streamNames(), ['wide'])
      await managed((streams) => streams.delete('wide'))
    },
  )

  test.serial(
    'a log with fewer replicas than asked for, or changed by somebody, is refused by what differs',
    async (t) => {
      const one = nats({ servers: servers.urls, replicas: 1 })('changed', 'a')
      await one.open()
      await one.close()
      const made = await streamNames()
      t.deepEqual(made, ['KV_daybook-changed', 'OBJ_daybook-changed', 'daybook-changed'])
      await refused(
        t,
        { servers: servers.urls, replicas: 3 },
        'changed',
        'ENGINE_REFUSED',
        /1 of the 3 replicas.*replicas: 1/,
      )
      const changes: [string, Partial<StreamConfig>, RegExp][] = [
        ['daybook-changed', { max_age: 3600e9 }, /max_age/],
        ['daybook-changed', { allow_direct: true }, /allow_direct/],
        ['daybook-changed', { max_msgs_per_subject: 10 }, /max_msgs_per_subject/],
        ['daybook-changed', { discard: 'old' as never }, /discard/],
        ['daybook-changed', { subjects: ['daybook.changed.log', 'more'] }, /subjects/],
        ['OBJ_daybook-changed', { max_age: 3600e9 }, /OBJ_daybook-changed has max_age/],
        ['KV_daybook-changed', { max_age: 3600e9 }, /KV_daybook-changed has max_age/],
      ]
      for (const [name, change, message] of changes) {
        const { config } = await managed((streams) => streams.info(name))
        await managed((streams) => streams.update(name, change))
        await refused(t, { servers: servers.urls, replicas: 1 }, 'changed', 'ENGINE_REFUSED', message)
        await managed((streams) => streams.update(name, config))
      }
      const again = nats({ servers: servers.urls, replicas: 1 })('changed', 'a')
      t.deepEqual(await again.open(), { first: 1, last: 0 })
      await again.close()
      t.deepEqual(await streamNames(), made)
    },
  )

  test.serial('a log in memory is refused', async (t) => {
    const config = {
      name: 'daybook-memory',
      description: 'The log of a daybook cluster',
      subjects: ['daybook.memory.log'],
    }
    await managed((streams) => streams.add({ ...config, storage: StorageType.Memory, discard: 'new' as never }))
    await refused(t, { servers: servers.urls, replicas: 1 }, 'memory', 'ENGINE_REFUSED', /storage "memory".*"file"/)
    await managed((streams) => streams.delete('daybook-memory'))
  })

  test.serial('a permission that the user does not have is named, and nothing is made', async (t) => {
    const denied: Record<string, [publish: string, subscribe: string, named: RegExp]> = {
      log: ['daybook.x.log', '-', /publish on daybook\.x\.log\. .*Allow the user to publish on daybook\.x\.>/],
      others: ['daybook.x.to.>', '-', /publish on daybook\.x\.to\./],
      served: ['-', 'daybook.>', /subscribe to daybook\.x\.to\./],
      flow: ['$JS.FC.>', '-', /publish on \$JS\.FC\.daybook-x\./],
      pointer: ['$KV.>', '-', /publish on \$KV\.daybook-x\./],
      chunks: ['$O.*.C.>', '-', /publish on \$O\.daybook-x\.C\./],
      objects: ['$O.*.M.>', '-', /publish on \$O\.daybook-x\.M\./],
      requests: ['$JS.API.>', '-', /publish on \$JS\.API\.INFO/],
      answers: ['-', '_INBOX.>', /subscribe to _INBOX\.>\. /],
    }
    const users = Object.entries(denied).map(
      ([user, [publish, subscribe]]) =>
        `{ user: ${user}, password: p, permissions: { publish: { deny: ["${publish}"] }, subscribe: { deny: ["${subscribe}"] } } }`,
    )
    const documented = '"daybook.x.>", "$KV.daybook-x.>", "$O.daybook-x.>", "$JS.API.>", "$JS.FC.>", "_INBOX.>"'
    users.push(`{ user: enough, password: p, permissions: { publish: [${documented}], subscribe: [${documented}] } }`)
    const guarded = await NatsServers.start(1, `authorization { users: [\n${users.join('\n')}\n] }`)
    t.teardown(() => guarded.end())
    const as = (user: string) => ({ servers: guarded.urls, user, pass: 'p', replicas: 1 as const })
    for (const [user, [, , named]] of Object.entries(denied)) await refused(t, as(user), 'x', 'ENGINE_REFUSED', named)
    const log = nats(as('enough'))('x', 'a')
    t.deepEqual(await log.open(), { first: 1, last: 0 })
    await log.append({ kind: 'begin', epoch: 0, node: 'a', body: new Uint8Array() }, 0)
    await log.close()
    const again = nats(as('enough'))('x', 'b')
    t.deepEqual(await again.open(), { first: 1, last: 1 }) // what was tried is not in the log
    await again.close()
  })

  test.serial('wrong credentials, and a server without JetStream, say so', async (t) => {
    const [closed, plain] = await Promise.all([
      NatsServers.start(1, 'authorization { user: u, password: p }'),
      NatsServers.start(1, 'jetstream: disabled'),
    ])
    t.teardown(() => Promise.all([closed.end(), plain.end()]))
    const { urls } = closed
    await refused(
      t,
      { servers: urls, user: 'u', pass: 'no', replicas: 1 },
      'x',
      'ENGINE_UNAVAILABLE',
      /credentials.*user and pass/,
    )
    await refused(t, { servers: plain.urls, replicas: 1 }, 'x', 'ENGINE_UNAVAILABLE', /JetStream is not enabled.*-js/)
    const log = nats({ servers: urls, user: 'u', pass: 'p', replicas: 1 })('x', 'a')
    t.deepEqual(await log.open(), { first: 1, last: 0 })
    await log.close()
  })
}
