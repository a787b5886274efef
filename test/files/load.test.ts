/** `load` replaces everything by one event, or changes nothing. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { EncodedPlain, EncodedValue } from '../../src/core/model/stored-value.js'
import { FRAME } from '../../src/durable/format/format.js'
import { CorruptionError, memoryJournal, openCache, ValueError } from '../../src/index.js'
import { set } from '../../src/testing/conformance/recording.js'
import { ManualClock } from '../../src/testing.js'
import { type Forged, forgedFile } from '../helpers/durable/forged-file.js'
import { loopTurn, until } from '../helpers/loop-turn.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const START = 1_704_110_400_000

/** A saved file of three entries: a (10 s left, most recently used), b, c. */
async function savedFile(t: ExecutionContext, extension: string) {
  const directory = temporaryDirectory(t)
  const clock = new ManualClock(START)
  const cache = await openCache<unknown>({ journal: memoryJournal(), clock })
  cache.set('a', { x: 1 }, { ttl: 10 })
  cache.set('b', 'two')
  cache.set('c', 3, { ttl: 3 })
  cache.get('a')
  cache.get('missing')
  const path = join(directory, `saved.${extension}`)
  t.true((await cache.save(path)).ok)
  return { directory, path }
}

for (const extension of ['pickle', 'dbk']) {
  test(`${extension}: deadlines are kept exactly, and entries that have expired are left out`, async (t) => {
    const { path } = await savedFile(t, extension)
    const clock = new ManualClock(START + 3_000)
    const cache = await openCache<unknown>({ journal: memoryJournal(), clock })
    t.like(await cache.load(path), { ok: true, entries: 2, expired: 1, evicted: 0 })
    t.deepEqual(cache.keys(), ['b', 'a'])
    t.is(cache.ttl('a'), 7)
    t.like(cache.stats(), { hits: 1, misses: 1, expirations: 0, size: 2 })
    const expired: string[] = []
    cache.expirations$.subscribe(({ key }) => expired.push(key))
    clock.advance('6999ms')
    t.deepEqual(expired, [])
    clock.advance('1ms')
    t.deepEqual(expired, ['a'])
  })

  test(`${extension}: load replaces the entries and the counters, as one change`, async (t) => {
    const { path } = await savedFile(t, extension)
    const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START) })
    cache.set('before', 1)
    for (let index = 0; index < 7; index++) cache.get('before')
    const changes: unknown[] = []
    const watched: unknown[] = []
    const others: unknown[] = []
    cache.changes$.subscribe((change) => changes.push(change))
    cache.watch('nothing:*').subscribe((change) => watched.push(change))
    cache.expirations$.subscribe((event) => others.push(event))
    cache.evictions$.subscribe((event) => others.push(event))
    await cache.load(path)
    t.deepEqual(changes, [{ type: 'loaded', sequence: 2 }])
    t.deepEqual(watched, changes)
    t.deepEqual(others, [])
    t.deepEqual(cache.keys(), ['b', 'c', 'a'])
    t.like(cache.stats(), { hits: 1, misses: 1, size: 3 })
    cache.set('after', 1)
    t.is(cache.stats().journal.sequence, 3)
  })

  test(`${extension}: load of more than maxSize entries keeps the most recently used`, async (t) => {
    const { path } = await savedFile(t, extension)
    const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START), maxSize: 2 })
    t.like(await cache.load(path), { ok: true, entries: 2, evicted: 1 })
    t.deepEqual(cache.keys(), ['c', 'a'])
    t.is(cache.stats().evictions, 0)
  })

  test(`${extension}: loaded entries survive a clean close and a crash`, async (t) => {
    const { directory, path } = await savedFile(t, extension)
    const clock = new ManualClock(START)
    const journal = join(directory, 'journal')
    const cache = await openCache<unknown>({ directory: journal, clock })
    cache.set('before', 1)
    await cache.load(path)
    cache.set('after', 1)
    await loopTurn()
    await cp(journal, join(directory, 'crashed'), { recursive: true })
    await cache.close()
    for (const name of ['crashed', 'journal']) {
      const again = await openCache<unknown>({ directory: join(directory, name), clock })
      t.deepEqual(again.keys(), ['b', 'c', 'a', 'after'], name)
      t.is(again.ttl('a'), 10)
      t.deepEqual(again.get('a'), { x: 1 })
      await again.compact()
      t.false((await readdir(join(directory, name))).some((file) => file.endsWith('.loaded')))
      await again.close()
      const compacted = await openCache<unknown>({ directory: join(directory, name), clock })
      t.deepEqual(compacted.keys(), ['b', 'c', 'after', 'a'])
      await compacted.close()
    }
  })

  test(`${extension}: a file cut at any byte is refused, and nothing is changed`, async (t) => {
    const { directory, path } = await savedFile(t, extension)
    const bytes = await readFile(path)
    const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START) })
    cache.set('kept', 1)
    const cut = join(directory, `cut.${extension}`)
    for (let length = 0; length < bytes.length; length++) {
      await writeFile(cut, bytes.subarray(0, length))
      const loaded = await cache.load(cut)
      t.true(
        !loaded.ok && (loaded.error instanceof CorruptionError || loaded.error instanceof ValueError),
        `cut at ${length}`,
      )
    }
    t.deepEqual(cache.keys(), ['kept'])
    t.is(cache.stats().journal.sequence, 1)
  })
}

