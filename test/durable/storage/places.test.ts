/** Things in the place of a journal, on a real disk: each is refused with a clear error, and left alone. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { encodeFileHeader } from '../../../src/durable/format/file-header.js'
import { openCache } from '../../../src/index.js'
import { PROGRAM } from '../../helpers/crash/processes.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const FIRST = '0000000000000001.segment'

async function written(t: ExecutionContext): Promise<string> {
  const directory = join(temporaryDirectory(t), 'deep', 'journal')
  const cache = await openCache({ directory })
  cache.set('a', 1)
  await cache.close()
  return directory
}

const contentsOf = (directory: string) =>
  readdirSync(directory)
    .sort()
    .map((name) => [
      name,
      lstatSync(join(directory, name)).isFile() ? readFileSync(join(directory, name), 'hex') : 'other',
    ])

test('what is created is private to its owner, parents included; what exists keeps its mode', async (t) => {
  const directory = await written(t)
  t.is(statSync(directory).mode & 0o777, 0o700)
  t.is(statSync(join(directory, '..')).mode & 0o777, 0o700)
  for (const name of readdirSync(directory)) t.is(statSync(join(directory, name)).mode & 0o777, 0o600, name)
  chmodSync(directory, 0o755)
  await (await openCache({ directory })).close()
  t.is(statSync(directory).mode & 0o777, 0o755)
})

for (const [what, put] of [
  ['a symbolic link to a sound file', (path: string) => symlinkSync(`${path}.moved`, path)],
  ['a symbolic link to nothing', (path: string) => symlinkSync('/nowhere', path)],
  ['a FIFO', (path: string) => execFileSync('mkfifo', [path])],
  ['a directory', (path: string) => mkdirSync(path)],
] as const) {
  for (const name of [FIRST, 'LOCK', '0000000000000001.snapshot']) {
    test(`${what} in place of ${name} is refused at once, and nothing is changed`, async (t) => {
      const directory = await written(t)
      const path = join(directory, name)
      if (name.endsWith('.snapshot')) writeFileSync(path, '')
      renameSync(path, `${path}.moved`)
      put(path)
      const before = contentsOf(directory)
      await t.throwsAsync(openCache({ directory }), {
        code: 'NOT_A_FILE',
        message: /a directory or a FIFO, not a file/,
      })
      t.deepEqual(contentsOf(directory), before)
    })
  }
}

test('a file in place of the directory is refused', async (t) => {
  const path = join(temporaryDirectory(t), 'file')
  writeFileSync(path, 'mine')
  await t.throwsAsync(openCache({ directory: path }), { code: 'JOURNAL_UNREADABLE' })
  await t.throwsAsync(openCache({ directory: join(path, 'below') }), { code: 'JOURNAL_UNREADABLE' })
  t.is(readFileSync(path, 'utf8'), 'mine')
})

test('a directory whose name looks like a glob works', async (t) => {
  const directory = join(temporaryDirectory(t), 'a[b]*{c,d}!(e)')
  for (let round = 0; round < 3; round++) {
    const cache = await openCache({ directory })
    t.is(cache.increment('rounds'), round + 1)
    await cache.compact()
    await cache.close()
  }
})

for (const [name, kind, sequence] of [
  [FIRST, 'segment', 1],
  ['0000000000000000.snapshot', 'snapshot', 0],
] as const) {
  test(`a sound ${kind} of a future version is refused as such, and left alone`, async (t) => {
    const directory = await written(t)
    const header = encodeFileHeader({
      kind,
      journalId: Buffer.alloc(16),
      sequence: sequence as Sequence,
      previousChecksum: 0,
      createdAtMs: 0,
    })
    header.writeUInt32LE(7, 8)
    header.writeUInt32LE(checksum(header.subarray(0, 60)), 60)
    writeFileSync(join(directory, name), Buffer.concat([header, Buffer.from('what version 7 has')]))
    const before = contentsOf(directory)
    await t.throwsAsync(openCache({ directory }), { code: 'UNSUPPORTED_VERSION', message: /version 7/ })
    t.deepEqual(contentsOf(directory), before)
  })
}

test('LOCK has the journal id, so that a missing or different journal beside it is detected', async (t) => {
  const directory = await written(t)
  const id = readFileSync(join(directory, FIRST)).subarray(16, 32).toString('hex')
  t.is(readFileSync(join(directory, 'LOCK'), 'utf8'), `${id}\n`)
  renameSync(join(directory, FIRST), join(directory, 'kept'))
  await t.throwsAsync(openCache({ directory }), { code: 'CORRUPTION', message: /LOCK says that there was a journal/ })
  const other = await written(t)
  writeFileSync(join(directory, FIRST), readFileSync(join(other, FIRST)))
  await t.throwsAsync(openCache({ directory }), { code: 'CORRUPTION', message: /LOCK names a different journal/ })
  renameSync(join(directory, 'kept'), join(directory, FIRST))
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 1)
  await cache.close()
})

test('only the beginning of a LOCK of 1 GiB is read', async (t) => {
  const directory = await written(t)
  truncateSync(join(directory, 'LOCK'), 2 ** 30)
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 1)
  await cache.close()
})

test('a sparse tail of 1 GiB is set aside as a sparse file', async (t) => {
  const directory = await written(t)
  const path = join(directory, FIRST)
  const { size } = statSync(path)
  truncateSync(path, 2 ** 30)
  const cache = await openCache({ directory })
  const { setAside } = cache.recovery
  await cache.close()
  t.is(setAside?.bytes, 2 ** 30 - size)
  const kept = statSync(setAside?.savedAs ?? '')
  t.is(kept.size, 2 ** 30 - size)
  t.true(kept.blocks * 512 < 2 ** 20, `${kept.blocks} blocks`)
})

test('files with a number beyond any sequence are ignored', async (t) => {
  const directory = await written(t)
  const names = ['9999999999999999.snapshot', '9007199254740992.segment', '9999999999999999.loaded']
  for (const name of names) writeFileSync(join(directory, name), name)
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 1)
  await cache.compact()
  await cache.close()
  for (const name of names) t.is(readFileSync(join(directory, name), 'utf8'), name)
})

test('a snapshot of a sequence beyond the journal is corrupt, and named in the error', async (t) => {
  const directory = await written(t)
  writeFileSync(join(directory, '9007199254740991.snapshot'), '')
  await t.throwsAsync(openCache({ directory }), { code: 'CORRUPTION', message: /9007199254740991\.snapshot/ })
})

test('directories named like unfinished files stay, do not stop the journal from opening, and are named by writes that fail', async (t) => {
  const directory = await written(t)
  const { size } = statSync(join(directory, FIRST))
  const names = ['0000000000000001.snapshot.tmp', '0000000000000002.loaded.tmp', `${FIRST}.${size}.broken.tmp`]
  for (const name of names) mkdirSync(join(directory, name))
  appendFileSync(join(directory, FIRST), 'torn')
  const cache = await openCache({ directory })
  t.is(cache.recovery.setAside?.savedAs, join(directory, `${FIRST}.${size}.2.broken`))
  t.is(readFileSync(cache.recovery.setAside?.savedAs ?? '', 'utf8'), 'torn')
  await t.throwsAsync(cache.compact(), {
    code: 'COMPACTION_FAILED',
    message: /0000000000000001\.snapshot\.tmp is a symbolic link, a directory or a FIFO/,
  })
  const saved = join(directory, 'saved')
  t.like(await cache.save(saved), { ok: true })
  const loaded = await cache.load(saved)
  t.false(loaded.ok)
  if (!loaded.ok)
    t.regex(loaded.error.message, /0000000000000002\.loaded\.tmp is a symbolic link, a directory or a FIFO/)
  cache.set('b', 2)
  t.like(await cache.compact(), { sequence: 2 })
  await cache.close()
  for (const name of names) t.true(statSync(join(directory, name)).isDirectory(), name)
})

test('an empty LOCK is written again, and a LOCK with other content does not stop opening', async (t) => {
  const directory = await written(t)
  const path = join(directory, 'LOCK')
  const note = readFileSync(path, 'utf8')
  writeFileSync(path, '')
  await (await openCache({ directory })).close()
  t.is(readFileSync(path, 'utf8'), note)
  writeFileSync(path, 'pid 1234')
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 1)
  await cache.close()
})

test('files with other names are ignored and never removed', async (t) => {
  const directory = await written(t)
  const names = [
    'README.md',
    '1.segment',
    '0000000000000001.segment~',
    '.hidden.segment',
    '0000000000000005.segment.64.broken',
    'a.tmp',
  ]
  for (const name of names) writeFileSync(join(directory, name), name)
  const cache = await openCache({ directory })
  await cache.compact()
  cache.set('b', 2)
  await cache.close()
  for (const name of names) t.is(readFileSync(join(directory, name), 'utf8'), name)
})

// Root can read and write everything, so these are tried by a process of another user.
const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
const asNobody = isRoot
  ? spawnSync(process.execPath, [PROGRAM], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  : undefined
const canBeNobody = !isRoot || asNobody?.status === 0
const testAsUser = canBeNobody ? test : test.skip
const note = canBeNobody ? '' : ' (skipped: this machine cannot start a process of another user)'

function tryAsUser(directory: string): string {
  const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {}
  return spawnSync(process.execPath, [PROGRAM, 'try', directory], { ...user, encoding: 'utf8' }).stdout.trim()
}

for (const [what, mode] of [
  ['unreadable', 0o000],
  ['unwritable', 0o500],
] as const) {
  testAsUser(`an ${what} directory is refused with a clear error, and nothing in it is changed${note}`, async (t) => {
    const directory = await written(t)
    for (const path of [directory, ...readdirSync(directory).map((name) => join(directory, name))])
      if (isRoot) chownSync(path, NOBODY, NOBODY)
    for (const path of [join(directory, '..'), join(directory, '..', '..')]) chmodSync(path, 0o755)
    if (what === 'unwritable') for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o400)
    chmodSync(directory, mode)
    const before = isRoot ? contentsOf(directory) : []
    t.is(tryAsUser(directory), 'JOURNAL_UNREADABLE')
    if (isRoot) t.deepEqual(contentsOf(directory), before)
    chmodSync(directory, 0o700)
  })
}
