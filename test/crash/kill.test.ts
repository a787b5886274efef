/**
 * SIGKILL at random moments, many times, on one directory per fsync policy, with segments rotating and compaction running.
 * DAYBOOK_KILLS: how many, all policies together. DAYBOOK_KILL_SEED: other moments.
 */
import test from 'ava'
import { openCache } from '../../src/index.js'
import { checkEntries, checkRounds, Rounds, start } from '../helpers/crash/processes.js'
import { Random } from '../helpers/random.js'
import { countFrom } from '../helpers/runs.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const KILLS = countFrom('DAYBOOK_KILLS', 24)
const SEED = countFrom('DAYBOOK_KILL_SEED', Date.now())
const POLICIES = ['always', 'everysec', 'never'] as const
const whole = { kills: 0, acknowledged: 0, lost: 0, beyond: 0, torn: 0, snapshots: 0 }

POLICIES.forEach((fsync, place) => {
  test(`SIGKILL under ${fsync}: nothing acknowledged is lost, and every turn is there completely or not at all`, async (t) => {
    t.timeout(20 * 60_000)
    const directory = temporaryDirectory(t)
    const random = new Random(SEED + place * 7919)
    const rounds = await Rounds.begin()
    let before = 0
    for (let kill = 0; kill < Math.ceil(KILLS / POLICIES.length); kill++) {
      const running = start(t, ['rounds', directory, fsync])
      await running.printed(1 + random.below(random.below(4) === 0 ? 1_500 : 200))
      running.child.kill('SIGKILL')
      const { signal, errors } = await running.ended
      t.is(signal, 'SIGKILL', errors)
      const acknowledged = Math.max(before, ...running.lines.map(Number))
      const cache = await openCache({ directory, maxSize: 100_000, compaction: false })
      const found = checkRounds(t, cache, acknowledged)
      checkEntries(t, cache, rounds, found)
      whole.kills++
      whole.acknowledged += acknowledged - before
      if (found < acknowledged) whole.lost += acknowledged - found
      whole.beyond += found - acknowledged
      if (cache.recovery.setAside !== undefined) whole.torn++
      if (cache.recovery.snapshot !== undefined) whole.snapshots++
      before = found
      await cache.close()
    }
  })
})

test.after.always(() => {
  console.log(
    `SIGKILL: ${whole.kills} kills, ${whole.acknowledged} acknowledged rounds, ${whole.lost} lost; ${whole.beyond} kept beyond those; ` +
      `${whole.torn} torn tails, ${whole.snapshots} recoveries from a snapshot (seed ${SEED})`,
  )
})
