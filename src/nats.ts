/**
 * `daybook/nats`: the log of a cluster on NATS JetStream, for `openCluster({ engine: nats({ servers }) })`. It needs
 * @nats-io/transport-node, @nats-io/jetstream, @nats-io/kv and @nats-io/obj beside daybook.
 */
import type { NodeConnectionOptions } from '@nats-io/transport-node'
import { checkOptions } from './cache/arguments/arguments.js'
import type { Engine } from './edges/cluster/log.js'
import { NatsLog } from './edges/cluster/nats/nats-log.js'
import { mustBe } from './errors.js'

export type { Engine } from './edges/cluster/log.js'

/** Whatever `connect` of @nats-io/transport-node accepts, credentials and TLS among it, and: */
export interface NatsOptions extends NodeConnectionOptions {
  /** Addresses, `host:port`: some of the servers of the NATS cluster. */
  servers: string | string[]
  /**
   * How many servers keep the log: with 3 it survives the loss of any one, with 5 of any two. With 1 it is lost with its server.
   * The default is 3.
   */
  replicas?: 1 | 3 | 5
}

const OPTION_NAMES = Object.keys({
  servers: true,
  replicas: true,
  authenticator: true,
  debug: true,
  ignoreAuthErrorAbort: true,
  ignoreClusterUpdates: true,
  inboxPrefix: true,
  maxPingOut: true,
  maxReconnectAttempts: true,
  name: true,
  noAsyncTraces: true,
  noEcho: true,
  noRandomize: true,
  pass: true,
  pedantic: true,
  pingInterval: true,
  port: true,
  reconnect: true,
  reconnectDelayHandler: true,
  reconnectJitter: true,
  reconnectJitterTLS: true,
  reconnectTimeWait: true,
  reconnectToServer: true,
  resolve: true,
  timeout: true,
  tls: true,
  token: true,
  user: true,
  verbose: true,
  waitOnFirstConnect: true,
} satisfies Record<keyof NatsOptions, true>)

/** @throws {TypeError} for options that are not such. What is wrong with the servers is said when a node opens its log. */
export function nats(options: NatsOptions): Engine {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(mustBe('options', "an object, like { servers: 'localhost:4222' }", options))
  const { servers, replicas = 3, ...others } = checkOptions(options, OPTION_NAMES)
  const isAddress = (one: unknown) => typeof one === 'string' && one !== ''
  if (![servers].flat().every(isAddress) || servers.length === 0)
    throw new TypeError(mustBe('servers', 'an address or a list of addresses', servers))
  if (![1, 3, 5].includes(replicas)) throw new TypeError(mustBe('replicas', '1, 3 or 5', replicas))
  return (name) => new NatsLog(name, replicas, { ...others, servers })
}