test('a file in our own format with any bit flipped is refused, and nothing is changed', async (t) => {
  const { directory, path } = await savedFile(t, 'dbk')
  const bytes = await readFile(path)
  const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START) })
  cache.set('kept', 1)
  const flipped = join(directory, 'flipped.dbk')
  let accepted = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const copy = Buffer.from(bytes)
    copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7))
    await writeFile(flipped, copy)
    if ((await cache.load(flipped)).ok) accepted++
  }
  t.is(accepted, 0)
  t.deepEqual(cache.keys(), ['kept'])
})

const mortal = set('a', 1, START + 1)
const structured = (...bytes: number[]) => set('a', new EncodedValue('structured', Uint8Array.from(bytes)))
const END: Forged = { kind: 'end' }

for (const [what, frames, reason] of [
  [
    'a deadline that is NaN',
    [{ events: [mortal], patch: (f) => f.writeDoubleLE(Number.NaN, f.length - 8) }, END],
    /NaN/,
  ],
  [
    'a deadline of -Infinity',
    [{ events: [mortal], patch: (f) => f.writeDoubleLE(-Infinity, f.length - 8) }, END],
    /-Inf/,
  ],
  ['a key twice', [{ events: [set('a', 1), set('a', 2)] }, END], /appears twice/],
  [
    'a key twice, in two frames and long expired',
    [{ events: [set('a', 1, 1)] }, { events: [set('a', 2, 1)] }, END],
    /twice/,
  ],
  ['counters of 2^53', [{ ...END, patch: (f) => f.writeBigUInt64LE(2n ** 53n, FRAME.counters) }], /above 2\^53/],
  ['fewer rows than counted', [{ events: [set('a', 1)], count: 2 }, END], /./],
  ['more rows than counted', [{ events: [set('a', 1), set('b', 1)], count: 1 }, END], /./],
  ['fewer rows than its end says', [{ events: [set('a', 1)] }, { ...END, firstSequence: 3 }], /./],
  ['a value of an unknown tag', [{ count: 1, more: Uint8Array.of(1, 1, 97, 12, 0) }, END], /./],
  ['a value that cannot be decoded', [{ events: [structured(0xff, 0x0f, 0x6f, 0x22)] }, END], /cannot|Cannot/],
  ['a value that is not a structured clone', [{ events: [structured(1, 2, 3)] }, END], /cannot|Cannot/],
  [
    'plain data that ends too early',
    [{ events: [set('a', new EncodedPlain('\x12\x02\x00'))] }, END],
    /cannot be loaded.*ends/,
  ],
  ['plain data of an unknown kind', [{ events: [set('a', new EncodedPlain('\x12\x01\x63'))] }, END], /unknown kind 99/],
  ['a value that is undefined', [{ events: [structured(0xff, 0x0f, 0x5f)] }, END], /undefined/],
] as [string, Forged[], RegExp][]) {
  test(`a saved file with matching checksums and ${what}: refused, and nothing is changed`, async (t) => {
    const directory = temporaryDirectory(t)
    const path = join(directory, 'forged.dbk')
    await writeFile(path, forgedFile('saved', 0, frames))
    const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START), maxSize: 1 })
    cache.set('kept', 1)
    const loaded = await cache.load(path)
    t.false(loaded.ok)
    if (loaded.ok) return
    t.regex(loaded.error.message, reason)
    t.deepEqual([cache.keys(), cache.stats().journal.sequence], [['kept'], 1])
  })
}

