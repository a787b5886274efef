/** The checker is checked: if it found nothing in broken protocols, finding nothing in the real one would prove nothing. */
import test from 'ava'
import { CorruptionError } from '../../src/errors.js'
import { BROKEN_PROTOCOLS, type BrokenProtocol } from '../helpers/crash/broken-protocols.js'
import { Exploration } from '../helpers/crash/explore.js'
import { randomScript } from '../helpers/crash/random-script.js'
import { recoverImage } from '../helpers/crash/recover-image.js'
import { SCRIPTS } from '../helpers/crash/scripts.js'
import { Stage, UNCHANGED, type Wrap } from '../helpers/crash/stage.js'
import { frameDamages } from '../helpers/durable/frame-damages.js'
import { SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { framesOf, segment, withFile, writeJournal } from '../helpers/durable/written-journal.js'

let caught = 0

/** How many states were tried, and what was found. */
interface Search {
  tried: number
  found: string | undefined
}

for (const protocol of BROKEN_PROTOCOLS) {
  test.serial(`caught: a journal that ${protocol.name}`, async (t) => {
    const { tried, found } = await search(protocol)
    t.log(`after ${tried} states: ${found?.split('\n')[0]?.slice(0, 160)}`)
    t.not(found, undefined)
    caught++
  })
}

test('the same searches find nothing in the real protocol', async (t) => {
  t.is((await amongMovedFrames(UNCHANGED)).found, undefined)
  t.is((await amongRottenBytes(UNCHANGED)).found, undefined)
})

test.after.always(() => console.log(`Broken protocols: ${caught} of ${BROKEN_PROTOCOLS.length} caught`))

function search({ wrap, caughtBy }: BrokenProtocol): Promise<Search> {
  if (caughtBy === 'moved frames') return amongMovedFrames(wrap)
  return caughtBy === 'rotten bytes' ? amongRottenBytes(wrap) : amongPowerCuts(wrap)
}

async function amongPowerCuts(wrap: Wrap): Promise<Search> {
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
      disk = (await script.base?.()) ?? new SimulatedDisk()
      const image = disk.image()
      const base = image.size === 0 ? undefined : await recoverImage(image)
      await script.run(new Stage(disk, wrap))
      await exploration.explore(script.name, disk, base)
    } catch (error) {
      exploration.violations.push({ script: script.name, at: -1, what: `${error}`, image: new Map() })
    }
    if (exploration.isOver) break
  }
  const { states, nestedStates, violations } = exploration
  const [first] = violations
  return { tried: states + nestedStates, found: first && `${first.script}: ${first.what}` }
}

/** Frames swapped, duplicated or dropped: each must be refused. */
async function amongMovedFrames(wrap: Wrap): Promise<Search> {
  let tried = 0
  const journal = await writeJournal({ isClean: true, hasSnapshot: false, segmentBytes: 1e9, wrap })
  for (const { what, files, isRefused } of frameDamages(journal)) {
    if (!isRefused) continue
    tried++
    const { error, sequence } = await recoverImage(files, wrap)
    if (!(error instanceof CorruptionError)) return { tried, found: `${what}: recovered through sequence ${sequence}` }
  }
  return { tried, found: undefined }
}

/** A byte of each frame is flipped: nothing that was durable may be cut off. */
async function amongRottenBytes(wrap: Wrap): Promise<Search> {
  let tried = 0
  const { files, ledger } = await writeJournal({ isClean: true, hasSnapshot: false, segmentBytes: 1e9, wrap })
  const content = files.get(segment(1)) as Uint8Array
  for (const { offset, kind, count } of framesOf(content)) {
    if (kind !== 'events' || count === 0) continue
    tried++
    const rotten = content.with(offset + 99, 255 ^ (content[offset + 99] as number))
    const { error, sequence } = await recoverImage(withFile(files, segment(1), rotten), wrap)
    if (error === undefined && sequence < ledger.required)
      return { tried, found: `byte ${offset + 99}: cut to sequence ${sequence}, and ${ledger.required} was durable` }
  }
  return { tried, found: undefined }
}
