/**
 * Three hosts, each with a server and a node, in a network that is cut and healed at random. `DAYBOOK_CLUSTER_CUTS` says how often; CI has
 * 4. `DAYBOOK_CLUSTER_SEED` repeats a run, as far as processes can.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { givenNetwork, longTestWithNetwork, testWithNetwork } from '../../../helpers/nats/given-cluster.js'
import type { Member, Members } from '../../../helpers/nats/members.js'
import type { Network } from '../../../helpers/nats/network.js'
import { Random } from '../../../helpers/random.js'
import { countFrom } from '../../../helpers/runs.js'

const CUTS = countFrom('DAYBOOK_CLUSTER_CUTS', 2)
const SEED = countFrom('DAYBOOK_CLUSTER_SEED', Date.now() % 1_000_000)
const LONGEST_CUT_MS = 4_000
/** A node gives up a call after this long, so that a test sees why. */
const RECONNECT_S = 2

async function threeNodes(members: Members, network: Network): Promise<Member[]> {
  const nodes = network.hosts.map((host) => members.join(undefined, host))
  await members.leader()
  await members.progress()
  return nodes
}

testWithNetwork(`${CUTS} cuts at random: nothing acknowledged is lost, and nothing happens twice`, async (t) => {
  const { network, members } = await givenNetwork(t)
  t.timeout(180_000 + CUTS * 20_000)
  t.log(`DAYBOOK_CLUSTER_SEED=${SEED}`)
  const random = new Random(SEED)
  await threeNodes(members, network)
  for (let cut = 0; cut < CUTS; cut++) {
    const [one, other] = [random.below(3), 1 + random.below(2)]
    if (random.below(3) > 0) network.cutOff(one)
    else network.cutBetween(one, (one + other) % 3)
    await sleep(random.below(LONGEST_CUT_MS))
    network.heal()
    await sleep(random.below(LONGEST_CUT_MS / 4)) // sometimes too short to recover
    if (random.below(2) === 0) await members.progress()
  }
  await members.progress()
  t.deepEqual(await members.violations(network.hosts[0]), [])
  t.log(members.figures)
})

longTestWithNetwork('a leader that is cut off refuses writes and says why, while the others go on', async (t) => {
  const { network, members } = await givenNetwork(t, { reconnectTimeout: RECONNECT_S })
  const nodes = await threeNodes(members, network)
  const leader = await members.leader()
  const others = nodes.filter((member) => member !== leader)
  network.cutOff(nodes.indexOf(leader))
  await members.until('another leader', () => others.some(({ role }) => role === 'leader'))
  const before = leader.failures.length
  await members.until('refusal', () => leader.failures.length > before)
  await members.progress(20, others)
  for (const { code, message } of leader.failures) {
    t.is(code, 'OWNER_UNAVAILABLE')
    t.regex(message, /no leader in time, or this node could not reach it/)
  }
  t.is(leader.role, 'follower')
  network.heal()
  await members.progress()
  t.deepEqual(await members.violations(network.hosts[0]), [])
  t.log(members.figures)
})

longTestWithNetwork(
  'all hosts are cut off from each other: every node refuses writes, and reads its copy',
  async (t) => {
    const { network, members } = await givenNetwork(t, { reconnectTimeout: RECONNECT_S })
    const nodes = await threeNodes(members, network)
    for (const at of network.hosts.keys()) network.cutOff(at)
    await members.until('refusals', () => nodes.every(({ failures }) => failures.length > 0))
    const answered = nodes.map((node) => node.answered)
    await sleep(500)
    t.deepEqual(
      nodes.map((node) => node.answered),
      answered,
    )
    network.heal()
    await members.progress()
    t.deepEqual(await members.violations(network.hosts[0]), [])
    t.log(members.figures)
  },
)
