import test from 'ava'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { findJournalFiles } from '../../../src/durable/format/journal-files.js'
import { Past } from '../../../src/durable/history/past.js'
import type { Cache, CacheOptions } from '../../../src/index.js'
import { Model } from '../../helpers/crash/model.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { DIRECTORY, Stage } from '../../helpers/crash/stage.js'
import { failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'

async function begin(history: CacheOptions['history']) {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  const cache = await stage.open({ fsync: 'always', history })
  return { disk, stage, cache }
}

/** Two changes, ten seconds, and a compaction. */
async function round(stage: Stage, cache: Cache, number: number): Promise<void> {
  cache.set('a', `${number}`)
  cache.set(`b${number}`, 'x'.repeat(500))
  await cache.flush()
  stage.clock.advance(10)
  await cache.compact()
}

async function stateAt(disk: SimulatedDisk, sequence: number): Promise<string> {
  const model = new Model()
  await new Past(disk.process(), DIRECTORY).readAt(sequence as Sequence, model)
  return model.digest()
}

const namesOf = (disk: SimulatedDisk) => [...disk.names.keys()].map((path) => path.slice(DIRECTORY.length + 1)).sort()

test('without the option, one can look back to the last compaction', async (t) => {
  const { disk, stage, cache } = await begin(undefined)
  const beganMs = stage.clock.now()
  const first = cache.stats().journal
  t.deepEqual([first.oldestSequence, first.oldestTimeMs, first.historyBytes], [0, beganMs, 0])
  await round(stage, cache, 1)
  const { oldestSequence, oldestTimeMs, historyBytes } = cache.stats().journal
  t.deepEqual([oldestSequence, oldestTimeMs, historyBytes], [2, stage.clock.now(), 0])
  t.regex(await stateAt(disk, 2), /a=string:1#/)
  await t.throwsAsync(stateAt(disk, 1), {
    code: 'HISTORY_GONE',
    message: /sequence 1: the oldest is sequence 2, of \d{4}-/,
  })
  await cache.close()
})

test('by age: everything that was the present at some time within it stays', async (t) => {
  const { disk, stage, cache } = await begin('25s')
  for (let number = 1; number <= 6; number++) await round(stage, cache, number)
  // The compactions were 0, 10, 20, 30, 40 and 50 seconds ago.
  t.is(cache.stats().journal.oldestSequence, 6)
  for (let sequence = 6; sequence <= 12; sequence++)
    t.regex(await stateAt(disk, sequence), new RegExp(`a=string:${Math.ceil(sequence / 2)}#`))
  await t.throwsAsync(stateAt(disk, 5), { code: 'HISTORY_GONE' })
  await cache.close()
  const again = await stage.open({ history: '25s' })
  t.is(again.stats().journal.oldestSequence, 6, 'also after reopening')
  await again.close()
})

test('an idle cache that is compacted again and again keeps what it promises', async (t) => {
  const { disk, stage, cache } = await begin('25s')
  await round(stage, cache, 1)
  const { oldestTimeMs } = cache.stats().journal
  for (let count = 0; count < 3; count++) {
    stage.clock.advance(5)
    await cache.compact()
  }
  t.is(cache.stats().journal.oldestTimeMs, oldestTimeMs)
  t.regex(await stateAt(disk, 1), /a=string:1#/)
  await cache.close()
})

test('by bytes: the oldest goes first; the figures are those of the files', async (t) => {
  const { disk, stage, cache } = await begin({ keep: '1d', bytes: 3_000 })
  let highest = 0
  for (let number = 1; number <= 8; number++) {
    await round(stage, cache, number)
    const { historyBytes, snapshotSequence } = cache.stats().journal
    const { segments, snapshots } = await findJournalFiles(disk.process(), DIRECTORY)
    const ofPast = [
      ...segments.filter(({ sequence }) => sequence <= snapshotSequence),
      ...snapshots.filter(({ sequence }) => sequence < snapshotSequence),
    ]
    t.is(
      historyBytes,
      ofPast.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    t.true(historyBytes <= 3_000)
    highest = Math.max(highest, historyBytes)
  }
  t.true(highest > 1_000, 'something was kept')
  t.true(cache.stats().journal.oldestSequence > 0, 'and something was not')
  await cache.close()
})

test('a clock that was set back loses nothing that is promised', async (t) => {
  const { disk, stage, cache } = await begin('25s')
  await round(stage, cache, 1)
  await round(stage, cache, 2)
  stage.clock.jump(-3_600_000)
  await round(stage, cache, 3)
  stage.clock.advance(30)
  await round(stage, cache, 4)
  t.is(cache.stats().journal.oldestSequence, 0)
  t.regex(await stateAt(disk, 1), /a=string:1#/)
  await cache.close()
})

test('old files that cannot be removed stay readable as a whole', async (t) => {
  const { disk, stage, cache } = await begin('5s')
  await round(stage, cache, 1)
  await round(stage, cache, 2)
  disk.plan = failing((call) => call.name === 'unlink' && !call.path.endsWith('.tmp'), { error: 'EPERM' }, { times: 1 })
  await round(stage, cache, 3)
  disk.plan = undefined
  const { oldestSequence } = cache.stats().journal
  for (let sequence = oldestSequence; sequence <= 6; sequence++) await t.notThrowsAsync(stateAt(disk, sequence))
  await cache.close()
})

test('a damaged header in the past disturbs neither compaction nor opening', async (t) => {
  const { disk, stage, cache } = await begin('1d')
  for (let number = 1; number <= 3; number++) await round(stage, cache, number)
  await cache.close()
  const image = disk.image()
  const path = `${DIRECTORY}/0000000000000003.segment`
  image.get(path)?.fill(0, 0, 64)
  const damaged = SimulatedDisk.of(image)
  const again = await new Stage(damaged).open({ history: '1d' })
  t.is(again.get('a'), '3')
  await again.compact()
  t.regex(await stateAt(damaged, 2), /a=string:1#/)
  await t.throwsAsync(stateAt(damaged, 3), { code: 'CORRUPTION' })
  t.regex(await stateAt(damaged, 4), /a=string:2#/)
  await again.close()
})

for (const [name, error] of [
  ['open', 'EACCES'],
  ['read', 'EIO'],
] as const)
  test(`a file of the past that cannot be read (${error}) disturbs neither opening nor compaction`, async (t) => {
    const { disk, stage, cache } = await begin('1d')
    for (let number = 1; number <= 3; number++) await round(stage, cache, number)
    await cache.close()
    const unreadable = SimulatedDisk.of(disk.image())
    unreadable.plan = failing((call) => call.name === name && call.path.endsWith('/0000000000000001.segment'), {
      error,
    })
    const again = await new Stage(unreadable).open({ history: '1d' })
    t.is(again.get('a'), '3')
    t.is(again.stats().journal.oldestSequence, 2)
    again.set('a', '4')
    await again.compact()
    await again.close()
    unreadable.plan = undefined
    t.regex(await stateAt(unreadable, 1), /a=string:1#/, 'it was kept')
  })

test('the promise in bytes does not end at a place from which nothing can be read', async (t) => {
  const { disk, stage, cache } = await begin({ bytes: 100_000 })
  for (let number = 1; number <= 4; number++) await round(stage, cache, number)
  const { historyBytes } = cache.stats().journal
  await cache.close()
  for (const file of ['0000000000000003.segment', '0000000000000002.snapshot']) {
    const image = disk.image()
    image.get(`${DIRECTORY}/${file}`)?.fill(0, 0, 64)
    const damaged = SimulatedDisk.of(image)
    // There is room for all but the oldest segment, so that the history would begin where nothing can be read.
    const again = await new Stage(damaged).open({ history: { bytes: historyBytes - 10 } })
    await again.compact()
    t.is(again.stats().journal.oldestSequence, 4, file)
    t.regex(await stateAt(damaged, 4), /a=string:2#/)
    await again.close()
  }
})

for (const [what, from] of [
  ['header', 0],
  ['rows', 100],
  ['end', 600],
] as const)
  test(`a damaged snapshot of the past (${what}): the one before it and the segments give the same`, async (t) => {
    const { disk, stage, cache } = await begin('1d')
    for (let number = 1; number <= 3; number++) await round(stage, cache, number)
    await cache.close()
    const sound = [2, 3, 4, 5, 6].map((sequence) => stateAt(disk, sequence))
    const image = disk.image()
    const damage = (name: string) => image.get(`${DIRECTORY}/${name}`)?.fill(255, from, from + 40)
    damage('0000000000000004.snapshot')
    const damaged = SimulatedDisk.of(image)
    for (const [at, state] of sound.entries()) t.is(await stateAt(damaged, at + 2), await state, `sequence ${at + 2}`)
    damage('0000000000000002.snapshot')
    t.is(await stateAt(SimulatedDisk.of(image), 5), (await sound[3]) as string, 'from the beginning')
    image.delete(`${DIRECTORY}/0000000000000001.segment`)
    const message = /0000000000000004\.snapshot is damaged/
    await t.throwsAsync(stateAt(SimulatedDisk.of(image), 5), { code: 'CORRUPTION', message })
  })

test('the newest snapshot damaged: the past is what it is rebuilt from', async (t) => {
  const { disk, stage, cache } = await begin('1d')
  for (let number = 1; number <= 3; number++) await round(stage, cache, number)
  await cache.close()
  const image = disk.image()
  t.true(namesOf(disk).includes('0000000000000006.snapshot'))
  image.get(`${DIRECTORY}/0000000000000006.snapshot`)?.fill(0, 100)
  const { model, report } = await recoverImage(image, undefined, 'salvage')
  t.regex(model.digest(), /a=string:3#/)
  t.is(model.entries.size, 4)
  t.is(report?.damage?.lost.from, 7)
})
