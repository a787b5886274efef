/** A connection to NATS that outlives its server. Before: nats-log and nats-status. After: the client library. */
import { connect, type NatsConnection, type NodeConnectionOptions, type Server } from '@nats-io/transport-node'
import { checkVersion } from './nats-errors.js'

const CONNECTING_MS = 2_000

/** @throws whatever the library does; CacheError if the server is too old. */
export async function connectTo(options: NodeConnectionOptions, name: string): Promise<NatsConnection> {
  const connection = await connect({
    name: `daybook ${name}`,
    timeout: CONNECTING_MS, // a server that is stopped accepts connections and then says nothing
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 100,
    // A server that is stopped answers no ping; its clients move to another one.
    pingInterval: 1_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    reconnectToServer: longestUntried,
    // Otherwise a connection that is not let in twice ends, and the node with it, even if its user is allowed again.
    ignoreAuthErrorAbort: true,
    ...options,
  })
  try {
    checkVersion(connection)
    return connection
  } catch (error) {
    await connection.close()
    throw error
  }
}

/** Otherwise the client may begin with the server that it has just lost, and wait for it. */
function longestUntried(servers: readonly Server[]): Server {
  return servers.reduce((one, other) => (other.lastConnect < one.lastConnect ? other : one))
}

export function serversOf({ servers = [] }: NodeConnectionOptions): string {
  return [servers].flat().join(', ')
}
