/** When a node tries to become the leader, on a journal that only counts the attempts. */
import test from 'ava'
import type { ReplicatedJournal } from '../../../../src/edges/cluster/journal/replicated-journal.js'
import { Election } from '../../../../src/edges/cluster/node/election.js'
import { ManualClock } from '../../../../src/testing.js'

type Outcome = Awaited<ReturnType<ReplicatedJournal['stand']>>

function electionOf(journal: { leader: string | undefined; hasLostOwnTerm: boolean }, outcome: Outcome) {
  const clock = new ManualClock()
  const attempts: number[] = []
  const counting = {
    state: 'following',
    heard: 0,
    ...journal,
    async stand(): Promise<Outcome> {
      attempts.push(clock.now())
      return outcome
    },
  }
  const election = new Election({
    journal: counting as unknown as ReplicatedJournal,
    clock,
    random: () => 0,
    isThere: async () => true,
    onTick: () => undefined,
  })
  async function pass(ms: number): Promise<number> {
    const before = attempts.length
    for (let at = 0; at < ms; at += 50) {
      clock.advance('50ms')
      await null // an attempt ends
      await null
    }
    return attempts.length - before
  }
  return { journal: counting, pass, stop: () => election.stop() }
}

for (const [what, place] of [
  ['there is no leader', { leader: undefined, hasLostOwnTerm: false }],
  ['the term is its own', { leader: undefined, hasLostOwnTerm: true }],
] as const) {
  test(`${what}: a node that was overtaken reads what overtook it before it tries again`, async (t) => {
    const { journal, pass, stop } = electionOf(place, 'overtaken')
    t.is(await pass(100), 1)
    t.is(await pass(1_000), 0, 'each attempt would end its reading')
    journal.heard++
    t.is(await pass(100), 1)
    t.is(await pass(1_600), 1, 'but it does not wait for ever')
    stop()
  })

  test(`${what}: while the log has no majority, a node tries four times a second`, async (t) => {
    const { pass, stop } = electionOf(place, 'unknown')
    const attempts = await pass(1_000)
    t.true(attempts === 4 || attempts === 3, `${attempts}`)
    stop()
  })
}
