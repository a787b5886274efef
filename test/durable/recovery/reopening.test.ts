/** Opening and closing again: an unchanged journal stays as it is, and changes are kept. */
import test from 'ava'
import { DIRECTORY, Stage } from '../../helpers/crash/stage.js'
import { failing, type Image, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { segmentsOf } from '../../helpers/durable/written-journal.js'

const hex = (image: Image) => [...image].map(([path, bytes]) => [path, Buffer.from(bytes).toString('hex')]).sort()

async function written(options: Parameters<Stage['open']>[0] = {}): Promise<{ disk: SimulatedDisk; stage: Stage }> {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  const cache = await stage.open(options)
  cache.setMany([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
  cache.get('a')
  await cache.close()
  return { disk, stage }
}

for (const fsync of ['always', 'everysec', 'never'] as const) {
  test(`${fsync}: opened and closed repeatedly without a change, it stays the same byte for byte`, async (t) => {
    const { disk, stage } = await written({ fsync })
    const before = hex(disk.image())
    for (let round = 0; round < 5; round++) {
      const cache = await stage.open({ fsync })
      t.true(cache.recovery.clean)
      t.deepEqual(
        [...cache.entries()].map(([key]) => key),
        ['b', 'c', 'a'],
      )
      t.like(cache.stats(), { hits: 1, sets: 3 })
      cache.peek('b')
      if (round === 2) await cache.flush()
      await stage.turn()
      await cache.close()
      t.deepEqual(hex(disk.image()), before)
    }
  })
}

test('an empty journal does not grow', async (t) => {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  await (await stage.open()).close()
  const before = hex(disk.image())
  for (let round = 0; round < 3; round++) await (await stage.open()).close()
  t.deepEqual(hex(disk.image()), before)
})

test('a journal of several segments and a snapshot does not grow', async (t) => {
  const { disk, stage } = await written()
  const cache = await stage.open({ compaction: { journalBytes: 1e9, segmentBytes: 200 } })
  await cache.compact()
  for (let at = 0; at < 5; at++) {
    cache.set(`k${at}`, at)
    await cache.flush()
  }
  await cache.close()
  t.true(segmentsOf(disk.image()).length > 2)
  const before = hex(disk.image())
  for (let round = 0; round < 3; round++) await (await stage.open()).close()
  t.deepEqual(hex(disk.image()), before)
})

test('hits and misses are kept exactly, even without other changes', async (t) => {
  const { stage } = await written()
  for (let round = 1; round <= 4; round++) {
    const cache = await stage.open()
    t.like(cache.stats(), { hits: 1, misses: round - 1 })
    cache.get('missing')
    await cache.close()
  }
})

test('a changed order of use is kept, even without other changes', async (t) => {
  const { stage } = await written()
  const cache = await stage.open()
  cache.get('b')
  await cache.close()
  const again = await stage.open()
  t.deepEqual(
    [...again.entries()].map(([key]) => key),
    ['c', 'a', 'b'],
  )
  await again.close()
})

test('the journal of a killed process is sealed by the next close, and then does not change', async (t) => {
  const { disk, stage } = await written()
  const killed = await stage.open()
  killed.set('d', 4)
  await stage.turn()
  stage.kill()
  const cache = await stage.open()
  t.false(cache.recovery.clean)
  await cache.close()
  const before = hex(disk.image())
  const again = await stage.open()
  t.true(again.recovery.clean)
  t.is(again.get('d'), 4)
  stage.kill()
  await again.close().catch(() => undefined)
  await (await stage.open()).close()
  t.deepEqual(hex(disk.image()), before, 'a hit that was never written is not a change')
})

test('after a torn tail behind the seal was set aside, a new seal is written', async (t) => {
  const { disk, stage } = await written()
  const path = segmentsOf(disk.image())[0] as string
  const length = disk.names.get(path)?.length ?? 0
  disk.names.get(path)?.write(Uint8Array.of(1, 2, 3), length)
  const cache = await stage.open()
  t.false(cache.recovery.clean)
  t.like(cache.recovery.setAside, { offset: length, bytes: 3, savedAs: `${path}.${length}.broken` })
  await cache.close()
  t.true((disk.names.get(path)?.length ?? 0) > length)
})

test('a close without a change syncs what recovery rewrote, and says when that fails', async (t) => {
  const { disk, stage } = await written()
  const cache = await stage.open()
  disk.plan = failing((call) => call.name === 'sync' && call.path.startsWith(DIRECTORY), { error: 'EIO' })
  await t.throwsAsync(cache.close(), { code: 'OUTCOME_UNKNOWN' })
  disk.plan = undefined
  const again = await stage.open()
  t.is(again.size, 3)
  await again.close()
})
