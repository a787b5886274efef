/** The checker is checked: what catches nothing when the protocol is broken proves nothing when it is not. */
import test from 'ava'
import { SimulatedDisk } from '../storage/simulated-disk.js'
import { BROKEN_PROTOCOLS } from './broken-protocols.js'
import { Exploration, recoverImage, Stage } from './explore.js'
import { randomScript } from './random-script.js'
import { SCRIPTS } from './scripts.js'

let caught = 0

for (const { name, wrap } of BROKEN_PROTOCOLS) {
  test.serial(`caught: a journal that ${name}`, async (t) => {
    const exploration = new Exploration({
      statesPerPlace: 300,
      nestedOneIn: 5,
      nestedStatesPerPlace: 24,
      seed: 1,
      wrap,
      isImpatient: true,
    })
    for (const script of [...SCRIPTS, ...Array.from({ length: 40 }, (_, at) => randomScript(at))]) {
      let disk: SimulatedDisk
      try {
        disk = (await script.base?.((storage) => storage)) ?? new SimulatedDisk()
        const image = disk.image()
        const base = image.size === 0 ? undefined : await recoverImage(image, (storage) => storage)
        await script.run(new Stage(disk, wrap))
        await exploration.explore(script.name, disk, base)
      } catch (error) {
        exploration.violations.push({ script: script.name, at: -1, what: `${error}`, image: new Map() })
      }
      if (exploration.isOver) break
    }
    const { states, nestedStates, violations } = exploration
    t.log(
      `after ${states + nestedStates} states: ${violations[0]?.script}: ${violations[0]?.what.split('\n')[0]?.slice(0, 160)}`,
    )
    t.true(violations.length > 0)
    caught++
  })
}

test.after.always(() => console.log(`Broken protocols: ${caught} of ${BROKEN_PROTOCOLS.length} caught`))
