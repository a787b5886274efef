import { appendFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Verification } from '../../../src/cli/journal/findings.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { FILE } from '../../../src/durable/format/format.js'
import type { Cache } from '../../../src/index.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { damage, fileAt, filesOf, writeJournal, writeTwelve } from '../../helpers/cli/journals.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function journal(t: ExecutionContext, write: (cache: Cache) => Promise<void> = writeTwelve) {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  await writeJournal(directory, write)
  return { cwd, directory }
}

/** Twelve events in a snapshot, two after it. */
async function writeCompacted(cache: Cache): Promise<void> {
  await writeTwelve(cache)
  await cache.compact()
  cache.set('after', 1)
  await cache.flush()
  cache.delete('key:1')
}

async function verify(t: ExecutionContext, cwd: string): Promise<{ code: number | null; found: Verification }> {
  const { code, stdout } = await daybook(t, ['verify', '--json'], { cwd })
  return { code, found: JSON.parse(stdout) as Verification }
}

test.serial('a sound journal: exit code 0, and the contents of every file', async (t) => {
  const { cwd } = await journal(t)
  const { code, found } = await verify(t, cwd)
  t.is(code, 0)
  t.like(found, { status: 'sound', sequence: 12, isLive: false })
  t.deepEqual(
    found.files.map(({ file, status, items }) => [file, status, items]),
    [
      ['0000000000000001.segment', 'sound', 5],
      ['0000000000000006.segment', 'sound', 5],
      ['0000000000000011.segment', 'sound', 2],
    ],
  )
  const { stdout } = await daybook(t, ['verify'], { cwd })
  t.regex(stdout, /^0000000000000001\.segment {2}sound {2}.*: \d+ sound frames with 5 events$/m)
  t.regex(stdout, /^sound: journal opens without loss\. Its last event is 12\.$/m)
})

test.serial('a last frame that is cut short is torn: exit code 3', async (t) => {
  const { cwd, directory } = await journal(t)
  const last = fileAt(directory, 'segment', -1)
  appendFileSync(join(directory, last), 'half a frame')
  const { code, found } = await verify(t, cwd)
  t.is(code, 3)
  t.like(found, { status: 'torn', sequence: 12 })
  t.is(found.files.at(-1)?.status, 'torn')
  t.regex(found.problem?.reason ?? '', /ends in the middle of a frame header/)
  t.regex(
    (await daybook(t, ['verify'], { cwd })).stdout,
    /^torn: journal\/0000000000000011\.segment, byte \d+, sequence 13: /m,
  )
})

test.serial(
  'a flipped bit is corrupt: exit code 4, with the file, the byte, the sequence and what is sound after it',
  async (t) => {
    const { cwd, directory } = await journal(t)
    damage(directory, fileAt(directory, 'segment', 0), 300)
    const { code, found } = await verify(t, cwd)
    t.is(code, 4)
    const [first, ...later] = found.files
    t.like(found, {
      status: 'corrupt',
      problem: { file: 'journal/0000000000000001.segment', offset: 230, sequence: 2 },
    })
    t.like(first, { status: 'corrupt', items: 1, damage: { offset: 230, sequence: 2, soundItemsAfter: 3 } })
    t.deepEqual(
      later.map(({ status, items }) => [status, items]),
      [
        ['unreachable', 5],
        ['unreachable', 2],
      ],
    )
    const { stdout } = await daybook(t, ['verify'], { cwd })
    t.regex(stdout, /^ {2}at byte 230, where sequence 2 should be: the checksum of the frame does not match/m)
    t.regex(stdout, /^ {2}after it: \d+ sound frames with 3 events$/m)
    t.regex(stdout, /daybook repair --directory journal/)
  },
)

test.serial('a missing segment is corrupt, and later segments are still checked', async (t) => {
  const { cwd, directory } = await journal(t)
  rmSync(join(directory, fileAt(directory, 'segment', 1)))
  const { code, found } = await verify(t, cwd)
  t.is(code, 4)
  t.regex(found.problem?.reason ?? '', /sequences from 6 on are missing/)
  t.is(found.sequence, 5)
})

test.serial('a damaged snapshot is corrupt', async (t) => {
  const { cwd, directory } = await journal(t, writeCompacted)
  t.like((await verify(t, cwd)).found, { status: 'sound', sequence: 14 })
  const snapshot = fileAt(directory, 'snapshot', 0)
  damage(directory, snapshot, 200)
  const { code, found } = await verify(t, cwd)
  t.is(code, 4)
  t.like(found.problem, { file: `journal/${snapshot}`, offset: 64 })
  t.is(found.files.find(({ kind }) => kind === 'segment')?.status, 'sound')
})

test.serial('a damaged file of the past is reported, and the journal is sound', async (t) => {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const kept = join(cwd, 'kept')
  await writeJournal(directory, async (cache) => {
    await writeTwelve(cache)
    renameSync(join(directory, fileAt(directory, 'segment', 0)), kept) // compaction cannot remove it
    await cache.compact()
  })
  renameSync(kept, join(directory, '0000000000000001.segment'))
  damage(directory, '0000000000000001.segment', 300)
  const { code, stdout } = await daybook(t, ['verify'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /^0000000000000001\.segment +past/m)
  t.regex(stdout, /The disk may be failing/)
})

test.serial('a loaded file is checked with the event that names it', async (t) => {
  const { cwd, directory } = await journal(t, async (cache) => {
    await writeTwelve(cache)
    const saved = join(temporaryDirectory(t), 'saved')
    await cache.save(saved)
    await cache.load(saved)
  })
  t.is((await verify(t, cwd)).code, 0)
  const [loaded = ''] = filesOf(directory, 'loaded')
  damage(directory, loaded, 100)
  t.like(await verify(t, cwd), { code: 4, found: { problem: { file: `journal/${loaded}` } } })
  rmSync(join(directory, loaded))
  t.regex((await verify(t, cwd)).found.problem?.reason ?? '', /is missing, but the journal refers to it/)
})

test.serial('a journal of a newer version is not checked: exit code 1', async (t) => {
  const { cwd, directory } = await journal(t)
  const path = join(directory, fileAt(directory, 'segment', 0))
  const bytes = readFileSync(path)
  bytes.writeUInt32LE(3, FILE.version)
  bytes.writeUInt32LE(checksum(bytes.subarray(0, FILE.checksum)), FILE.checksum)
  writeFileSync(path, bytes)
  const { code, stderr } = await daybook(t, ['verify'], { cwd })
  t.is(code, 1)
  t.regex(stderr, /has format version 3/)
})
