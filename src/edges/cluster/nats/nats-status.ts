/** What `daybook cluster status` prints: the log as its servers describe it, and what each node that can be reached answers. */
import { JetStreamApiError, type JetStreamManager, jetstreamManager, type StreamInfo } from '@nats-io/jetstream'
import { credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node'
import { journalClock } from '../../../cache/system-clock.js'
import { CacheError } from '../../../errors.js'
import type { NodeStatus } from '../line/node-wire.js'
import { STATUS } from '../line/wire-line.js'
import type { SnapshotPointer } from '../log.js'
import { connectTo, serversOf } from './nats-connection.js'
import { openingError } from './nats-errors.js'
import { NatsNames } from './nats-names.js'
import { recordOf } from './nats-record.js'
import { NatsRequests } from './nats-requests.js'
import { NatsWire } from './nats-wire.js'

const NO_STREAM = 10059

export interface ClusterStatus {
  readonly name: string
  /** The newest term of the log. */
  readonly term: number
  /** The node that leads in it; null if it has resigned, or does not answer. */
  readonly leader: string | null
  /** The positions of the oldest and the newest record, and how many milliseconds ago that was written, by the clocks of server and caller. */
  readonly log: { readonly first: number; readonly last: number; readonly bytes: number; readonly newestMs: number }
  readonly snapshots: {
    /** Of the newest one; null without one. */
    readonly position: number | null
    /** Records after it, which a node that joins replays. */
    readonly behind: number
    /** Of all objects. */
    readonly bytes: number
  }
  /** The servers that keep the log. */
  readonly servers: readonly ServerStatus[]
  /** The leader, and the nodes that are connected to it. */
  readonly nodes: readonly NodeStatus[]
}

export interface ServerStatus {
  readonly name: string
  readonly leads: boolean
  readonly isCurrent: boolean
  /** Operations that it has not applied yet. */
  readonly lag: number
}

export interface StatusConnection extends NodeConnectionOptions {
  /** The content of a credentials file. */
  readonly creds?: Uint8Array
}

/** @throws CacheError if the servers do not answer, or there is no such cluster. Nothing is made or changed. */
export async function readStatus(name: string, { creds, ...others }: StatusConnection): Promise<ClusterStatus> {
  const options = creds === undefined ? others : { ...others, authenticator: credsAuthenticator(creds) }
  const names = new NatsNames(name)
  let connection: NatsConnection | undefined
  try {
    connection = await connectTo(options, name)
    return await statusOver(connection, names)
  } catch (error) {
    throw openingError(error, serversOf(options), names)
  } finally {
    await connection?.close()
  }
}

async function statusOver(connection: NatsConnection, names: NatsNames): Promise<ClusterStatus> {
  const manager = await jetstreamManager(connection)
  const { state, cluster } = await infoOf(manager, names.stream, names.name)
  const objects = await infoOf(manager, names.objectStream, names.name)
  const newest = state.last_seq === 0 ? null : await manager.streams.getMessage(names.stream, { seq: state.last_seq })
  const record = newest === null ? undefined : recordOf({ headers: newest.header, data: newest.data })
  const pointer = await pointerOf(manager, names)
  const nodes = record === undefined || record.kind === 'resign' ? [] : await askNodes(connection, names, record.node)
  return {
    name: names.name,
    term: record?.epoch ?? 0,
    leader: nodes.find(({ role }) => role === 'leader')?.node ?? null,
    log: {
      first: state.first_seq,
      last: state.last_seq,
      bytes: state.bytes,
      newestMs: newest === null ? 0 : Math.max(0, journalClock.now() - Date.parse(state.last_ts)),
    },
    snapshots: {
      position: pointer?.position ?? null,
      behind: state.last_seq - (pointer?.position ?? state.first_seq - 1),
      bytes: objects.state.bytes,
    },
    servers: serversIn(cluster),
    nodes,
  }
}

async function infoOf(manager: JetStreamManager, stream: string, name: string): Promise<StreamInfo> {
  try {
    return await manager.streams.info(stream)
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== NO_STREAM) throw error
    throw new CacheError('ENGINE_REFUSED', `There is no cluster ${name} on these servers`, {
      consequence: 'Nothing was made.',
      advice: 'Check the name and the account.',
      cause: error,
    })
  }
}

async function pointerOf(manager: JetStreamManager, names: NatsNames): Promise<SnapshotPointer | undefined> {
  const message = await manager.streams
    .getMessage(names.pointerStream, { last_by_subj: names.pointer })
    .catch(() => null)
  return message === null ? undefined : message.json<SnapshotPointer>()
}

function serversIn(cluster: StreamInfo['cluster']): ServerStatus[] {
  const { leader, replicas = [] } = cluster ?? {}
  const others = replicas.map(({ name, current, lag = 0 }) => ({ name, leads: false, isCurrent: current, lag }))
  return leader ? [{ name: leader, leads: true, isCurrent: true, lag: 0 }, ...others] : others
}

/** The leader knows the others. */
async function askNodes(connection: NatsConnection, names: NatsNames, leader: string): Promise<NodeStatus[]> {
  const requests = new NatsRequests(connection)
  const wire = new NatsWire(() => requests, names)
  const ask = async (node: string) => {
    try {
      const answer = await wire.request(node, Uint8Array.of(STATUS))
      return JSON.parse(Buffer.from(answer).toString('utf8')) as NodeStatus
    } catch {
      return undefined
    }
  }
  const first = await ask(leader)
  if (first === undefined) return []
  const others = await Promise.all(first.connected.filter((node) => node !== leader).map(ask))
  return [first, ...others.filter((node) => node !== undefined)]
}
