/** The simulation is checked: it finds every protocol with a broken rule. */
import test from 'ava'
import { MUTANTS } from '../../helpers/cluster/mutants.js'
import { randomScript } from '../../helpers/cluster/random-script.js'
import { play } from '../../helpers/cluster/simulation.js'

const HISTORIES_MAX = 300

for (const mutant of MUTANTS) {
  test.serial(`found: a cluster that ${mutant.name}`, async (t) => {
    const { firstSeed = 1 } = mutant
    let found: readonly string[] = []
    let count = 0
    while (found.length === 0 && count < HISTORIES_MAX)
      found = (await play(randomScript(firstSeed + count++), mutant)).violations
    t.log(`after ${count} histories: ${found[0]?.split('\n')[0]?.slice(0, 160)}`)
    t.true(found.length > 0)
  })
}
