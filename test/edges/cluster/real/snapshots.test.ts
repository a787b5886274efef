/** Snapshots and trimming on real servers: nodes that were away, that are new, that compact at once, and objects that are damaged. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { openCluster } from '../../../../src/cluster.js'
import type { Log, LogRecord } from '../../../../src/edges/cluster/log.js'
import { nats } from '../../../../src/nats.js'
import {
  type GivenCluster,
  givenCluster,
  givenNetwork,
  longTestWithNetwork,
  longTestWithServers,
  testWithServers,
} from '../../../helpers/nats/given-cluster.js'
import { CLUSTER, type Member, NO_LOAD } from '../../../helpers/nats/members.js'

/** So many that a snapshot takes a while to write. */
const LARGE_VALUES = 400
/** So little that nodes compact all the time. */
const OFTEN = { compaction: { journalBytes: 64 * 1024, factor: 0, segmentBytes: 1024 * 1024 } }

async function threeNodes(given: GivenCluster): Promise<Member> {
  for (let count = 0; count < 3; count++) given.members.join()
  const leader = await given.members.leader()
  await given.members.progress()
  return leader
}

/** The log of the cluster, as an outsider sees it. */
async function logOf(t: ExecutionContext, { servers }: GivenCluster): Promise<Log> {
  const log = nats({ servers: servers.urls, replicas: 3 })(CLUSTER, 'outsider')
  t.teardown(() => log.close())
  await log.open()
  return log
}

/** The servers may be electing, or the one that the outsider is connected to may be cut off. */
async function newest(log: Log): ReturnType<Log['snapshots']['latest']> {
  for (;;)
    try {
      return await log.snapshots.latest()
    } catch {
      await sleep(50)
    }
}

/** Two snapshots of what is there now, so that the log is trimmed up to the first one. */
async function trim(log: Log, by: Member): Promise<void> {
  for (let count = 0; count < 2; count++) {
    const { revision } = await newest(log)
    by.tell('compact')
    for (;;) {
      if ((await newest(log)).revision !== revision) break
      await sleep(50)
    }
  }
}

longTestWithNetwork(
  'a node that was away until the log was trimmed goes on from a snapshot, and says what it left out',
  async (t) => {
    const given = await givenNetwork(t)
    const { members, network } = given
    const nodes = network.hosts.map((host) => members.join(undefined, host))
    const leader = await members.leader()
    await members.progress()
    const log = await logOf(t, given)
    const [away, other] = nodes.filter((member) => member !== leader) as [Member, Member]
    network.cutOff(nodes.indexOf(away))
    await members.progress(200, [leader, other])
    await trim(log, other)
    network.heal()
    await members.until('resync', () => / resynced /.test(away.witness().changes))
    await members.progress()
    t.deepEqual(await members.violations(network.hosts[0]), [])
    t.log(members.figures)
  },
)

longTestWithServers('the log is trimmed by bytes, and a new node has everything', async (t) => {
  const given = await givenCluster(t, { options: OFTEN })
  const { members } = given
  await threeNodes(given)
  const log = await logOf(t, given)
  while ((await log.open()).first === 1) await members.progress(100)
  await Promise.all(members.running.map((member) => member.kill()))
  for (let count = 0; count < 3; count++) members.join()
  await members.progress()
  t.deepEqual(await members.violations(), [])
  const { first, last } = await log.open()
  const { pointer } = await log.snapshots.latest()
  t.true((await log.snapshots.names()).length <= 3, 'what was replaced is removed, but for what is written now')
  t.log(`records ${first} to ${last}, snapshot of ${pointer?.position}; ${members.figures}`)
})

testWithServers(
  'two nodes compact at once, again and again, and one is killed meanwhile: nothing is lost',
  async (t) => {
    const given = await givenCluster(t)
    const { members } = given
    await threeNodes(given)
    for (let count = 0; count < 3; count++) {
      const leader = await members.leader()
      const [one, other] = members.running.filter((member) => member !== leader) as [Member, Member]
      one.tell('compact')
      other.tell('compact')
      await sleep(Math.random() * 50)
      await one.kill()
      members.join()
      await members.progress()
    }
    t.deepEqual(await members.violations(), [])
    t.log(members.figures)
  },
)

