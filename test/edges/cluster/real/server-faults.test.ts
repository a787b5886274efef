/**
 * Three nodes on three real servers, of which one, two or all are killed, stopped, or have no room on their disks. Nothing that was
 * acknowledged is lost, and nothing happens twice. `DAYBOOK_CLUSTER_FAULTS` says how many servers are killed and stopped; CI has 6.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { canMount } from '../../../helpers/crash/machine.js'
import {
  FAULTS,
  type GivenCluster,
  givenCluster,
  longTestWithServers,
  testWithServers,
} from '../../../helpers/nats/given-cluster.js'
import type { Member } from '../../../helpers/nats/members.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

/** Of the log of the cluster that members join. */
const STREAM = 'daybook-tested'
/** A node gives up a call after this long, so that a test sees why. */
const RECONNECT_S = 2
const MIB = 1024 * 1024

async function threeNodes(given: GivenCluster): Promise<GivenCluster> {
  const { members } = given
  for (let count = 0; count < 3; count++) members.join()
  await members.leader()
  await members.progress()
  return given
}

/** Which server is meant: one that does something for the log, or the nodes. */
const CHOICES: readonly [string, (given: GivenCluster) => Promise<number | undefined>][] = [
  ['leads the log', ({ servers }) => servers.leaderOf(STREAM)],
  ['hosts a consumer of it', async ({ servers }) => (await servers.consumerHosts(STREAM))[0]],
  [
    'has most connections',
    async ({ servers }) => {
      const counts = await servers.connections()
      return counts.indexOf(Math.max(...counts.map((count = 0) => count)))
    },
  ],
]

for (let fault = 0; fault < FAULTS; fault++) {
  const [what, choose] = CHOICES[(fault >> 1) % CHOICES.length] as (typeof CHOICES)[number]
  const how = fault % 2 === 0 ? 'killed' : 'stopped'
  testWithServers(`${fault + 1}: the server that ${what} is ${how}: writes go on, and nothing is lost`, async (t) => {
    const given = await threeNodes(await givenCluster(t))
    const { servers, members } = given
    const at = (await choose(given)) as number
    t.is(typeof at, 'number')
    const fromMs = performance.now()
    if (how === 'killed') await servers.kill(at)
    else servers.pause(at)
    await members.progress()
    const stalledMs = performance.now() - fromMs
    if (how === 'killed') servers.startOne(at)
    else servers.resume(at)
    await servers.ready()
    await members.progress()
    t.deepEqual(await members.violations(), [])
    t.log(`${Math.round(stalledMs)} ms until every node was answered again; ${members.figures}`)
  })
}

testWithServers('two of three servers are killed: writes are refused, copies are read; then they go on', async (t) => {
  const given = await threeNodes(await givenCluster(t, { options: { reconnectTimeout: RECONNECT_S } }))
  const { servers, members } = given
  await Promise.all([servers.kill(0), servers.kill(1)])
  await refusals(t, given)
  servers.startOne(0)
  servers.startOne(1)
  await members.progress()
  t.deepEqual(await members.violations(), [])
  t.log(members.figures)
})

longTestWithServers('all servers are killed: writes are refused, copies are read; then they go on', async (t) => {
  const given = await threeNodes(await givenCluster(t, { options: { reconnectTimeout: RECONNECT_S } }))
  const { servers, members } = given
  await servers.end()
  await refusals(t, given)
  for (const at of servers.hosts.keys()) servers.startOne(at)
  await members.progress()
  t.deepEqual(await members.violations(), [])
  t.log(members.figures)
})

/** Every node refuses calls, and says why. What it then reads of its own copy is judged at the end: `member.ts`. */
async function refusals(t: ExecutionContext, { members }: GivenCluster): Promise<void> {
  const before = members.running.map(({ failures }) => failures.length)
  await members.until('refusals', () =>
    members.running.every(({ failures }, at) => failures.length > (before[at] ?? 0)),
  )
  for (const { failures } of members.running)
    for (const { code, message } of failures) {
      t.is(code, 'OWNER_UNAVAILABLE')
      t.regex(message, /no leader in time, or this node could not reach it/)
    }
}

/** A server without room for a byte may hold up the others for a while. */
async function answersOrRefusals({ members }: GivenCluster): Promise<void> {
  const count = ({ answered, failures }: Member) => answered + failures.length
  const before = members.running.map(count)
  await members.until('outcomes', () =>
    members.running.every((member, at) => count(member) >= (before[at] as number) + 20),
  )
}

const noSmallDisks = canMount ? undefined : 'this machine cannot mount a tmpfs'

for (const [what, full] of [
  ['the server that leads the log', (leader: number) => [leader]],
  ['all servers', () => [0, 1, 2]],
] as [string, (leader: number) => number[]][]) {
  longTestWithServers(
    `the disks of ${what} are full: writes go on or are refused, and nothing is lost`,
    async (t) => {
      const disks = [0, 1, 2].map(() => smallDisk(t))
      const given = await threeNodes(
        await givenCluster(t, { stores: { ...disks }, options: { reconnectTimeout: RECONNECT_S } }),
      )
      const { servers, members } = given
      const chosen = full((await servers.leaderOf(STREAM)) as number)
      for (const at of chosen) fill(disks[at] as string)
      if (chosen.length === 3) await refusals(t, given)
      else await answersOrRefusals(given)
      for (const at of chosen) {
        await servers.kill(at)
        rmSync(join(disks[at] as string, BALLAST))
        servers.startOne(at)
      }
      await servers.ready()
      if (servers.haveLostStreams) {
        t.log('the servers have lost their streams: nothing to go on with')
        t.deepEqual(members.wrong, [])
        return
      }
      await members.progress()
      t.deepEqual(await members.violations(), [])
      t.log(members.figures)
    },
    noSmallDisks,
  )
}

const BALLAST = 'ballast'

function smallDisk(t: ExecutionContext): string {
  const disk = join(temporaryDirectory(t), 'disk')
  mkdirSync(disk)
  spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${64 * MIB}`, 'tmpfs', disk])
  t.teardown(() => spawnSync('umount', ['--lazy', disk]))
  return disk
}

/** Leaves not a byte. */
function fill(disk: string): void {
  const { bavail, bsize } = statfsSync(disk)
  const ballast = openSync(join(disk, BALLAST), 'w')
  for (let bytes = Math.max(MIB, bavail * bsize); bytes >= 1; bytes = Math.floor(bytes / 2))
    try {
      while (writeSync(ballast, Buffer.alloc(bytes)) === bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  closeSync(ballast)
}
