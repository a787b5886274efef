/** Journals and files that a daybook wrote which knew version 1 only. They are read for good, and continued in version 2. */
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { memoryJournal, openCache } from '../../../src/index.js'
import { ManualClock } from '../../../src/testing.js'
import { filesOf } from '../../helpers/cli/journals.js'
import { GOLDEN_TIME_MS, GOLDEN_V1_FOLDER } from '../../helpers/durable/golden-journal.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const open = (directory: string) =>
  openCache({ directory, maxSize: Number.POSITIVE_INFINITY, clock: new ManualClock(GOLDEN_TIME_MS), compaction: false })

const versionOf = (path: string) => readFileSync(path).readUInt32LE(8)

const THOUSAND_TWO_HUNDRED: [string, unknown][] = Array.from({ length: 1_200 }, (_, at) => [`k${at}`, at])
const isRead = ([, at]: [string, unknown]) => (at as number) % 100 === 0

const LOADED: [string, unknown][] = [
  ['x', 'text'],
  ['y', 2n ** 70n],
  ['z', new Map([[1, new Date(5)]])],
  ['b', Buffer.from('abc')],
  ['n', null],
  ['d', 1.5],
]

/** The entries, least recently used first, and the versions of the segments once the journal has been continued. */
const JOURNALS: Record<string, { entries: [string, unknown][]; versions: number[] }> = {
  example: {
    entries: [
      ['visits', 300],
      ['user:1', 'Ada'],
    ],
    versions: [1, 2],
  },
  many: {
    entries: [...THOUSAND_TWO_HUNDRED.filter((row) => !isRead(row)), ...THOUSAND_TWO_HUNDRED.filter(isRead)],
    versions: [1, 1, 2],
  },
  compacted: {
    entries: [['c'], ['d'], ['mortal', 'soon'], ['b'], ['a']].map(([key, value = { key }]) => [key as string, value]),
    versions: [2],
  },
  loaded: { entries: [['old', 1], ...LOADED, ['after', 'the load']].slice(1) as [string, unknown][], versions: [1, 2] },
}

for (const [name, { entries, versions }] of Object.entries(JOURNALS)) {
  test(`a version 1 journal (${name}) is read, and continued in a segment of version 2`, async (t) => {
    const directory = temporaryDirectory(t)
    cpSync(join(GOLDEN_V1_FOLDER, name), directory, { recursive: true })
    for (const change of [0, 1, 2]) {
      const cache = await open(directory)
      t.deepEqual([...cache.entries()].slice(0, entries.length), entries, 'in the order of use')
      t.is(cache.size, entries.length + change)
      cache.set(`new${change}`, change, change === 1 ? { ttl: 5, stale: 5, tags: ['t'] } : {})
      if (change === 2) t.deepEqual(cache.entry('new1')?.tags, ['t'])
      await cache.close()
    }
    const segments = filesOf(directory, 'segment').map((file) => versionOf(join(directory, file)))
    t.deepEqual(segments, versions)
  })

  test(`a version 1 journal (${name}) that is only opened and closed keeps entries, counters and order`, async (t) => {
    const directory = temporaryDirectory(t)
    cpSync(join(GOLDEN_V1_FOLDER, name), directory, { recursive: true })
    const first = await open(directory)
    const { journal: _, atMs: __, ...counters } = first.stats()
    await first.close()
    const again = await open(directory)
    t.true(again.recovery.clean)
    t.deepEqual([...again.entries()], entries)
    t.like(again.stats(), counters)
    await again.close()
  })
}

test('deadlines of version 1 journals are kept, in snapshots, too', async (t) => {
  const directory = temporaryDirectory(t)
  cpSync(join(GOLDEN_V1_FOLDER, 'compacted'), directory, { recursive: true })
  const cache = await open(directory)
  t.is(cache.ttl('mortal'), 60)
  await cache.compact()
  t.is(versionOf(join(directory, filesOf(directory, 'snapshot')[0] as string)), 2)
  await cache.close()
  const again = await open(directory)
  t.is(again.ttl('mortal'), 60)
  t.is(again.size, 5)
  await again.close()
})

test('a saved file of version 1 can be loaded', async (t) => {
  const cache = await openCache({ journal: memoryJournal() })
  t.like(await cache.load(join(GOLDEN_V1_FOLDER, 'saved.daybook')), { ok: true, entries: 7 })
  t.deepEqual([...cache.entries()], [['old', 1], ...LOADED])
  await cache.close()
})
