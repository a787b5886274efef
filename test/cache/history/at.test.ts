/** Views, and what can happen to the files that they are read from. */
import test from 'ava'
import { CacheError, type CacheOptions } from '../../../src/index.js'
import { openWithin } from '../../../src/open.js'
import { ManualClock } from '../../../src/testing.js'
import { failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { loopTurn } from '../../helpers/loop-turn.js'

async function open(options: CacheOptions = {}, disk = new SimulatedDisk()) {
  const clock = new ManualClock()
  const cache = await openWithin<unknown>(
    { directory: '/j', clock, cleanupInterval: 0, ...options },
    { storage: disk.process() },
  )
  return { cache, clock, disk }
}

test('at() sees what was set before it in the same tick, and nothing of what comes after', async (t) => {
  const { cache } = await open()
  cache.set('a', 1)
  const reading = cache.at({ ago: 0 })
  cache.set('a', 2)
  const view = await reading
  t.is(view.get('a'), 1)
  t.is(cache.get('a'), 2)
  await cache.close()
  t.is(view.get('a'), 1, 'a view needs no open cache')
})

test('a view hides what had expired and what was stale, counts it, and its ttl counts from its time', async (t) => {
  const { cache, clock } = await open()
  cache.set('short', 1, { ttl: 5 })
  cache.set('long', 2, { ttl: 20 })
  cache.set('stale', 3, { ttl: 5, stale: 60 })
  cache.set('forever', 4)
  await loopTurn()
  const startMs = clock.now()
  const view = await cache.at(new Date(startMs + 5_000))
  t.is(view.timeMs, startMs, 'the future is now')
  clock.jump(30_000)
  const later = await cache.at(new Date(startMs + 10_000))
  t.deepEqual([later.sequence, later.timeMs, later.size], [4, startMs + 10_000, 4])
  t.deepEqual(later.keys(), ['long', 'forever'])
  t.deepEqual(
    [...later],
    [
      ['long', 2],
      ['forever', 4],
    ],
  )
  t.deepEqual([later.ttl('long'), later.ttl('forever'), later.ttl('short')], [10, Number.POSITIVE_INFINITY, undefined])
  t.deepEqual([later.has('stale'), later.get('stale')], [false, undefined])
  t.deepEqual(later.keys('l*'), ['long'])
  t.deepEqual([...later.entries({ prefix: 'for' })], [['forever', 4]])
  await cache.close()
})

test('a closed view refuses to answer', async (t) => {
  const { cache } = await open()
  const view = await cache.at({ sequence: 0 })
  view.close()
  view.close()
  for (const call of [() => view.get('a'), () => view.keys(), () => view.size, () => [...view]])
    t.throws(call, { code: 'CACHE_CLOSED', message: /view is closed/ })
  t.is(view.sequence, 0)
  await cache.close()
})

test('a value of a view is a copy: changing it changes neither the view nor the cache', async (t) => {
  const { cache } = await open()
  cache.set('a', { list: [1] })
  const view = await cache.at({ ago: 0 })
  const value = view.get('a') as { list: number[] }
  value.list.push(2)
  t.deepEqual(view.get('a'), { list: [1] })
  t.deepEqual(cache.get('a'), { list: [1] })
  await cache.close()
})

test('a compaction that removes the files of a view while it is read does not disturb it', async (t) => {
  const { cache, disk } = await open({ compaction: { journalBytes: 1e9, segmentBytes: 1_000 } })
  for (let at = 0; at < 20; at++) {
    cache.set(`k${at}`, 'x'.repeat(200))
    await cache.flush()
  }
  let go!: () => void
  const slow = new Promise<void>((resolve) => {
    go = resolve
  })
  let waits = 0
  disk.plan = (call) =>
    call.name === 'read' && call.path.endsWith('.segment') && waits++ === 3 ? { delay: slow } : undefined
  const reading = cache.at({ sequence: 20 })
  while (waits < 4) await loopTurn()
  disk.plan = undefined
  t.true((await cache.compact()).removed.length > 3)
  go()
  const view = await reading
  t.is(view.size, 20)
  await t.throwsAsync(cache.at({ sequence: 19 }), { code: 'HISTORY_GONE' })
  await cache.close()
})

test('a file that goes between listing and opening is looked for again', async (t) => {
  const { cache, disk } = await open()
  cache.set('a', 1)
  cache.set('b', 2)
  await cache.flush()
  disk.plan = failing((call) => call.name === 'open', { error: 'ENOENT' }, { times: 2 })
  t.is((await cache.at({ sequence: 1 })).size, 1)
  await cache.close()
})

test('damage in an old segment is a CorruptionError of what reads it; the cache goes on', async (t) => {
  const { cache, disk } = await open({ history: Number.POSITIVE_INFINITY })
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 3; at++) {
      cache.set(`k${at}`, `${round} ${'x'.repeat(100)}`)
      await cache.flush()
    }
    await cache.compact()
  }
  const inode = disk.names.get('/j/0000000000000004.segment')
  inode?.write(Uint8Array.of(255), 64 + 300)
  const damaged = { code: 'CORRUPTION', message: /0000000000000004\.segment is damaged at byte/ }
  await t.throwsAsync(cache.at({ sequence: 5 }), damaged)
  await t.throwsAsync(cache.restore({ sequence: 5 }), damaged)
  await t.throwsAsync(cache.diff({ sequence: 3 }).next(), damaged)
  await t.throwsAsync(cache.fork('/f', { sequence: 5 }), damaged)
  await t.throwsAsync(
    (async () => {
      for await (const change of cache.history('k1')) t.true(change.sequence < 6)
    })(),
    damaged,
  )
  t.is((await cache.at({ sequence: 3 })).get('k1'), `0 ${'x'.repeat(100)}`)
  t.is((await cache.at({ sequence: 7 })).get('k0'), `2 ${'x'.repeat(100)}`)
  cache.set('on', 1)
  await cache.flush()
  await cache.compact()
  t.is(cache.get('on'), 1)
  await cache.close()
  const again = await open({}, SimulatedDisk.of(disk.image()))
  t.is(again.cache.get('on'), 1)
  await again.cache.close()
})

