/**
 * The three streams of a cluster: they are made if they are not there, and what the server says that they are is compared with what
 * the log needs, because a server may have changed what was asked for, or somebody else what was made.
 */
import {
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream'
import { type KV, Kvm } from '@nats-io/kv'
import { type ObjectStore, Objm } from '@nats-io/obj'
import { errors, type NatsConnection } from '@nats-io/transport-node'
import { CacheError } from '../../../errors.js'
import { isRefused } from './nats-errors.js'
import type { NatsNames } from './nats-names.js'

export interface Buckets {
  client: JetStreamClient
  manager: JetStreamManager
  pointer: KV
  objects: ObjectStore
}

const DESCRIPTION = 'The log of a daybook cluster'

export async function openStreams(
  connection: NatsConnection,
  manager: JetStreamManager,
  names: NatsNames,
  replicas: number,
): Promise<Buckets> {
  // All of it first: nothing is made beside something foreign.
  const missing: string[] = []
  for (const stream of names.streams) {
    const config = await configOf(manager, stream)
    if (config === undefined) missing.push(stream)
    else check(config, names, replicas)
  }
  try {
    const client = jetstream(connection)
    const pointer = await new Kvm(client).create(names.bucket, {
      description: DESCRIPTION,
      history: 1,
      replicas,
      storage: StorageType.File,
      allow_direct: false,
    })
    const objects = await new Objm(client).create(names.bucket, {
      description: DESCRIPTION,
      replicas,
      storage: StorageType.File,
    })
    await makeLog(manager, names, replicas)
    for (const stream of names.streams) check((await configOf(manager, stream)) ?? { name: stream }, names, replicas)
    return { client, manager, pointer, objects }
  } catch (error) {
    if (isRefused(error) || error instanceof CacheError) await removeUnused(manager, names, missing)
    throw error
  }
}

async function makeLog(manager: JetStreamManager, names: NatsNames, replicas: number): Promise<void> {
  if ((await configOf(manager, names.stream)) !== undefined) return
  await manager.streams.add({
    name: names.stream,
    description: DESCRIPTION,
    subjects: [names.records],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: -1,
    max_msg_size: -1,
    allow_direct: false,
    allow_rollup_hdrs: false,
  })
}

async function configOf(manager: JetStreamManager, stream: string): Promise<Partial<StreamConfig> | undefined> {
  try {
    const { config, cluster } = await manager.streams.info(stream)
    // It has just been made, or its servers elect: neither appends nor reads are answered yet.
    if (cluster !== undefined && !cluster.leader) throw new errors.TimeoutError()
    return config
  } catch (error) {
    if (isRefused(error) && error.code === 10059) return undefined
    throw error
  }
}

/** Removes what this node has just made, unless the log is there: then others use it. */
async function removeUnused(manager: JetStreamManager, names: NatsNames, made: readonly string[]): Promise<void> {
  if (!made.includes(names.stream)) return
  const info = await manager.streams.info(names.stream).catch(() => undefined)
  if (info !== undefined && info.state.last_seq > 0) return
  for (const stream of [...made].reverse()) await manager.streams.delete(stream).catch(() => undefined)
}

/** @throws CacheError if it is not what a log needs. */
function check(config: Partial<StreamConfig>, names: NatsNames, replicas: number): void {
  const { name = '' } = config
  if (config.description !== DESCRIPTION)
    throw new CacheError('ENGINE_REFUSED', `There is a stream ${name} that daybook has not made`, {
      advice: 'Use another name for the cluster, or another account.',
    })
  const has = config.num_replicas ?? 1
  if (has < replicas)
    throw new CacheError(
      'ENGINE_REFUSED',
      `The stream ${name} has ${has} of the ${replicas} replicas that are asked for`,
      {
        advice: `Change it, for example with "nats stream edit ${name} --replicas ${replicas}", or pass replicas: ${has} to nats().`,
      },
    )
  const expected: [keyof StreamConfig, unknown][] = [
    ['storage', StorageType.File],
    ['retention', RetentionPolicy.Limits],
    ['discard', DiscardPolicy.New],
    ['max_age', 0],
    ['sealed', false],
    ['deny_purge', false],
    ['mirror', undefined],
    ['sources', undefined],
  ]
  if (name !== names.objectStream) expected.push(['allow_direct', false])
  if (name === names.stream) expected.push(['max_msgs_per_subject', -1], ['subjects', [names.records]])
  for (const [key, value] of expected) {
    const found = config[key] ?? (typeof value === 'boolean' ? false : typeof value === 'number' ? value : undefined)
    if (JSON.stringify(found) === JSON.stringify(value)) continue
    const what = `The stream ${name} has ${key} ${JSON.stringify(found)}; a log needs ${JSON.stringify(value) ?? 'none'}`
    throw new CacheError('ENGINE_REFUSED', what, { advice: `Set ${key} back, with "nats stream edit ${name}".` })
  }
}
