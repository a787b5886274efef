/** `daybook cluster status` beside real servers and nodes. */
import { connect } from '@nats-io/transport-node'
import test from 'ava'
import { openCluster } from '../../../src/cluster.js'
import { nats } from '../../../src/nats.js'
import { DaybookProcess } from '../../helpers/cli/daybook-process.js'
import { testWithServers } from '../../helpers/nats/given-cluster.js'
import { NatsServers } from '../../helpers/nats/nats-servers.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

testWithServers('the leader, the term, the sizes, and each node; 1 when nobody leads any more', async (t) => {
  t.timeout(60_000)
  const root = temporaryDirectory(t)
  const servers = await NatsServers.onLoopback(root, { count: 1 })
  t.teardown(() => servers.end())
  await servers.start()
  const engine = nats({ servers: servers.urls, replicas: 1 })
  const node = await openCluster({ name: 'x', engine })
  const other = await openCluster({ name: 'x', engine })
  for (const each of [node, other]) for (const key of ['a', 'b']) await each.increment(key)

  const status = (...args: string[]) =>
    new DaybookProcess(t, ['cluster', 'status', '--servers', servers.urls.join(','), ...args], { cwd: root }).ended

  const json = await status('--name', 'x', '--json')
  t.is(json.stderr, '')
  t.is(json.code, 0)
  const found = JSON.parse(json.stdout)
  t.is(found.name, 'x')
  t.true(found.term >= 1)
  t.is(found.nodes[0].role, 'leader')
  t.is(found.leader, found.nodes[0].node)
  t.deepEqual(
    found.nodes.map(({ pid, entries, term }: { pid: number; entries: number; term: number }) => [pid, entries, term]),
    [
      [process.pid, 2, found.term],
      [process.pid, 2, found.term],
    ],
  )
  t.true(found.log.first === 1 && found.log.last >= 6 && found.log.bytes > 0)
  t.is(found.snapshots.behind, found.log.last)

  const text = (await status('--name', 'x')).stdout
  t.regex(text, /^term +\d+, led by [0-9a-f]{16}$/m)
  t.regex(text, /^snapshot +none$/m)
  t.is(text.match(/^node [0-9a-f]{16} +(leader|follower), process \d+ on .*, 2 entries, record/gm)?.length, 2)

  await node.compact()
  t.is(JSON.parse((await status('--name', 'x', '--json')).stdout).snapshots.position > 0, true)

  await other.close()
  await node.close()
  const after = await status('--name', 'x')
  t.is(after.code, 1)
  t.regex(after.stdout, /no leader answers/)

  const missing = await status('--name', 'y')
  t.is(missing.code, 1)
  t.regex(missing.stderr, /There is no cluster y on these servers\. Nothing was made/)
  const connection = await connect({ servers: servers.urls })
  const listed = await connection.request('$JS.API.STREAM.NAMES')
  await connection.close()
  t.deepEqual(
    listed.json<{ streams: string[] }>().streams.filter((name) => !/daybook-x$/.test(name)),
    [],
  )
})

test('no server: the address is named', async (t) => {
  const args = ['cluster', 'status', '--servers', '127.0.0.1:1', '--name', 'x']
  const { code, stderr } = await new DaybookProcess(t, args, { cwd: temporaryDirectory(t) }).ended
  t.is(code, 1)
  t.regex(stderr, /^daybook: .*127\.0\.0\.1:1/)
})
