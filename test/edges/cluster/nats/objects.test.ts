/** Objects in the object store of NATS leave nothing behind, whatever becomes of their writer; and those whose chunks are gone are damaged. */
import { jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import test, { type ExecutionContext } from 'ava'
import { openCluster } from '../../../../src/cluster.js'
import { DamagedObjectError, type Log } from '../../../../src/edges/cluster/log.js'
import { nats } from '../../../../src/nats.js'
import { NatsServers, withoutServers } from '../../../helpers/nats/nats-servers.js'

const CHUNK_BYTES = 128 * 1024

async function* chunks(count: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) yield new Uint8Array(CHUNK_BYTES).fill(at)
}

/** A server, and what a test sees of the objects of the log `x`. */
async function given(t: ExecutionContext) {
  const servers = await NatsServers.start(1)
  t.teardown(() => servers.end())
  const engine = nats({ servers: servers.urls, replicas: 1 })
  const connection = await connect({ servers: servers.urls })
  t.teardown(() => connection.close())
  const { streams } = await jetstreamManager(connection)
  /** The log as another node has it. */
  const outsider = async (): Promise<Log> => {
    const log = engine('x', 'outsider')
    t.teardown(() => log.close())
    await log.open()
    return log
  }
  /** Of each subject in the stream of the objects, how many messages it has. */
  const messages = async (): Promise<Record<string, number>> =>
    (await streams.info('OBJ_daybook-x', { subjects_filter: '>' })).state.subjects ?? {}
  /** Removes the chunks of an object, but not what describes it. */
  const loseChunks = (name: string) =>
    streams.purge('OBJ_daybook-x', { filter: `$O.daybook-x.C.${btoa(name).replaceAll('+', '-').replaceAll('/', '_')}` })
  /** Begins an object and writes three chunks of it. Its writer waits then, until it goes on or is killed. */
  const begin = async (name: string) => {
    const log = await outsider()
    let goOn = () => undefined as undefined
    let isWaiting = () => undefined as undefined
    const waiting = new Promise<void>((resolve) => {
      isWaiting = () => void resolve()
    })
    const goingOn = new Promise<void>((resolve) => {
      goOn = () => void resolve()
    })
    const written = log.snapshots.write(
      name,
      (async function* () {
        yield* chunks(3)
        isWaiting()
        await goingOn
        yield* chunks(1)
      })(),
    )
    written.catch(() => undefined)
    await waiting
    return {
      /** It says nothing more to the server. */
      kill: () => log.close(),
      finish: () => {
        goOn()
        return written
      },
    }
  }
  return { engine, outsider, messages, loseChunks, begin }
}

if (withoutServers !== undefined) test.skip(withoutServers, () => undefined)
else {
  test('an object that is removed leaves no message in its stream, nor does one that was never there', async (t) => {
    const { outsider, messages } = await given(t)
    const log = await outsider()
    const subjects = async () => Object.keys(await messages()).length
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

  test('what killed writers have left is removed by the snapshots that follow; what a live one still writes is not', async (t) => {
    const { engine, outsider, messages, begin } = await given(t)
    const log = await outsider()
    const options = { name: 'x', engine }
    const first = await openCluster(options)
    await first.set('a', 1)
    for (const kind of ['snapshot', 'loaded', 'record']) await (await begin(`${kind}-0000000000000002-1-killed`)).kill()
    t.is((await log.snapshots.unfinished?.())?.length, 3)
    await first.close()
    const cache = await openCluster(options)
    t.teardown(() => cache.close())
    await (await begin('snapshot-0000000000000002-2-killed')).kill()
    // A node may have begun its snapshot in an earlier term, and still be the first with one.
    const live = [
      'snapshot-0000000001000000-1-live',
      'loaded-0000000000000002-2-live',
      'record-0000000000000002-2-live',
    ]
    const writers = await Promise.all(live.map(begin))
    for (let round = 0; round < 3; round++) {
      await cache.set('b', round)
      await cache.compact()
    }
    t.deepEqual([...((await log.snapshots.unfinished?.()) ?? [])].sort(), [...live].sort())
    await Promise.all(writers.map(({ finish }) => finish()))
    for (const name of live) {
      let bytes = 0
      for await (const chunk of log.snapshots.read(name)) bytes += chunk.length
      t.is(bytes, 4 * CHUNK_BYTES, name)
      await log.snapshots.remove(name)
    }
    const { pointer } = await log.snapshots.latest()
    t.deepEqual([...(await log.snapshots.names())].sort(), [pointer?.previous?.name, pointer?.name].sort())
    t.is(Object.keys(await messages()).length, 4)
  })

  test('an object whose chunks are gone is damaged, and not out of reach', async (t) => {
    const { engine, outsider, loseChunks } = await given(t)
    const log = await outsider()
    const read = async (name: string) => {
      for await (const _ of log.snapshots.read(name));
    }
    await log.snapshots.write('lost', chunks(3))
    await loseChunks('lost')
    await t.throwsAsync(read('lost'), { instanceOf: DamagedObjectError, message: /has 0 of its 3 chunks/ })
    await log.snapshots.write('empty', chunks(0))
    await t.notThrowsAsync(read('empty'))

    const options = { name: 'x', engine }
    const one = await openCluster(options)
    for (let round = 0; round < 2; round++) {
      await one.set('a', round)
      await one.compact()
    }
    const { pointer } = await log.snapshots.latest()
    await loseChunks(pointer?.name as string)
    const two = await openCluster(options)
    t.is(two.local.get('a'), 1)
    await two.close()
    await loseChunks(pointer?.previous?.name as string)
    await t.throwsAsync(openCluster(options), { code: 'CORRUPTION', message: /of its 1 chunks/ })
    await one.compact()
    await one.set('a', 2)
    await one.compact()
    await one.close()
    const three = await openCluster(options)
    t.is(three.local.get('a'), 2)
    await three.close()
  })
}
