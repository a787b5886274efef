/** `daybook serve`, and the other commands beside a process that owns the cache. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openCache } from '../../../src/index.js'
import { openSharedWithin } from '../../../src/processes.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { serving } from '../../helpers/cli/serving.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('serve owns the cache until a signal, hands it over, and ends with the code of the signal', async (t) => {
  const { cwd, served, directory } = await serving(t)
  const cache = await openSharedWithin({ directory, owner: 'never', reconnectTimeout: 60 })
  t.is(await cache.increment('n'), 1)
  const next = new DaybookProcess(t, ['serve', 'journal'], { cwd })
  await next.until(/process \d+ owns journal/)
  const { code, stdout, stderr } = await served.kill('SIGTERM')
  t.is(code, 143, stderr)
  t.regex(stdout, /^\S+Z closed journal$/m)
  await next.until(/nobody owns journal/)
  await next.until(/this process \(\d+\) owns journal/)
  t.is(await cache.increment('n'), 2)
  await cache.close()
  t.is((await next.kill('SIGINT')).code, 130)
  t.false(existsSync(join(directory, 'socket')))
  t.false(existsSync(join(directory, 'owner')))
})

test('serve of a directory that a cache has open which is not shared fails', async (t) => {
  const cwd = temporaryDirectory(t)
  await using cache = await openCache({ directory: join(cwd, 'journal') })
  const { code, stderr } = await daybook(t, ['serve', 'journal', '--fsync', 'never'], { cwd })
  t.is(cache.size, 0)
  t.is(code, 1)
  t.regex(stderr, /^daybook: No owner of .*journal could be reached \(.* is open in another cache, in process \d+/m)
})

test('the shell asks the owner, and says so', async (t) => {
  const { cwd, served } = await serving(t)
  const input = 'set a {"b": 1}\nget a\nincrement n 5\nkeys\ncompact\nresize 50\nstats\nget\nexit\n'
  const { code, stdout, stderr } = await daybook(t, ['shell'], { cwd, input })
  t.is(code, 1) // one line failed
  const lines = stdout.split('\n')
  t.deepEqual(lines.slice(0, 5), ['OK', '{"b":1}', '5', 'a', 'n'])
  t.regex(stdout, /^\d{16}\.snapshot: 2 entries/m)
  t.regex(stdout, /^size +2$/m)
  t.regex(stderr, /^journal is owned by process \d+, which is asked\.$/m)
  t.regex(stderr, /line 8: get takes/)
  await served.kill('SIGTERM')
})

test('save and load ask the owner; inspect reads its files', async (t) => {
  const { cwd, served, directory } = await serving(t)
  const cache = await openSharedWithin({ directory, owner: 'never', reconnectTimeout: 60 })
  await cache.set('a', 1)
  const saved = await daybook(t, ['save', 'saved.daybook'], { cwd })
  t.is(saved.code, 0, saved.stderr)
  t.regex(saved.stderr, /which is asked/)
  t.true(existsSync(join(cwd, 'saved.daybook')))
  await cache.set('b', 1)
  t.is((await daybook(t, ['load', 'saved.daybook'], { cwd })).code, 0)
  t.deepEqual(await cache.keys(), ['a'])
  t.regex((await daybook(t, ['inspect'], { cwd })).stdout, /set/)
  const refused = await daybook(t, ['save', 'saved.daybook', '--max-size', '5'], { cwd })
  t.is(refused.code, 2)
  await cache.close()
  await served.kill('SIGTERM')
})

test('commands that look back work beside the owner: those of the shell and restore ask it, the others read its files', async (t) => {
  const cwd = temporaryDirectory(t)
  const served = new DaybookProcess(t, ['serve', 'journal', '--history', '1h'], { cwd })
  await served.until(/this process \(\d+\) owns journal/)
  const cache = await openSharedWithin<number>({
    directory: join(cwd, 'journal'),
    owner: 'never',
    reconnectTimeout: 60,
  })
  await cache.set('a', 1)
  await cache.set('a', 2)
  await cache.compact()
  const input = 'at @1\nhistory a\ndiff @1\nfork forked @1\nrestore @1\n'
  const shell = await daybook(t, ['shell'], { cwd, input })
  t.is(shell.code, 0, shell.stderr)
  t.regex(shell.stderr, /which is asked/)
  t.regex(shell.stdout, /^a = 1$/m)
  t.regex(shell.stdout, /^1 entry set, 0 deleted/m)
  t.is(await cache.get('a'), 1)
  t.true(existsSync(join(cwd, 'forked')))
  const restored = await daybook(t, ['restore', '@2', '--yes'], { cwd })
  t.is(restored.code, 0, restored.stderr)
  t.regex(restored.stderr, /which is asked/)
  t.is(await cache.get('a'), 2)
  for (const [command, expected] of [
    ['at @1', /a = 1|a +1/],
    ['history a', /set/],
    ['diff @1 @2', /a/],
    ['fork forked2', /1 entry/],
    ['verify', /./],
  ] as const) {
    const { code, stdout, stderr } = await daybook(t, command.split(' '), { cwd })
    t.is(code, 0, `${command}: ${stderr}`)
    t.regex(stdout, expected, command)
  }
  await cache.close()
  await served.kill('SIGTERM')
})

test('serve without --history keeps the past that a journal has, and none for a new journal', async (t) => {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  for (const [history, isKept] of [
    [[], false],
    [['--history', '1h'], true],
    [[], true],
  ] as const) {
    const served = new DaybookProcess(t, ['serve', 'journal', ...history], { cwd })
    await served.until(/this process \(\d+\) owns journal/)
    const cache = await openSharedWithin<number>({ directory, owner: 'never', reconnectTimeout: 60 })
    await cache.set('a', 1)
    const { journal } = await cache.stats()
    await cache.set('a', 2)
    await cache.compact()
    const looking = (async () => (await cache.at({ sequence: journal.sequence })).get('a'))()
    if (isKept) t.is(await looking, 1)
    else await t.throwsAsync(looking, { code: 'HISTORY_GONE' })
    await cache.close()
    await served.kill('SIGTERM')
  }
})

test('what a killed owner left is no obstacle', async (t) => {
  const { cwd, served, directory } = await serving(t)
  await served.kill('SIGKILL')
  t.true(existsSync(join(directory, 'socket')))
  const { code, stdout, stderr } = await daybook(t, ['shell'], { cwd, input: 'set a 1\n' })
  t.is(code, 0, stderr)
  t.is(stdout, 'OK\n')
})