test('a damaged snapshot of the past is replaced by the one before it, for everything that looks back', async (t) => {
  const { cache, disk } = await open({ history: '1d' })
  cache.set('a', 1, { tags: ['x'] })
  cache.set('b', 1)
  await cache.compact()
  cache.set('a', 2)
  await cache.compact()
  cache.set('a', 3)
  disk.names.get('/j/0000000000000003.snapshot')?.write(new Uint8Array(20), 90)
  await t.throwsAsync(recovered(disk), { code: 'CORRUPTION' }, 'it is needed for the present')
  t.deepEqual(
    [...(await cache.at({ sequence: 3 }))],
    [
      ['b', 1],
      ['a', 2],
    ],
  )
  t.deepEqual([...(await cache.at({ sequence: 4 }, { pattern: 'a*' }))], [['a', 3]])
  const differences: unknown[] = []
  for await (const { key, before, after } of cache.diff({ sequence: 3 }))
    differences.push([key, before?.value, after?.value])
  t.deepEqual(differences, [['a', 2, 3]])
  t.is((await cache.fork('/f', { sequence: 3 })).entries, 2)
  t.deepEqual(await cache.restore({ sequence: 3 }), { set: 1, deleted: 0, unchanged: 1 })
  await cache.close()
})

async function recovered(disk: SimulatedDisk): Promise<void> {
  const { cache } = await open({}, SimulatedDisk.of(disk.image()))
  await cache.close()
}

test('a disk that cannot be read is a JOURNAL_UNREADABLE that says why; the cache goes on', async (t) => {
  const { cache, disk } = await open({ history: '1d' })
  cache.set('a', 1)
  await cache.compact()
  cache.set('a', 2)
  await cache.flush()
  const drain = async (items: AsyncIterable<unknown>) => {
    for await (const _ of items);
  }
  const readings: Record<string, () => Promise<unknown>> = {
    at: () => cache.at({ sequence: 1 }),
    'at a time': () => cache.at(new Date(0)),
    'at now': () => cache.at({ ago: 0 }),
    diff: () => drain(cache.diff({ sequence: 1 })),
    restore: () => cache.restore({ sequence: 1 }),
    fork: () => cache.fork('/f', { sequence: 1 }),
    history: () => drain(cache.history('a')),
    changesSince: () => cache.changesSince(0).next(),
  }
  for (const [name, error] of [
    ['read', 'EIO'],
    ['open', 'EMFILE'],
    ['open', 'EACCES'],
    ['open', 'ENOENT'],
    ['list', 'EIO'],
  ] as const)
    for (const [what, read] of Object.entries(readings)) {
      disk.plan = failing((call) => call.name === name && call.path.startsWith('/j'), { error })
      const expected = {
        instanceOf: CacheError,
        code: 'JOURNAL_UNREADABLE',
        message: new RegExp(`^The past of /j cannot be read: .*${error}.* Nothing was changed\\. Check the disk`),
      }
      await t.throwsAsync(read(), expected, `${what}, ${name} ${error}`)
      disk.plan = undefined
      t.is(cache.get('a'), 2)
    }
  t.is((await cache.at({ sequence: 1 })).get('a'), 1)
  await cache.close()
})

