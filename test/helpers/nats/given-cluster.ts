/** Real servers and nodes for one test, which end with it. */
import { rmSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { countFrom } from '../runs.js'
import { temporaryDirectory } from '../temporary-directory.js'
import { Members } from './members.js'
import { NatsServers, withoutServers } from './nats-servers.js'
import { Network, withoutNetworks } from './network.js'

export interface GivenCluster {
  readonly root: string
  readonly servers: NatsServers
  readonly members: Members
}

const TEST_MS = 120_000

/** Three servers, and nodes to come. */
export async function givenCluster(
  t: ExecutionContext,
  { stores = {}, options = {} }: { stores?: Record<number, string>; options?: object } = {},
): Promise<GivenCluster> {
  const root = temporaryDirectory(t)
  return given(t, root, await NatsServers.onLoopback(root, { stores }), options)
}

/** The same in a network that can be cut: a server and a node at each host. */
export async function givenNetwork(t: ExecutionContext, options: object = {}) {
  const root = temporaryDirectory(t)
  const network = new Network(3)
  t.teardown(() => network.remove())
  return { network, ...(await given(t, root, new NatsServers(root, network.hosts), options)) }
}

async function given(t: ExecutionContext, root: string, servers: NatsServers, options: object): Promise<GivenCluster> {
  t.timeout(TEST_MS)
  const members = new Members(root, servers.urls, options)
  t.teardown(async () => {
    await members.end()
    await servers.end()
    rmSync(root, { recursive: true, force: true })
  })
  await servers.start()
  return { root, servers, members }
}

type Body = (t: ExecutionContext) => Promise<void>

/** How many servers are killed or stopped, one after the other; more than one in CI. */
export const FAULTS = countFrom('DAYBOOK_CLUSTER_FAULTS', 1)

/** Why a test that takes long is not run, or undefined if it is. */
const tooLong = FAULTS > 1 ? undefined : 'it takes long: DAYBOOK_CLUSTER_FAULTS=6 runs it, as CI does'

/** A test with real servers. Where it cannot run, it says why in its title, and is skipped. */
export function testWithServers(title: string, body: Body, obstacle = withoutServers): void {
  if (obstacle === undefined) test.serial(title, body)
  else test.serial.skip(`${title} (skipped: ${obstacle})`, body)
}

/** The same, in CI. */
export function longTestWithServers(title: string, body: Body, obstacle?: string): void {
  testWithServers(title, body, withoutServers ?? obstacle ?? tooLong)
}

/** A test with real servers in a network that it cuts. */
export function testWithNetwork(title: string, body: Body): void {
  testWithServers(title, body, withoutServers ?? withoutNetworks())
}

/** The same, in CI. */
export function longTestWithNetwork(title: string, body: Body): void {
  longTestWithServers(title, body, withoutNetworks())
}
