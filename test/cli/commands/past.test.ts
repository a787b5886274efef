/** The commands that look back: at, history, diff, restore, fork, inspect --follow. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { decodeFileHeader, encodeFileHeader } from '../../../src/durable/format/file-header.js'
import { FILE_HEADER_BYTES, fileName } from '../../../src/durable/format/format.js'
import { openCache } from '../../../src/index.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** Five changes, then a compaction, which keeps them, and two more. */
async function prepare(t: ExecutionContext): Promise<{ cwd: string; directory: string }> {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const cache = await openCache({ directory, history: '1d' })
  cache.set('user:1', { name: 'Ada' })
  cache.set('user:2', 'Grace', { tags: ['navy'] })
  cache.set('count', 1)
  cache.set('user:1', { name: 'overwritten' })
  cache.delete('user:2')
  await cache.compact()
  cache.set('user:3', 3)
  cache.increment('count')
  await cache.close()
  return { cwd, directory }
}

const lines = (text: string) => text.trimEnd().split('\n')
const jsonLines = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>)

test.serial('at prints the entries as they were', async (t) => {
  const { cwd } = await prepare(t)
  const { code, stdout, stderr } = await daybook(t, ['at', '@3'], { cwd })
  t.is(code, 0)
  t.deepEqual(lines(stdout), ['user:1 = {"name":"Ada"}', 'user:2 = "Grace" tags navy', 'count = 1'])
  t.regex(stderr, /^3 entries as of sequence 3, \d{4}-/)
  const some = await daybook(t, ['at', '@3', 'user:*', '--json'], { cwd })
  t.deepEqual(jsonLines(some.stdout), [
    { key: 'user:1', value: { name: 'Ada' } },
    { key: 'user:2', value: 'Grace', tags: ['navy'] },
  ])
})

test.serial('history prints the changes of a key', async (t) => {
  const { cwd } = await prepare(t)
  const { code, stdout } = await daybook(t, ['history', 'user:1', '--json'], { cwd })
  t.is(code, 0)
  t.deepEqual(
    jsonLines(stdout).map(({ sequence, value }) => [sequence, value]),
    [
      [1, { name: 'Ada' }],
      [4, { name: 'overwritten' }],
    ],
  )
  t.is(lines((await daybook(t, ['history', 'user:1', '--from', '@2', '--to', '@6'], { cwd })).stdout).length, 1)
  t.regex((await daybook(t, ['history', 'none'], { cwd })).stderr, /No change of none/)
})

test.serial('diff prints what is different', async (t) => {
  const { cwd } = await prepare(t)
  const { code, stdout, stderr } = await daybook(t, ['diff', '@3', '@6'], { cwd })
  t.is(code, 0)
  t.deepEqual(lines(stdout).sort(), [
    '+ user:3 = 3',
    '- user:2 = "Grace" tags navy',
    '~ user:1 = {"name":"Ada"} → {"name":"overwritten"}',
  ])
  t.regex(stderr, /^1 added, 1 removed, 1 changed from sequence 3 .* to sequence 6/)
  const json = jsonLines((await daybook(t, ['diff', '@3', '--key', 'count', '--json'], { cwd })).stdout)
  t.deepEqual(json, [{ key: 'count', before: { value: 1 }, after: { value: 2 } }])
})

test.serial('restore shows what it would do and asks; what it did can be undone', async (t) => {
  const { cwd, directory } = await prepare(t)
  const asked = await daybook(t, ['restore', '@3', 'user:*'], { cwd, input: 'n\n' })
  t.is(asked.code, 1)
  t.regex(asked.stdout, /It would set 2 entries and delete 1; 0 are as they were\.\n.*\[y\/N\] Nothing was changed/)
  const unanswered = await daybook(t, ['restore', '@3', 'user:*'], { cwd, input: '' })
  t.regex(unanswered.stdout, /Nothing was changed/)
  const done = await daybook(t, ['restore', '@3', 'user:*', '--yes'], { cwd })
  t.is(done.code, 0)
  t.regex(done.stdout, /Done: set 2 entries and deleted 1; .*\n.*daybook restore @7 "user:\*"/)
  const cache = await openCache({ directory, history: '1d' })
  t.deepEqual(Object.fromEntries(cache), { 'user:1': { name: 'Ada' }, 'user:2': 'Grace', count: 2 })
  await cache.close()
  t.is((await daybook(t, ['restore', '@7', '--yes'], { cwd })).code, 0)
  t.deepEqual(jsonLines((await daybook(t, ['at', '0s', 'user:*', '--json'], { cwd })).stdout), [
    { key: 'user:1', value: { name: 'overwritten' } },
    { key: 'user:3', value: 3 },
  ])
})