test('times that are no times are TypeErrors; before the oldest is HISTORY_GONE', async (t) => {
  const { cache, clock } = await open()
  cache.set('a', 1)
  cache.set('b', 1)
  await loopTurn()
  clock.advance(10)
  await cache.compact()
  const bad = [
    '10m',
    5,
    null,
    undefined,
    {},
    [],
    { sequence: '1' },
    { sequence: -1 },
    { sequence: 1.5 },
    { sequence: 1, ago: 5 },
    { when: 1 },
    new Date(Number.NaN),
  ]
  for (const when of bad as never[]) {
    await t.throwsAsync(cache.at(when), { instanceOf: TypeError })
    await t.throwsAsync(cache.restore(when), { instanceOf: TypeError })
    t.throws(() => cache.diff(when), { instanceOf: TypeError })
    if (when !== undefined) {
      t.throws(() => cache.diff({ ago: 0 }, when), { instanceOf: TypeError })
      t.throws(() => cache.history('a', { from: when }), { instanceOf: TypeError })
      await t.throwsAsync(cache.fork('/f', when), { instanceOf: TypeError })
    }
  }
  await t.throwsAsync(cache.at({ ago: -1 }), { instanceOf: RangeError })
  const { oldestTimeMs } = cache.stats().journal
  for (const when of [
    { sequence: 1 },
    new Date(0),
    { ago: '1d' },
    { ago: Infinity },
    new Date(oldestTimeMs - 1),
  ] as const)
    await t.throwsAsync(cache.at(when), { code: 'HISTORY_GONE', message: /the oldest is sequence 2, of / })
  t.is((await cache.at(new Date(oldestTimeMs))).sequence, 2)
  for (const when of [{ sequence: 2 }, { sequence: 1_000 }, new Date(clock.now() + 1e9), { ago: 0 }] as const)
    t.is((await cache.at(when)).sequence, 2)
  t.throws(() => cache.transact(() => cache.at({ ago: 0 })), { code: 'INSIDE_TRANSACTION' })
  t.throws(() => cache.transact(() => cache.diff({ ago: 0 })), { code: 'INSIDE_TRANSACTION' })
  await cache.close()
})

test('a time means the last frame in the order of the journal, also behind a clock that was set back', async (t) => {
  const { cache, clock } = await open()
  const at = async (seconds: number, key: string) => {
    clock.jump(startMs + seconds * 1_000 - clock.now())
    cache.set(key, 1)
    await loopTurn()
  }
  const startMs = clock.now()
  await at(10, 'a')
  await at(30, 'b')
  await at(20, 'c') // the clock was set back
  await at(40, 'd')
  clock.jump(60_000)
  const keysAt = async (seconds: number) => (await cache.at(new Date(startMs + seconds * 1_000))).keys().join('')
  t.deepEqual(await Promise.all([5, 10, 19, 20, 30, 40].map(keysAt)), ['', 'a', 'a', 'abc', 'abc', 'abcd'])
  await cache.close()
})

test('history of a key: from and to are included, limit takes the oldest, cleared and loaded are told', async (t) => {
  const { cache, clock } = await open({ history: '1d' })
  const startMs = clock.now()
  for (let at = 1; at <= 4; at++) {
    cache.set('k', at)
    cache.set('other', at)
    await loopTurn()
    clock.advance(1)
  }
  await cache.compact()
  cache.clear()
  await cache.save('/saved')
  await cache.load('/saved')
  cache.resize({ maxSize: 50 })
  const told = async (options?: Parameters<typeof cache.history>[1]) => {
    const sequences: number[] = []
    for await (const { sequence } of cache.history('k', options)) sequences.push(sequence)
    return sequences
  }
  t.deepEqual(await told(), [1, 3, 5, 7, 9, 10])
  t.deepEqual(await told({ from: { sequence: 3 }, to: { sequence: 7 } }), [3, 5, 7])
  t.deepEqual(await told({ from: new Date(startMs + 1_000), to: new Date(startMs + 2_000) }), [3, 5])
  t.deepEqual(await told({ from: { sequence: 0 }, limit: 2 }), [1, 3])
  t.deepEqual(await told({ limit: 0 }), [])
  t.deepEqual((await cache.history('k', { limit: 1 }).next()).value, {
    type: 'set',
    sequence: 1,
    key: 'k',
    value: 1,
    timeMs: startMs,
  })
  await cache.close()
})

