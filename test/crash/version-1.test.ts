/** A version 1 journal that is damaged, or whose power is cut while it is continued in version 2. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { CorruptionError } from '../../src/errors.js'
import { Exploration } from '../helpers/crash/explore.js'
import { recoverImage } from '../helpers/crash/recover-image.js'
import { DIRECTORY, Stage } from '../helpers/crash/stage.js'
import { GOLDEN_V1_FOLDER } from '../helpers/durable/golden-journal.js'
import { SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { type Files, framesOf, withFile } from '../helpers/durable/written-journal.js'

function filesOf(name: string): Files {
  const folder = join(GOLDEN_V1_FOLDER, name)
  const files: Files = new Map([[`${DIRECTORY}/LOCK`, new Uint8Array(0)]])
  for (const file of readdirSync(folder))
    files.set(`${DIRECTORY}/${file}`, new Uint8Array(readFileSync(join(folder, file))))
  return files
}

for (const name of ['example', 'compacted', 'loaded']) {
  test(`a power cut at any moment, while a version 1 journal (${name}) is opened and continued, loses nothing`, async (t) => {
    const files = filesOf(name)
    const base = await recoverImage(files)
    t.is(base.error, undefined)
    const disk = SimulatedDisk.of(files)
    const stage = new Stage(disk)
    const cache = await stage.open({ fsync: 'never' })
    cache.set('new', 1)
    await stage.flush(cache)
    cache.set('newer', 2)
    await cache.close()
    const exploration = new Exploration({ statesPerPlace: 12, nestedOneIn: 10, nestedStatesPerPlace: 3, seed: 7 })
    await exploration.explore(name, disk, base)
    t.deepEqual(exploration.violations.map(({ at, what }) => `${at}: ${what}`).slice(0, 5), [])
    t.true(exploration.recoveries > 5)
  })

  test(`flipped bits and every length of a version 1 journal (${name}) is found`, async (t) => {
    const files = filesOf(name)
    const wrong: string[] = []
    const judge = async (damaged: Files, what: string) => {
      const { error, report } = await recoverImage(damaged)
      const isFound = error instanceof CorruptionError || report?.setAside !== undefined
      const isNewer = (error as { code?: string } | undefined)?.code === 'UNSUPPORTED_VERSION'
      if (!isFound || isNewer) wrong.push(`${what}: ${error ?? 'not found'}`)
    }
    for (const [path, content] of files) {
      if (path.endsWith('LOCK')) continue
      for (let bit = 0; bit < content.length * 8; bit += 3) {
        const damaged = content.slice()
        damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
        await judge(withFile(files, path, damaged), `${path}, bit ${bit}`)
      }
      const ends = new Set(framesOf(content).map(({ offset, length }) => offset + length))
      for (let length = 0; length < content.length; length++) {
        // A segment that ends between two frames, or with its header, looks like one that was killed there.
        if (path.endsWith('segment') && (length <= 64 || ends.has(length))) continue
        await judge(withFile(files, path, content.slice(0, length)), `${path}, ${length} bytes`)
      }
    }
    t.deepEqual(wrong.slice(0, 10), [])
  })
}
