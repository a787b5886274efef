/** Objects in the object store of NATS leave nothing behind. */
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import test from 'ava'
import { nats } from '../../../../src/nats.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield new Uint8Array(100_000).fill(at)
}

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  test('an object that is removed leaves no message in its stream, nor does one that was never there', async (t) => {
    const servers = await NatsServers.start(1)
    t.teardown(() => servers.end())
    const log = nats({ servers: servers.urls, replicas: 1 })('x', 'a')
    const connection = await connect({ servers: servers.urls })
    t.teardown(() => Promise.all([log.close(), connection.close()]))
    await log.open()
    const { streams } = await jetstreamManager(connection)
    const subjects = async () => {
      const { state } = await streams.info('OBJ_daybook-x', { subjects_filter: '>' })
      return Object.keys(state.subjects ?? {}).length
    }
    // Names of any length, which their encoding pads differently.
    const names = ['a', 'bc', 'def', 'snapshot-0000000000000001-é?>']
    for (const name of names) await log.snapshots.write(name, chunks(3))
    t.is(await subjects(), 2 * names.length)
    await log.snapshots.remove('never there')
    for (const [index, name] of names.entries()) {
      await log.snapshots.remove(name)
      t.is(await subjects(), 2 * (names.length - index - 1))
      t.deepEqual([...(await log.snapshots.names())].sort(), names.slice(index + 1).sort())
    }
    await log.snapshots.write('a', chunks(1))
    t.deepEqual(await log.snapshots.names(), ['a'])
  })
}
