/**
 * Histories of a cluster on `MemoryLog`, each from a seed: what clients ask, and what fails meanwhile. `DAYBOOK_HISTORIES` says how
 * many; CI runs 2,000.
 */
import test from 'ava'
import { FOUND } from '../../helpers/cluster/found.js'
import { randomScript } from '../../helpers/cluster/random-script.js'
import { shown } from '../../helpers/cluster/script.js'
import { shortened } from '../../helpers/cluster/shorten.js'
import { play } from '../../helpers/cluster/simulation.js'
import { countFrom } from '../../helpers/runs.js'

const FIRST = Number(process.env['DAYBOOK_FIRST_HISTORY'] ?? 1)
const HISTORIES = countFrom('DAYBOOK_HISTORIES', 100)

for (const [what, script] of Object.entries(FOUND))
  test(`found once: ${what}`, async (t) => t.deepEqual((await play(script)).violations, []))

test('every history is linearizable, has each acknowledged change once, and ends with nodes that agree', async (t) => {
  t.timeout(3_600_000)
  let calls = 0
  for (let seed = FIRST; seed < FIRST + HISTORIES; seed++) {
    const script = randomScript(seed)
    const { violations, calls: made } = await play(script)
    calls += made.length
    if (violations.length === 0) continue
    const short = await shortened(script, async (shorter) => (await play(shorter)).violations.length > 0)
    const { violations: left } = await play(short)
    t.fail(`seed ${seed}:\n${violations.join('\n')}\n\nshortened: ${shown(short)}\n${left.join('\n')}`)
    return
  }
  t.log(`${HISTORIES} histories, ${calls} calls`)
  t.pass()
})