test('restore above the limits is a RangeError that names the counts', async (t) => {
  const { cache } = await open({ maxSize: 10, history: '1d' })
  for (let at = 0; at < 10; at++) cache.set(`k${at}`, at)
  cache.deleteMany(['k0', 'k1', 'k2'])
  for (let at = 0; at < 3; at++) cache.set(`new${at}`, at)
  const { sequence } = cache.stats().journal
  for (const dryRun of [true, false]) {
    await t.throwsAsync(cache.restore({ sequence: 10 }, { pattern: 'k*', dryRun }), {
      instanceOf: RangeError,
      message:
        /would set 3 entries, delete 0 and leave 7 as they are: the cache would then hold 13 entries, and it has room for 10/,
    })
  }
  t.is(cache.stats().journal.sequence, sequence)
  t.deepEqual(await cache.restore({ sequence: 10 }), { set: 3, deleted: 3, unchanged: 7 })
  await cache.close()
})

test('restore is one frame; a subscriber is told each change; what has expired since is deleted', async (t) => {
  const { cache, clock } = await open({ history: '1d' })
  cache.set('mortal', 1, { ttl: 10 })
  cache.set('a', 'was')
  cache.set('same', { deep: [1, { x: 2 }] }, { tags: ['t'] })
  await loopTurn()
  cache.set('mortal', 'now immortal')
  cache.set('a', 'is')
  cache.set('b', 'new')
  await loopTurn()
  clock.advance(20)
  const told: string[] = []
  cache.changes$.subscribe(({ type, key }) => told.push(`${type} ${key}`))
  t.deepEqual(await cache.restore({ sequence: 3 }), { set: 1, deleted: 2, unchanged: 1 })
  t.deepEqual(told, ['deleted mortal', 'deleted b', 'set a'])
  t.deepEqual(cache.keys(), ['same', 'a'])
  const times = new Set<number>()
  await cache.flush()
  for await (const { timeMs } of cache.history('a', { from: { sequence: 7 } })) times.add(timeMs)
  t.is(times.size, 1)
  await cache.close()
})

test('restore overrules the reload of an entry that is as it was', async (t) => {
  const { cache } = await open({ history: '1d' })
  cache.set('k', 'was', { ttl: 10 })
  let finish!: (value: string) => void
  const load = () =>
    new Promise<string>((resolve) => {
      finish = resolve
    })
  t.is(await cache.getOrSet('k', load, { ttl: 10, refresh: 0 }), 'was')
  t.deepEqual(await cache.restore({ sequence: 1 }), { set: 0, deleted: 0, unchanged: 1 })
  finish('loaded')
  await loopTurn()
  t.is(cache.get('k'), 'was')
  await cache.close()
})

test('restore overrules the loads of the keys that it takes away', async (t) => {
  const { cache } = await open({ history: '1d' })
  cache.set('other', 1)
  let finish!: (value: string) => void
  const loading = cache.getOrSet(
    'k',
    () =>
      new Promise<string>((resolve) => {
        finish = resolve
      }),
  )
  await cache.restore({ sequence: 1 })
  finish('loaded')
  t.is(await loading, 'loaded')
  t.is(cache.peek('k'), undefined)
  await cache.close()
})

test('a fork is refused where there is a journal, and changes nothing there', async (t) => {
  const { cache, disk } = await open()
  cache.set('a', 1)
  const { bytes, entries, sequence, directory } = await cache.fork('/f')
  t.deepEqual([entries, sequence, directory], [1, 1, '/f'])
  const files = [...disk.names].filter(([path]) => path.startsWith('/f/') && !path.endsWith('LOCK'))
  t.is(
    bytes,
    files.reduce((sum, [, { length }]) => sum + length, 0),
  )
  const before = [...disk.names.keys()].join()
  await t.throwsAsync(cache.fork('/f'), { code: 'FORK_FAILED', message: /has a journal already/ })
  await t.throwsAsync(cache.fork('/j'), { code: /CACHE_LOCKED/.source })
  t.is([...disk.names.keys()].join(), before)
  disk.plan = failing((call) => call.path.includes('snapshot') && call.name === 'writeLater', { error: 'ENOSPC' })
  await t.throwsAsync(cache.fork('/g'), { code: 'FORK_FAILED', message: /ENOSPC/ })
  disk.plan = undefined
  t.is((await cache.fork('/g')).entries, 1, 'what was left of it is no journal')
  let syncs = 0
  disk.plan = (call) =>
    call.name === 'syncDirectory' && call.path === '/h' && ++syncs === 2 ? { error: 'EIO' } : undefined
  await t.throwsAsync(cache.fork('/h'), { code: 'FORK_FAILED', message: /EIO/ })
  t.is(syncs, 2, 'the snapshot had its name')
  disk.plan = undefined
  t.is((await cache.fork('/h')).entries, 1, 'nor is a snapshot whose name may not be on disk')
  await cache.close()
})
