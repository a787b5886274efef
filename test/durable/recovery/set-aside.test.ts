/** Everything that recovery cuts off is kept, whatever was kept before, and wherever a crash or a fault interrupts it. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { setAside } from '../../../src/durable/recovery/set-aside.js'
import { disk as realDisk } from '../../../src/durable/storage/disk.js'
import type { StorageFile } from '../../../src/durable/storage/storage.js'
import { DiskHistory } from '../../helpers/crash/crash-states.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { type Image, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { storageLike } from '../../helpers/durable/storage-like.js'
import { type Files, framesOf, segmentsOf, withFile, writeJournal } from '../../helpers/durable/written-journal.js'
import { Random } from '../../helpers/random.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const PATH = '/j/0000000000000001.segment'
const bytesOf = (...parts: [number, number][]) =>
  Buffer.concat(parts.map(([value, count]) => Buffer.alloc(count, value)))
const SOUND = bytesOf([1, 700])

/** A segment of 700 sound bytes and a tail, beside files that were set aside earlier. */
function diskWith(tail: Uint8Array, earlier: Record<string, Uint8Array> = {}): SimulatedDisk {
  const files: [string, Uint8Array][] = Object.entries(earlier).map(([name, bytes]) => [`${PATH}.${name}`, bytes])
  return SimulatedDisk.of(new Map([[PATH, Buffer.concat([SOUND, tail])], ...files]))
}

const brokenIn = (image: Image) =>
  [...image].filter(([path]) => path.endsWith('.broken')).map(([path, bytes]) => [path.slice(PATH.length + 1), bytes])
const holds = (image: Image, bytes: Uint8Array) =>
  brokenIn(image).some(([, kept]) => Buffer.compare(kept as Uint8Array, bytes) === 0)

test('a second and a third torn tail at the same place get names of their own', async (t) => {
  const tails = [bytesOf([2, 900]), bytesOf([3, 900]), bytesOf([4, 20])]
  const disk = diskWith(new Uint8Array(0))
  const names: string[] = []
  for (const tail of tails) {
    const process = disk.process()
    const file = process.open(PATH)
    file.write(tail, 0, tail.length, SOUND.length)
    const { savedAs, bytes } = await setAside(process, PATH, SOUND.length)
    t.is(bytes, tail.length)
    names.push(savedAs.slice(PATH.length + 1))
  }
  t.deepEqual(names, ['700.broken', '700.2.broken', '700.3.broken'])
  const image = disk.image()
  for (const tail of tails) t.true(holds(image, tail))
  t.deepEqual(Buffer.from(image.get(PATH) ?? []), SOUND)
})

test('a power cut anywhere during setting aside loses neither the tail nor earlier ones', async (t) => {
  const earlier = bytesOf([9, 900])
  const tail = bytesOf([2, 600], [3, 600])
  const disk = diskWith(tail, { '700.broken': earlier })
  await setAside(disk.process(), PATH, SOUND.length)
  const history = new DiskHistory(disk)
  const random = new Random(1)
  const seen = new Set<string>()
  for (;;) {
    for (const { image, key } of history.statesAt(2_000, random)) {
      if (seen.has(key)) continue
      seen.add(key)
      t.true(holds(image, earlier), 'the earlier one')
      const left = Buffer.from(image.get(PATH) ?? []).subarray(SOUND.length)
      t.true(left.equals(tail) || holds(image, tail), 'this one')
      const again = SimulatedDisk.of(image)
      if (left.equals(tail)) await setAside(again.process(), PATH, SOUND.length)
      const after = again.image()
      t.true(holds(after, tail) && holds(after, earlier))
      t.is(brokenIn(after).length, 2, 'as many as there were tails')
    }
    if (history.isAtEnd) break
    history.step()
  }
  t.true(seen.size > 10, `${seen.size} states`)
})

test('a recovery keeps every torn tail and removes unfinished copies', async (t) => {
  const { files, ledger } = await writeJournal({ isClean: false, hasSnapshot: false })
  const path = segmentsOf(files).at(-1) as string
  const content = files.get(path) as Uint8Array
  const last = framesOf(content).at(-1)
  const offset = last?.offset ?? 0
  const half = `${path}.${offset}.broken.tmp`
  let image: Files = withFile(files, half, Uint8Array.of(1))
  for (const cut of [5, 9]) {
    const damaged = withFile(image, path, content.subarray(0, content.length - cut))
    const { error, report, disk } = await recoverImage(damaged)
    t.is(error, undefined)
    t.is(report?.sequence, ledger.sequence - 1)
    image = disk.image()
    t.is(image.get(report?.setAside?.savedAs ?? '')?.length, content.length - cut - offset)
  }
  t.false(image.has(half))
  t.is([...image.keys()].filter((name) => name.endsWith('.broken')).length, 2)
})

test('a directory in place of the file to be written is left alone', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, '0000000000000001.segment')
  writeFileSync(path, Buffer.concat([SOUND, bytesOf([2, 30])]))
  mkdirSync(`${path}.700.broken`)
  const { savedAs } = await setAside(realDisk, path, SOUND.length)
  t.is(savedAs, `${path}.700.2.broken`)
  t.deepEqual(readFileSync(savedAs), bytesOf([2, 30]))
  t.deepEqual(readdirSync(directory).sort(), [
    '0000000000000001.segment',
    '0000000000000001.segment.700.2.broken',
    '0000000000000001.segment.700.broken',
  ])
})

for (const [what, name] of [
  ['cannot be created', 'create'],
  ['cannot be written', 'write'],
  ['cannot be synced', 'sync'],
  ['cannot be renamed', 'rename'],
  ['is in a directory that cannot be synced', 'syncDirectory'],
  ['cannot be compared with an earlier one', 'open'],
] as const) {
  test(`nothing is cut off when the copy ${what}`, async (t) => {
    const tail = bytesOf([2, 300])
    const disk = diskWith(tail, { '700.broken': bytesOf([5, 300]) })
    disk.plan = (call) => (call.name === name && call.path !== PATH ? { error: 'EIO' } : undefined)
    await t.throwsAsync(setAside(disk.process(), PATH, SOUND.length), { code: 'EIO' } as never)
    t.deepEqual(Buffer.from(disk.image().get(PATH) ?? []), Buffer.concat([SOUND, tail]))
    disk.plan = undefined
    await setAside(disk.process(), PATH, SOUND.length)
    t.true(holds(disk.image(), tail))
  })
}

test('nothing is cut off when the segment shrinks meanwhile', async (t) => {
  const disk = diskWith(bytesOf([2, 300]))
  const process = disk.process()
  const storage = storageLike(process, {
    open: (path) => {
      const file = process.open(path)
      return {
        path,
        read: async () => 0,
        size: () => file.size(),
        truncate: () => t.fail(),
        close: () => file.close(),
      } as unknown as StorageFile
    },
  })
  await t.throwsAsync(setAside(storage, PATH, SOUND.length), { message: /shrank/ })
  t.is(disk.image().get(PATH)?.length, 1_000)
})
