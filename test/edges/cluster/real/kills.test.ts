/**
 * Three nodes on three real servers, whose leaders are killed, stopped and closed under load. Nothing that was acknowledged is lost, and
 * nothing happens twice. `DAYBOOK_CLUSTER_KILLS` says how many leaders are killed; CI has 20.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { givenCluster, longTestWithServers, testWithServers } from '../../../helpers/nats/given-cluster.js'
import { countFrom } from '../../../helpers/runs.js'

const KILLS = countFrom('DAYBOOK_CLUSTER_KILLS', 3)
/** Longer than the others wait for a leader that says nothing. */
const STOPPED_MS = 3_000

testWithServers(`${KILLS} leaders are killed: nothing acknowledged is lost, and nothing happens twice`, async (t) => {
  const { members } = await givenCluster(t)
  t.timeout(60_000 + KILLS * 10_000)
  for (let count = 0; count < 3; count++) members.join()
  for (let kill = 0; kill < KILLS; kill++) {
    const leader = await members.leader()
    await members.progress()
    await sleep(Math.random() * 100)
    await leader.kill()
    members.join()
  }
  await members.leader()
  await members.progress()
  t.deepEqual(await members.violations(), [])
  t.log(members.figures)
})

testWithServers(
  'a leader is stopped until another one leads, and goes on: it follows, and nothing is lost',
  async (t) => {
    const { members } = await givenCluster(t)
    for (let count = 0; count < 3; count++) members.join()
    const stopped = await members.leader()
    await members.progress()
    const others = members.running.filter((member) => member !== stopped)
    stopped.child.kill('SIGSTOP')
    await members.until('another leader', () => others.some(({ role }) => role === 'leader'))
    await members.progress(20, others)
    stopped.child.kill('SIGCONT')
    await members.until('step-down', () => stopped.role === 'follower')
    await members.progress()
    t.deepEqual(await members.violations(), [])
    t.log(members.figures)
  },
)

longTestWithServers('every node is stopped for a while, and goes on', async (t) => {
  const { members } = await givenCluster(t)
  for (let count = 0; count < 3; count++) members.join()
  await members.leader()
  await members.progress()
  for (const { child } of members.running) child.kill('SIGSTOP')
  await sleep(STOPPED_MS)
  for (const { child } of members.running) child.kill('SIGCONT')
  await members.progress()
  t.deepEqual(await members.violations(), [])
  t.log(members.figures)
})

longTestWithServers('a rolling restart: every node is closed in order and replaced, and no call fails', async (t) => {
  const { members } = await givenCluster(t)
  for (let count = 0; count < 3; count++) members.join()
  for (const member of [...members.all]) {
    await members.leader()
    await members.progress()
    await member.leave()
    members.join()
  }
  await members.leader()
  await members.progress()
  t.deepEqual(await members.violations(), [])
  t.deepEqual(
    members.all.flatMap(({ failures }) => failures),
    [],
  )
  t.log(members.figures)
})

testWithServers('all nodes are killed at once: those that come have everything that was acknowledged', async (t) => {
  const { members } = await givenCluster(t)
  for (let count = 0; count < 3; count++) members.join()
  await members.leader()
  await members.progress()
  await Promise.all(members.running.map((member) => member.kill()))
  for (let count = 0; count < 3; count++) members.join()
  await members.leader()
  await members.progress()
  t.deepEqual(await members.violations(), [])
  t.log(members.figures)
})
