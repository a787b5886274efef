/** `save` writes the state of one moment to one file, atomically. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { memoryJournal, openCache, ValueError } from '../../src/index.js'
import { ManualClock } from '../../src/testing.js'
import { canMount, when } from '../helpers/crash/machine.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { pythonTest, runPython } from '../helpers/pickle/python.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const START = 1_704_110_400_000

const [onTmpfs, noMount] = when(canMount, 'mounting a tmpfs takes root')

for (const extension of ['pickle', 'dbk']) {
  test(`${extension}: live entries are saved, with deadlines, the order of use and counters`, async (t) => {
    const directory = temporaryDirectory(t)
    const clock = new ManualClock(START)
    const cache = await openCache({ journal: memoryJournal(), clock })
    cache.set('gone', 1, { ttl: 5 })
    cache.set('a', { deep: [1, 'zwei', null, true] }, { ttl: 10 })
    cache.set('b', 2n ** 80n)
    cache.set('ключ 🔑', 1.5)
    cache.get('a')
    cache.get('nothing')
    clock.jump(5_000)
    const path = join(directory, `saved.${extension}`)
    const saved = await cache.save(path)
    t.like(saved, { ok: true, path, entries: 3, format: extension === 'pickle' ? 'pickle' : 'snapshot' })
    t.is((await stat(path)).mode & 0o777, 0o600)
    t.deepEqual(await readdir(directory), [`saved.${extension}`])

    const other = await openCache({ journal: memoryJournal(), clock })
    t.like(await other.load(path), { ok: true, entries: 3, expired: 0, evicted: 0 })
    t.deepEqual(other.keys(), ['b', 'ключ 🔑', 'a'])
    t.deepEqual(other.peek('a'), { deep: [1, 'zwei', null, true] })
    t.is(other.peek('b'), 2n ** 80n)
    t.is(other.ttl('a'), 5)
    t.is(other.ttl('b'), Number.POSITIVE_INFINITY)
    t.like(other.stats(), { hits: 1, misses: 1, evictions: 0, size: 3 })
  })

  test(`${extension}: turns continue while the file is written, which has the state of one moment`, async (t) => {
    const directory = temporaryDirectory(t)
    const cache = await openCache<number>({ journal: memoryJournal(), maxSize: 20_000 })
    for (let index = 0; index < 20_000; index++) cache.set(`key:${index}`, index)
    const path = join(directory, `saved.${extension}`)
    let isDone = false
    const saving = cache.save(path).finally(() => {
      isDone = true
    })
    let turns = 0
    for (; !isDone; turns++) {
      cache.set(`key:${(turns * 7919) % 20_000}`, -1)
      cache.delete(`key:${(turns * 104_729) % 20_000}`)
      cache.set(`new:${turns}`, turns)
      await loopTurn()
    }
    t.true((await saving).ok)
    t.true(turns > 1, `${turns} turns`)
    const other = await openCache<number>({ journal: memoryJournal(), maxSize: Number.POSITIVE_INFINITY })
    await other.load(path)
    t.deepEqual(
      [...other.entries()],
      Array.from({ length: 20_000 }, (_, index) => [`key:${index}`, index]),
    )
  })

  test(`${extension}: a missing directory or a directory in the way resolves with ok: false, and nothing is changed or left behind`, async (t) => {
    const directory = temporaryDirectory(t)
    const cache = await openCache({ journal: memoryJournal() })
    cache.set('a', 1)
    await mkdir(join(directory, `taken.${extension}`))
    for (const path of [join(directory, 'none', `x.${extension}`), join(directory, `taken.${extension}`)]) {
      const { journal: _, atMs: __, ...before } = cache.stats()
      const saved = await cache.save(path)
      t.like(saved, { ok: false, error: { code: 'SAVE_FAILED' } })
      t.true(
        !saved.ok && saved.error.message.includes(path) && (saved.error.cause as { code: string }).code !== undefined,
      )
      t.like(cache.stats(), before)
      t.deepEqual([...cache.entries()], [['a', 1]])
    }
    t.deepEqual(await readdir(directory), [`taken.${extension}`])
  })

  test(`${extension}: without permission the old file stays`, async (t) => {
    const directory = temporaryDirectory(t)
    if (process.getuid?.() === 0) {
      // Permissions do not bind root: a child gives them up.
      await chmod(directory, 0o755)
      await writeFile(join(directory, `old.${extension}`), 'old')
      const { stdout, status, stderr } = spawnSync(
        process.execPath,
        [
          '--input-type=module',
          '-e',
          `const { openCache, memoryJournal } = await import(${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)})
           process.setuid(65534)
           const cache = await openCache({ journal: memoryJournal() })
           cache.set('a', 1)
           const saved = await cache.save(${JSON.stringify(join(directory, `old.${extension}`))})
           console.log(saved.ok, saved.error?.cause?.code, cache.get('a'))`,
        ],
        { encoding: 'utf8' },
      )
      t.is(status, 0, stderr)
      t.is(stdout.trim(), 'false EACCES 1')
    } else {
      await writeFile(join(directory, `old.${extension}`), 'old')
      await chmod(directory, 0o500)
      const cache = await openCache({ journal: memoryJournal() })
      t.like(await cache.save(join(directory, `old.${extension}`)), { ok: false, error: { cause: { code: 'EACCES' } } })
      await chmod(directory, 0o700)
    }
    t.is(await readFile(join(directory, `old.${extension}`), 'utf8'), 'old')
    t.deepEqual(await readdir(directory), [`old.${extension}`])
  })

  onTmpfs(`${extension}: on a full disk the old file stays, and no temporary file is left${noMount}`, async (t) => {
    const directory = temporaryDirectory(t)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', directory])
    t.teardown(() => spawnSync('umount', ['-l', directory]))
    const path = join(directory, `saved.${extension}`)
    const cache = await openCache({ journal: memoryJournal() })
    cache.set('a', 1)
    t.true((await cache.save(path)).ok)
    const old = await readFile(path)
    for (let index = 0; index < 900; index++) cache.set(`key:${index}`, 'x'.repeat(1_000))
    const saved = await cache.save(path)
    t.like(saved, { ok: false, error: { code: 'SAVE_FAILED', cause: { code: 'ENOSPC' } } })
    t.deepEqual(await readFile(path), old)
    t.deepEqual(await readdir(directory), [`saved.${extension}`])
    t.is(cache.size, 901)
  })

  test(`${extension}: after a kill during save the file is either the old or the new one, complete`, async (t) => {
    const directory = temporaryDirectory(t)
    const path = join(directory, `saved.${extension}`)
    const child = `
      const { openCache, memoryJournal } = await import(${JSON.stringify(new URL('../../src/index.js', import.meta.url).href)})
      const cache = await openCache({ journal: memoryJournal(), maxSize: Infinity })
      for (let index = 0; index < 3_000; index++) cache.set('key:' + index, 'x'.repeat(50))
      for (let round = 1; ; round++) {
        cache.set('round', round)
        if (round === 4) setImmediate(() => process.kill(process.pid, 'SIGKILL'))
        await cache.save(${JSON.stringify(path)})
      }`
    const { signal } = spawnSync(process.execPath, ['--input-type=module', '-e', child])
    t.is(signal, 'SIGKILL')
    const cache = await openCache<unknown>({ journal: memoryJournal(), maxSize: Number.POSITIVE_INFINITY })
    t.like(await cache.load(path), { ok: true, entries: 3_001 })
    t.true([3, 4].includes(cache.get('round') as number))
  })
}

pythonTest("Python's own pickle.load reads the pickle: the document, its types, its numbers", async (t) => {
  const directory = temporaryDirectory(t)
  const clock = new ManualClock(START)
  const cache = await openCache({ journal: memoryJournal(), clock })
  cache.set('str', 'héllo 🌍', { expiresAt: 1_704_110_410_000 })
  cache.set('int', 42)
  cache.set('big', 2n ** 100n)
  cache.set('float', 1e300)
  cache.set('minus zero', -0)
  cache.set('nan', Number.NaN)
  cache.set('none', null)
  cache.set('bool', true)
  cache.set('list', [1, [2]])
  cache.set('dict', { a: 1 })
  cache.set('bytes', new Uint8Array([0, 255]))
  cache.set('set', new Set([1, 2]))
  cache.set('map', new Map([[1, 'one']]))
  cache.set('date', new Date(START))
  cache.get('int')
  cache.get('missing')
  const path = join(directory, 'x.pkl')
  t.true((await cache.save(path)).ok)
  const read = runPython(
    `import pickle, sys
d = pickle.load(sys.stdin.buffer)
e = d['entries']
assert d['stats'] == {'hits': 1, 'misses': 1, 'evictions': 0}, d['stats']
assert e['str'] == ('héllo 🌍', 1704110410.0), e['str']
assert e['int'] == (42, None) and type(e['int'][0]) is int
assert e['big'][0] == 2**100 and e['float'][0] == 1e300 and type(e['float'][0]) is float
assert str(e['minus zero'][0]) == '-0.0' and e['nan'][0] != e['nan'][0]
assert e['none'][0] is None and e['bool'][0] is True
assert e['list'][0] == [1, [2]] and e['dict'][0] == {'a': 1} and e['map'][0] == {1: 'one'}
assert e['bytes'][0] == b'\\x00\\xff' and e['set'][0] == {1, 2}
assert e['date'][0].timestamp() == 1704110400.0
print(list(e)[-1])`,
    await readFile(path),
  )
  t.is(read.trim(), 'int') // the most recently used comes last
})

test('a value that Python cannot represent is a ValueError that names it, and no file is written', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache<unknown>({ journal: memoryJournal() })
  cache.set('fine', 1)
  cache.set('pattern', /x/)
  const saved = await cache.save(join(directory, 'x.pickle'))
  t.true(!saved.ok && saved.error instanceof ValueError && /RegExp|regular/i.test(saved.error.message))
  t.deepEqual(await readdir(directory), [])
  t.like(await cache.save(join(directory, 'x.snapshot')), { ok: true })
})

test('the format follows the extension, unless it is given', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache<unknown>({ journal: memoryJournal() })
  cache.set('a', 1)
  await cache.save(join(directory, 'a.PKL'))
  await cache.save(join(directory, 'b.txt'), { format: 'pickle' })
  await cache.save(join(directory, 'c.txt'))
  const starts = await Promise.all(
    ['a.PKL', 'b.txt', 'c.txt'].map(async (name) =>
      (await readFile(join(directory, name))).subarray(0, 2).toString('hex'),
    ),
  )
  t.deepEqual(starts, ['8004', '8004', Buffer.from('da').toString('hex')])
})

test('an invalid path or format is a TypeError', async (t) => {
  const cache = await openCache<unknown>({ journal: memoryJournal() })
  await t.throwsAsync(cache.save(5 as never), { instanceOf: TypeError, message: /path/ })
  await t.throwsAsync(cache.save('x', { format: 'json' as never }), { instanceOf: TypeError, message: /format/ })
})

test('a save and a compaction at the same time each have the state of their own moment', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache<number>({ directory: join(directory, 'journal'), maxSize: 5_000 })
  for (let index = 0; index < 5_000; index++) cache.set(`key:${index}`, index)
  const compacting = cache.compact()
  await loopTurn()
  cache.set('key:0', -1)
  const saving = cache.save(join(directory, 'x.dbk'))
  cache.set('key:1', -1)
  t.true((await saving).ok)
  await compacting
  await cache.close()
  const saved = await openCache<number>({ journal: memoryJournal(), maxSize: 5_000 })
  await saved.load(join(directory, 'x.dbk'))
  t.is(saved.get('key:0'), -1)
  t.is(saved.get('key:1'), 1)
  const reopened = await openCache<number>({ directory: join(directory, 'journal'), maxSize: 5_000 })
  t.is(reopened.get('key:1'), -1)
  await reopened.close()
})