/** A pickle of one dict of entries; `entries` and `stats` are opcodes. */
function pickled(entries: string, stats = ''): Buffer {
  return Buffer.from(`(dS'entries'\n(d${entries}sS'stats'\n(d${stats}s.`, 'latin1')
}

for (const [what, bytes, reason] of [
  ['a deadline of nan', pickled("S'a'\n(I1\nFnan\nts"), /expires_at of the entry 'a'/],
  ['a deadline of -inf', pickled("S'a'\n(I1\nF-inf\nts"), /expires_at of the entry 'a'/],
  ['a deadline of -2**4000', pickled(`S'a'\n(I1\nL-${'9'.repeat(1_200)}L\nts`), /expires_at of the entry 'a'/],
  ['a deadline that is a text', pickled("S'a'\n(I1\nS'later'\nts"), /expires_at of the entry 'a'/],
  ['a key twice', pickled("S'a'\n(I1\nNtsS'a'\n(I2\nNts"), /the key 'a' appears twice/],
  ['a key twice, long expired', pickled("S'a'\n(I1\nI1\ntsS'a'\n(I2\nI1\nts"), /the key 'a' appears twice/],
  ['a counter of 2^53', pickled('', "S'hits'\nL9007199254740992L\ns"), /counter 'hits'/],
  ['a counter of -1', pickled('', "S'misses'\nI-1\ns"), /counter 'misses'/],
  ['a counter that is nan', pickled('', "S'evictions'\nFnan\ns"), /counter 'evictions'/],
  ['an entry of three', pickled("S'a'\n(I1\nNNts"), /not a pair/],
  ['a key that is a number', pickled('I1\n(I1\nNts'), /key 1 is not a str/],
] as [string, Buffer, RegExp][]) {
  test(`a pickle with ${what}: refused, and nothing is changed`, async (t) => {
    const path = join(temporaryDirectory(t), 'forged.pickle')
    await writeFile(path, bytes)
    const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START), maxSize: 1 })
    cache.set('kept', 1)
    const loaded = await cache.load(path)
    t.false(loaded.ok)
    if (loaded.ok) return
    t.true(loaded.error instanceof ValueError)
    t.regex(loaded.error.message, reason)
    t.deepEqual([cache.keys(), cache.stats().journal.sequence], [['kept'], 1])
  })
}

test('a pickle of that kind, without anything odd in it, is loaded', async (t) => {
  const path = join(temporaryDirectory(t), 'sound.pickle')
  await writeFile(path, pickled("S'a'\n(I1\nNtsS'b'\n(I2\nFinf\nts", "S'hits'\nF-0.0\ns"))
  const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START) })
  t.like(await cache.load(path), { ok: true, entries: 2 })
  t.is(cache.stats().hits, 0)
})

test('what the forger makes without forging anything is a saved file', async (t) => {
  const directory = await temporaryDirectory(t)
  const path = join(directory, 'sound.dbk')
  const events = [mortal, set('b', new EncodedValue('structured', Uint8Array.of(0xff, 0x0f, 0x6f, 0x7b, 0x00)))]
  await writeFile(path, forgedFile('saved', 0, [{ events }, END]))
  const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START) })
  t.like(await cache.load(path), { ok: true, entries: 2 })
  t.deepEqual(
    [...cache.entries()],
    [
      ['a', 1],
      ['b', {}],
    ],
  )
})

test('a pickle that would call os.system is refused with that name, and nothing is executed or changed', async (t) => {
  const directory = temporaryDirectory(t)
  const proof = join(directory, 'executed')
  const hostile = Buffer.concat([Buffer.from('cos\nsystem\n(S'), Buffer.from(`'touch ${proof}'`), Buffer.from('\ntR.')])
  await writeFile(join(directory, 'x.pkl'), hostile)
  const cache = await openCache<unknown>({ journal: memoryJournal() })
  cache.set('kept', 1)
  const loaded = await cache.load(join(directory, 'x.pkl'))
  t.true(!loaded.ok && loaded.error instanceof ValueError && loaded.error.message.includes('os.system'))
  t.deepEqual(cache.keys(), ['kept'])
  t.false((await readdir(directory)).includes('executed'))
})

