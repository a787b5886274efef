/** Compaction that fails at each of its steps: the old files stay, the cache keeps working, nothing is lost. */
import test, { type ExecutionContext } from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { writeSnapshot } from '../../../src/durable/snapshot/write-snapshot.js'
import type { Storage } from '../../../src/durable/storage/storage.js'
import type { Cache } from '../../../src/index.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { DIRECTORY, JOURNAL_ID, Stage } from '../../helpers/crash/stage.js'
import { type Call, type Fault, failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { storageLike } from '../../helpers/durable/storage-like.js'

const isOfSnapshot = (call: Call) => call.path.includes('.snapshot')

async function begin(): Promise<{ disk: SimulatedDisk; stage: Stage; cache: Cache }> {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  const cache = await stage.open({ fsync: 'always', maxSize: Infinity, compaction: false })
  for (let at = 0; at < 200; at++) cache.set(`k${at}`, { at, text: 'x'.repeat(at) })
  await cache.compact()
  for (let at = 0; at < 200; at += 3) cache.delete(`k${at}`)
  cache.set('new', -0)
  await cache.flush()
  return { disk, stage, cache }
}

async function holdsAll(t: ExecutionContext, disk: SimulatedDisk, cache: Cache): Promise<void> {
  const { error, model } = await recoverImage(disk.image())
  t.is(error, undefined)
  t.deepEqual([...model.entries.keys()].sort(), cache.keys().sort())
}

const STEPS: [string, (call: Call) => boolean, Fault][] = [
  [
    'the next segment cannot be created',
    (call) => call.name === 'create' && call.path.endsWith('.segment'),
    { error: 'ENOSPC' },
  ],
  ['the snapshot cannot be created', (call) => call.name === 'create' && isOfSnapshot(call), { error: 'EMFILE' }],
  ['there is no space for it', (call) => call.name === 'writeLater' && isOfSnapshot(call), { error: 'ENOSPC' }],
  [
    'there is no space in the middle of it',
    (call) => call.name === 'writeLater' && isOfSnapshot(call),
    { error: 'ENOSPC', partial: 100 },
  ],
  ['nothing more can be written', (call) => call.name === 'writeLater' && isOfSnapshot(call), { short: 0 }],
  ['it cannot be synced', (call) => call.name === 'sync' && isOfSnapshot(call), { error: 'EIO' }],
  ['it cannot be read back', (call) => call.name === 'read' && isOfSnapshot(call), { error: 'EIO' }],
  ['it cannot be opened again', (call) => call.name === 'open' && isOfSnapshot(call), { error: 'EMFILE' }],
  ['it cannot be renamed', (call) => call.name === 'rename', { error: 'EIO' }],
  ['the directory cannot be synced after the rename', (call) => call.name === 'syncDirectory', { error: 'EIO' }],
]

for (const [what, matches, fault] of STEPS) {
  test(`${what}: compact() says so, nothing is lost, and the next one succeeds`, async (t) => {
    const { disk, cache } = await begin()
    let isRenamed = false
    const only = what.includes('after the rename') ? (call: Call) => isRenamed && matches(call) : matches
    const plan = failing(only, fault)
    disk.plan = (call) => {
      if (call.name === 'rename') isRenamed = true
      return plan(call)
    }
    const error = await t.throwsAsync(cache.compact())
    t.is((error as Error & { code: string }).code, 'COMPACTION_FAILED')
    t.regex(error?.message ?? '', /compact\(\) again/)
    disk.plan = undefined
    t.false(
      [...disk.names.keys()].some((path) => path.endsWith('.tmp')),
      'no temporary file stays',
    )
    await holdsAll(t, disk, cache)
    cache.set('after', 1)
    t.true((await cache.flush()) > 0)
    await holdsAll(t, disk, cache)
    const report = await cache.compact()
    t.is(report.entries, cache.size)
    await holdsAll(t, disk, cache)
    await cache.close()
  })
}

test('old files that cannot be removed are removed by the next compaction', async (t) => {
  const { disk, cache } = await begin()
  disk.plan = failing((call) => call.name === 'unlink' && !call.path.endsWith('.tmp'), { error: 'EPERM' })
  t.deepEqual((await cache.compact()).removed, [])
  await holdsAll(t, disk, cache)
  disk.plan = undefined
  cache.set('after', 1)
  t.true((await cache.compact()).removed.length > 2)
  await holdsAll(t, disk, cache)
  t.is([...disk.names.keys()].filter((path) => path.endsWith('.segment')).length, 1)
  await cache.close()
})

test('a snapshot that reads back differently is not kept', async (t) => {
  const { disk, cache } = await begin()
  const process = disk.process()
  disk.plan = (call) => {
    if (call.name === 'open' && isOfSnapshot(call)) {
      const inode = disk.names.get(call.path)
      if (inode !== undefined) inode.write(Uint8Array.of(1 ^ (inode.bytes[300] as number)), 300)
    }
    return undefined
  }
  await t.throwsAsync(cache.compact(), { code: 'COMPACTION_FAILED' })
  disk.plan = undefined
  await holdsAll(t, disk, cache)
  await cache.close()
  process.kill()
})

test('turns continue while a snapshot waits for the disk', async (t) => {
  const { disk, stage, cache } = await begin()
  let finish!: () => void
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  disk.plan = failing((call) => call.name === 'writeLater', { delay: slow }, { times: 1 })
  const before = cache.size
  const compacting = cache.compact()
  await stage.turn()
  for (let at = 0; at < 1_000; at++) {
    cache.set(`during ${at}`, at)
    if (at % 100 === 0) await cache.flush()
  }
  cache.clear()
  cache.set('cleared', 1)
  finish()
  t.is((await compacting).entries, before)
  await cache.flush()
  await holdsAll(t, disk, cache)
  t.deepEqual(cache.keys(), ['cleared'])
  await cache.close()
})

test('close aborts a compaction and leaves nothing of it', async (t) => {
  const { disk, cache } = await begin()
  const compacting = cache.compact()
  const closing = cache.close()
  await t.throwsAsync(compacting, { code: 'CACHE_CLOSED' })
  await closing
  t.false([...disk.names.keys()].some((path) => path.endsWith('.tmp')))
})

test('close aborts a compaction in the middle of its rows and leaves nothing of it', async (t) => {
  const { disk, stage, cache } = await begin()
  let finish!: () => void
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  disk.plan = failing((call) => call.name === 'writeLater' && isOfSnapshot(call), { delay: slow }, { times: 1 })
  const compacting = cache.compact()
  while (![...disk.names.keys()].some((path) => path.endsWith('.tmp'))) await stage.turn()
  const closing = cache.close()
  finish()
  await t.throwsAsync(compacting, {
    code: 'CACHE_CLOSED',
    message: /closed during the compaction\. Nothing was changed/,
  })
  await closing
  t.false([...disk.names.keys()].some((path) => path.endsWith('.tmp')))
  await holdsAll(t, disk, await stage.open({ maxSize: Infinity }))
})

test('a snapshot is not kept when a different sound snapshot is read back', async (t) => {
  const { disk } = await begin()
  const storage = disk.process()
  const write = (name: string, from: Storage, entries: number) => {
    let left = entries
    return writeSnapshot({
      storage: from,
      path: `/j/${name}`,
      temporary: `/j/${name}.tmp`,
      kind: 'snapshot',
      journalId: JOURNAL_ID,
      sequence: 7 as Sequence,
      previousChecksum: 0,
      createdAtMs: 0,
      source: {
        count: entries,
        counters: new Counters(),
        read: () => (left-- > 0 ? { key: `k${left}`, value: 1, expiresAtMs: 0 } : undefined),
        release: () => undefined,
      },
    })
  }
  await write('other', storage, 2)
  const confused = storageLike(storage, { open: () => storage.open('/j/other') })
  await t.throwsAsync(write('this', confused, 3), { message: /reads back differently/ })
  t.false(disk.names.has('/j/this') || disk.names.has('/j/this.tmp'))
})

test('the files of an unfinished compaction are removed at the next opening, and no others', async (t) => {
  const { disk, stage, cache } = await begin()
  await cache.close()
  const process = disk.process()
  for (const name of ['0000000000000099.snapshot.tmp', '0000000000000099.loaded.tmp', 'mine.tmp', 'x.snapshot'])
    process.create(`${DIRECTORY}/${name}`).close()
  const again = await stage.open()
  const names = [...disk.names.keys()].map((path) => path.slice(3))
  t.true(names.includes('mine.tmp'))
  t.true(names.includes('x.snapshot'))
  t.false(names.some((name) => name.startsWith('0000000000000099')))
  await again.close()
})
