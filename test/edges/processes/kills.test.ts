/**
 * Processes that change a shared cache while its owners are killed, stopped, closed, and die between the write of the journal and
 * the reply. Nothing that was acknowledged is lost, and nothing happens twice. `DAYBOOK_OWNER_ENDS` says how many owners end; CI has 30.
 */
import test from 'ava'
import { Crowd, type Ending, pause } from '../../helpers/processes/crowd.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const KILLS = Number(process.env['DAYBOOK_OWNER_ENDS'] ?? 5)
const ROUNDS = Math.ceil(KILLS / 3)
const ENDINGS: readonly Ending[] = ['after the write', 'killed', 'before the write', 'closed', 'stopped']

test.serial(
  `six processes, ${KILLS} ends of owners: nothing acknowledged is lost, and nothing happens twice`,
  async (t) => {
    t.timeout(60_000 + KILLS * 10_000)
    const crowd = new Crowd(t, temporaryDirectory(t))
    for (let count = 0; count < 6; count++) crowd.join()
    for (let kill = 0; kill < KILLS; kill++) {
      const ending = ENDINGS[kill % ENDINGS.length] as Ending
      await crowd.owner()
      await pause(Math.random() * 100)
      if (kill % 3 === 1) await crowd.compact()
      await crowd.end(ending)
      if (ending !== 'stopped') crowd.join()
    }
    await crowd.owner()
    t.deepEqual(await crowd.violations(), [])
  },
)

test.serial('a rolling restart: every process is closed in order and replaced, and no call fails', async (t) => {
  t.timeout(120_000)
  const crowd = new Crowd(t, temporaryDirectory(t))
  for (let count = 0; count < 3; count++) crowd.join()
  for (let count = 0; count < ROUNDS; count++) {
    await crowd.end('closed')
    crowd.join()
  }
  await crowd.owner()
  t.deepEqual(await crowd.violations(), [])
})

for (const [mutant, ending, sign] of [
  ['no answers', 'after the write', /doubled/],
  ['reply before the write', 'before the write', /lost|acknowledged/],
] as const) {
  test.serial(`the checker notices: ${mutant}`, async (t) => {
    t.timeout(60_000)
    const crowd = new Crowd(t, temporaryDirectory(t), mutant)
    for (let count = 0; count < 3; count++) crowd.join()
    await crowd.end(ending) // only once: of a process that is killed later nobody knows what it was answered last
    await crowd.owner()
    t.regex((await crowd.violations()).join('\n'), sign)
  })
}