test('a missing file, a directory or a foreign file resolves with ok: false and the cause, and nothing is changed', async (t) => {
  const directory = temporaryDirectory(t)
  await writeFile(join(directory, 'foreign.dbk'), 'SQLite format 3\0'.repeat(50))
  const cache = await openCache<unknown>({ journal: memoryJournal() })
  cache.set('kept', 1)
  for (const name of ['missing.dbk', 'missing.pkl', 'foreign.dbk', '.']) {
    const loaded = await cache.load(join(directory, name))
    t.true(!loaded.ok && loaded.error instanceof Error, name)
  }
  t.deepEqual([cache.keys(), cache.stats().journal.sequence], [['kept'], 1])
})

test('a journal whose loaded file is missing or different does not open', async (t) => {
  const { directory, path } = await savedFile(t, 'dbk')
  const clock = new ManualClock(START)
  const journal = join(directory, 'journal')
  const cache = await openCache<unknown>({ directory: journal, clock })
  await cache.load(path)
  await cache.close()
  const [loaded] = (await readdir(journal)).filter((name) => name.endsWith('.loaded'))
  t.truthy(loaded)
  const file = join(journal, loaded as string)
  const bytes = await readFile(file)
  await rm(file)
  await t.throwsAsync(openCache({ directory: journal, clock }), { instanceOf: CorruptionError, message: /missing/ })
  bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
  await writeFile(file, bytes)
  await t.throwsAsync(openCache({ directory: journal, clock }), { instanceOf: CorruptionError })
})

test('the file of a load that was not journaled is ignored, and removed by compaction', async (t) => {
  const { directory, path } = await savedFile(t, 'dbk')
  const clock = new ManualClock(START)
  const journal = join(directory, 'journal')
  const cache = await openCache<unknown>({ directory: journal, clock })
  cache.set('kept', 1)
  await cache.flush()
  const loading = cache.load(path)
  // A crash between the rename of the file and the event.
  await until(async () => (await readdir(journal)).some((name) => name.endsWith('.loaded')), 'the loaded file')
  await loading
  await cache.close()
  const [loaded] = (await readdir(journal)).filter((name) => name.endsWith('.loaded'))
  const orphaned = join(directory, 'orphaned')
  const other = await openCache<unknown>({ directory: orphaned, clock })
  other.set('kept', 1)
  await other.flush()
  await cp(join(journal, loaded as string), join(orphaned, loaded as string))
  await other.close()
  const reopened = await openCache<unknown>({ directory: orphaned, clock })
  t.deepEqual(reopened.keys(), ['kept'])
  reopened.set('more', 1)
  await reopened.compact()
  t.false((await readdir(orphaned)).some((name) => name.endsWith('.loaded')))
  await reopened.close()
})

test('load is refused inside a transaction, and load and save after close', async (t) => {
  const { path } = await savedFile(t, 'dbk')
  const cache = await openCache<unknown>({ journal: memoryJournal() })
  t.throws(() => cache.transact(() => void cache.load(path)), { code: 'INSIDE_TRANSACTION' })
  await cache.close()
  await t.throwsAsync(cache.load(path), { code: 'CACHE_CLOSED' })
  await t.throwsAsync(cache.save(path), { code: 'CACHE_CLOSED' })
})

test('loads and compactions started together run one after the other', async (t) => {
  const { directory, path } = await savedFile(t, 'dbk')
  const clock = new ManualClock(START)
  const journal = join(directory, 'journal')
  const cache = await openCache<unknown>({ directory: journal, clock })
  cache.set('before', 1)
  const results = await Promise.all([cache.load(path), cache.compact(), cache.load(path), cache.compact()])
  t.true(results[0].ok && results[2].ok)
  await cache.close()
  const again = await openCache<unknown>({ directory: journal, clock })
  t.deepEqual(again.keys(), ['b', 'c', 'a'])
  await again.close()
})

test('a load during a getOrSet wins', async (t) => {
  const { path } = await savedFile(t, 'dbk')
  const cache = await openCache<unknown>({ journal: memoryJournal(), clock: new ManualClock(START) })
  let settle: (value: unknown) => void = () => undefined
  const loading = cache.getOrSet(
    'b',
    () =>
      new Promise((resolve) => {
        settle = resolve
      }),
  )
  await loopTurn()
  await cache.load(path)
  settle('too late')
  t.is(await loading, 'two')
  t.is(cache.get('b'), 'two')
})