test.serial('fork writes a journal of its own; not where there is one', async (t) => {
  const { cwd } = await prepare(t)
  const { code, stdout } = await daybook(t, ['fork', 'copy', '--at', '@3'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /copy: 3 entries, \d+ bytes, as of sequence 3/)
  t.is(lines((await daybook(t, ['at', '0s', '--directory', 'copy'], { cwd })).stdout).length, 3)
  const again = await daybook(t, ['fork', 'copy'], { cwd })
  t.is(again.code, 1)
  t.regex(again.stderr, /has a journal already/)
})

test.serial('they read a journal that is in use', async (t) => {
  const { cwd, directory } = await prepare(t)
  const cache = await openCache({ directory, history: '1d' })
  cache.set('live', 1)
  await cache.flush()
  for (const args of [
    ['at', '@3'],
    ['history', 'live'],
    ['diff', '@3'],
    ['fork', 'copy'],
  ]) {
    const { code, stderr } = await daybook(t, args, { cwd })
    t.is(code, 0, `${args}: ${stderr}`)
  }
  t.is((await daybook(t, ['restore', '@3', '--yes'], { cwd })).code, 1)
  await cache.close()
})

test.serial(
  'inspect --follow goes on with what is written, through compactions, until it is interrupted',
  async (t) => {
    const { cwd, directory } = await prepare(t)
    const process = new DaybookProcess(t, ['inspect', '--follow', '--from', '7', '--json'], { cwd })
    await process.until(/"sequence":7/)
    const cache = await openCache({ directory, history: '1d' })
    cache.set('followed', 1)
    await process.until(/"sequence":8.*followed/)
    await cache.compact()
    cache.set('after', 2)
    await process.until(/"sequence":9.*after/)
    await cache.close()
    t.is((await process.kill('SIGINT')).code, 130)
    t.deepEqual(
      jsonLines(process.stdout).map(({ sequence }) => sequence),
      [7, 8, 9],
    )
  },
)

test.serial('inspect --follow ends with an error where the journal is damaged', async (t) => {
  const { cwd, directory } = await prepare(t)
  const path = join(directory, '0000000000000006.segment')
  const bytes = readFileSync(path)
  bytes[64 + 60] = (bytes[64 + 60] as number) ^ 1
  writeFileSync(path, bytes)
  const { code, stderr } = await daybook(t, ['inspect', '--follow'], { cwd })
  t.is(code, 4)
  t.regex(stderr, /0000000000000006\.segment is damaged at byte 64/)
})

test.serial('inspect --follow ends with an error when the journal is damaged meanwhile', async (t) => {
  const { cwd, directory } = await prepare(t)
  const path = join(directory, '0000000000000006.segment')
  const sound = readFileSync(path)
  const appended = async () => {
    const cache = await openCache({ directory, history: '1d' })
    cache.set('on', 1)
    await cache.flush()
    cache.set('and on', 2)
    await cache.close()
  }
  await appended()
  const longer = readFileSync(path)
  writeFileSync(path, sound)
  const damaged = Buffer.from(longer)
  damaged[sound.length + 30] = (damaged[sound.length + 30] as number) ^ 1
  const segment = (sequence: number, journalId: Buffer) => {
    const header = {
      kind: 'segment',
      journalId,
      sequence: sequence as Sequence,
      previousChecksum: 1,
      createdAtMs: 0,
    } as const
    const content = Buffer.concat([encodeFileHeader(header), longer.subarray(FILE_HEADER_BYTES)])
    writeFileSync(join(directory, fileName(sequence as Sequence, 'segment')), content)
  }
  const { journalId } = decodeFileHeader(sound, path, { kind: 'segment', sequence: 6 as Sequence })
  for (const [what, damage] of Object.entries({
    'a frame with sound ones after it': () => writeFileSync(path, damaged),
    'a segment of another journal': () => segment(8, Buffer.alloc(16)),
    'a segment that does not follow': () => segment(8, journalId),
    'a gap': () => segment(12, journalId),
  })) {
    for (const name of readdirSync(directory)) if (/^0+(8|12)\.segment$/.test(name)) rmSync(join(directory, name))
    writeFileSync(path, sound)
    const process = new DaybookProcess(t, ['inspect', '--follow', '--json'], { cwd })
    await process.until(/"sequence":7/)
    damage()
    const { code } = await process.ended
    t.is(code, 4, what)
    t.regex(process.stderr, /\.segment is damaged at byte/, what)
  }
})

test.serial('inspect --to in the middle of a frame ends there', async (t) => {
  const { cwd } = await prepare(t)
  const { code, stdout } = await daybook(t, ['inspect', '--from', '7', '--to', '7', '--json'], { cwd })
  t.is(code, 0)
  t.deepEqual(
    jsonLines(stdout).map(({ sequence }) => sequence),
    [7],
  )
})

test.serial('what is no time is refused; what is too old says what the oldest is', async (t) => {
  const { cwd, directory } = await prepare(t)
  for (const time of ['yesterday', '@-1', '@x', '2026-13-99', '']) {
    const { code, stderr } = await daybook(t, ['at', time], { cwd })
    t.is(code, 2, time)
    t.regex(stderr, /It must be like 10m/)
  }
  const cache = await openCache({ directory })
  await cache.compact()
  await cache.close()
  const { code, stderr } = await daybook(t, ['at', '@3'], { cwd })
  t.is(code, 1)
  t.regex(stderr, /does not reach back to sequence 3: the oldest is sequence 7/)
  t.regex((await daybook(t, ['at', '@3', '--directory', 'none'], { cwd })).stderr, /does not exist/)
  t.false(readdirSync(cwd).includes('none'))
})

test.serial('a command that writes keeps the past, whoever keeps it', async (t) => {
  const { cwd } = await prepare(t)
  await daybook(t, [], { cwd, input: 'set more 1\ncompact\n' })
  t.is((await daybook(t, ['at', '@1'], { cwd })).code, 0)
})
