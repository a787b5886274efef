/**
 * Power cuts, enumerated. DAYBOOK_CRASH_STATES: about how many states at most for each place of a history.
 * DAYBOOK_CRASH_HISTORIES: how many random histories, beside those written by hand. DAYBOOK_CRASH_SEED: another seed for them.
 */
import test from 'ava'
import { Exploration, type Violation } from '../helpers/crash/explore.js'
import { randomScript } from '../helpers/crash/random-script.js'
import { recoverImage } from '../helpers/crash/recover-image.js'
import { SCRIPTS } from '../helpers/crash/scripts.js'
import { Stage } from '../helpers/crash/stage.js'
import { SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { countFrom } from '../helpers/runs.js'

const STATES = countFrom('DAYBOOK_CRASH_STATES', 400)
const HISTORIES = countFrom('DAYBOOK_CRASH_HISTORIES', 150)
const SEED = countFrom('DAYBOOK_CRASH_SEED', 1)
const whole = { states: 0, recoveries: 0, nested: 0, nestedRecoveries: 0 }

function show(violations: readonly Violation[]): string {
  return violations
    .slice(0, 3)
    .map(({ script, at, what }) => `${script}, after ${at} operations: ${what}`)
    .join('\n')
}

const randomScripts = Array.from({ length: HISTORIES }, (_, at) => randomScript(SEED * 1_000 + at))

for (const script of [...SCRIPTS, ...randomScripts]) {
  test.serial(`a power cut at any place: ${script.name}`, async (t) => {
    const disk = (await script.base?.()) ?? new SimulatedDisk()
    const image = disk.image()
    const stage = new Stage(disk)
    await script.run(stage)
    const exploration = new Exploration({
      statesPerPlace: STATES,
      nestedOneIn: 40,
      nestedStatesPerPlace: 24,
      seed: SEED,
    })
    const base = image.size === 0 ? undefined : await recoverImage(image)
    const ledger = await exploration.explore(script.name, disk, base)
    const last = await recoverImage(disk.image())
    t.is(last.model.digest(), ledger.digest, 'without a power cut')
    const { states, recoveries, nestedStates, nestedRecoveries, violations } = exploration
    whole.states += states
    whole.recoveries += recoveries
    whole.nested += nestedStates
    whole.nestedRecoveries += nestedRecoveries
    t.log(
      `${disk.log.length} operations, ${states} states, ${recoveries} different; in recovery ${nestedStates}, ${nestedRecoveries} different`,
    )
    t.is(violations.length, 0, show(violations))
  })
}

test.after.always(() => {
  console.log(
    `Power cuts: ${whole.states} states (${whole.recoveries} different disks), ${whole.nested} more during recovery (${whole.nestedRecoveries} different)`,
  )
})