testWithServers('a node that is killed while it writes a snapshot leaves nothing in the object store', async (t) => {
  const given = await givenCluster(t)
  const { members, servers } = given
  const cache = await openCluster({ name: CLUSTER, engine: nats({ servers: servers.urls, replicas: 3 }) })
  t.teardown(() => cache.close())
  for (let at = 0; at < LARGE_VALUES; at++) await cache.set(`large ${at}`, 'x'.repeat(64 * 1024))
  const log = await logOf(t, given)
  const unfinished = async () => (await log.snapshots.unfinished?.()) ?? []
  // Until one was killed in time.
  while ((await unfinished()).length === 0) {
    const victim = members.join(NO_LOAD)
    await members.until('node', () => victim.isReady)
    await cache.set('small', 1) // otherwise there is nothing to write
    victim.tell('compact')
    for (let tries = 0; tries < 200 && (await unfinished()).length === 0; tries++) await sleep(5)
    await victim.kill()
  }
  t.regex((await unfinished())[0] ?? '', /^snapshot-/)
  for (let count = 0; count < 3; count++) {
    await cache.set('small', count)
    await cache.compact()
  }
  t.deepEqual(await unfinished(), [])
  const { pointer } = await log.snapshots.latest()
  t.deepEqual([...(await log.snapshots.names())].sort(), [pointer?.previous?.name, pointer?.name].sort())
})

for (const [what, spoil] of [
  ['missing', (log: Log, name: string) => log.snapshots.remove(name)],
  [
    'damaged',
    async (log: Log, name: string) => {
      const parts: Uint8Array[] = []
      for await (const part of log.snapshots.read(name)) parts.push(part)
      const bytes = Buffer.concat(parts)
      flip(bytes, bytes.length >> 1)
      await log.snapshots.remove(name)
      await log.snapshots.write(name, chunks(bytes))
    },
  ],
] as [string, (log: Log, name: string) => Promise<void>][]) {
  const declare = what === 'missing' ? testWithServers : longTestWithServers
  declare(`the newest snapshot is ${what}: the one before it is read; without any, a node says so`, async (t) => {
    const given = await givenCluster(t)
    const { members } = given
    const leader = await threeNodes(given)
    const log = await logOf(t, given)
    await trim(log, members.running.find((member) => member !== leader) as Member)
    const { pointer } = await log.snapshots.latest()
    await spoil(log, pointer?.name as string)
    const late = members.join()
    await members.until('new node', () => late.isReady)
    await members.progress()
    t.deepEqual(await members.violations(), [])
    await spoil(log, pointer?.previous?.name as string)
    const lost = members.join(NO_LOAD)
    t.not(await lost.ended, 0)
    t.regex(lost.errors, /CorruptionError/)
  })
}

testWithServers('a flipped bit in a record: no node goes on from it, and each says so', async (t) => {
  const given = await givenCluster(t)
  const { members } = given
  await threeNodes(given)
  const log = await logOf(t, given)
  for (;;) {
    const { record, at } = await lastFrame(log)
    const body = Buffer.from(record.body)
    flip(body, body.length >> 1)
    try {
      await log.append({ ...record, body }, at)
      break
    } catch {
      // The leader was faster.
    }
  }
  await members.until('refusals', () => members.all.every(({ failures }) => failures.length > 0))
  for (const { failures } of members.all) t.is(failures[0]?.code, 'CORRUPTION')
  const late = members.join(NO_LOAD)
  t.not(await late.ended, 0)
  t.regex(late.errors, /CorruptionError/)
})

async function lastFrame(log: Log): Promise<{ record: LogRecord; at: number }> {
  const { last } = await log.open()
  return new Promise((resolve, reject) => {
    const following = log.follow(last, {
      take: (record, at) => {
        following.stop()
        resolve({ record, at })
      },
      gap: reject,
    })
  })
}

function flip(bytes: Buffer, at: number): void {
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
}

async function* chunks(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
