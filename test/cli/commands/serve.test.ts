/** `daybook serve`, and the other commands beside a process that owns the cache. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { firstValueFrom } from 'rxjs'
import { writeSocket } from '../../../src/durable/storage/owner-file.js'
import { bind } from '../../../src/durable/storage/socket-path.js'
import { SocketLine } from '../../../src/edges/processes/line/socket-line.js'
import { openCache } from '../../../src/index.js'
import { openSharedWithin } from '../../../src/processes.js'
import { DaybookProcess, daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function serving(t: ExecutionContext, ...options: string[]) {
  const cwd = temporaryDirectory(t)
  const served = new DaybookProcess(t, ['serve', 'journal', ...options], { cwd })
  await served.until(/this process \(\d+\) owns journal/)
  return { cwd, served, directory: join(cwd, 'journal') }
}

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

test('stats asks the owner, which alone knows its hits and misses, and says so; with --files it reads the files', async (t) => {
  const { cwd, served, directory } = await serving(t, '--fsync', 'never') // otherwise the frame that records an fsync has the counters
  const cache = await openSharedWithin({ directory, owner: 'never', reconnectTimeout: 60 })
  await cache.set('a', 1)
  for (let read = 0; read < 3; read++) await cache.get('a')
  await cache.get('none')
  const jsonOf = async (...args: string[]) => {
    const { code, stdout, stderr } = await daybook(t, ['stats', '--json', ...args], { cwd })
    t.is(code, 0, stderr)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  const ofOwner = await jsonOf()
  const { pid } = await firstValueFrom(cache.role$)
  t.like(ofOwner, { source: 'owner', pid, isInUse: true, size: 1, hits: 3, misses: 1, sets: 1, sequence: 1 })
  t.like(ofOwner, { segments: 1, snapshot: null, entryBytes: null, expired: null, events: null })
  const ofFiles = await jsonOf('--files')
  t.like(ofFiles, {
    source: 'files',
    pid: null,
    isInUse: true,
    size: 1,
    hits: 0,
    misses: 0,
    sets: 1,
    sequence: 1,
    events: 1,
  })
  t.deepEqual(Object.keys(ofOwner).sort(), Object.keys(ofFiles).sort())
  await cache.compact()
  const { snapshot } = (await jsonOf()) as { snapshot: object }
  t.deepEqual(snapshot, (await jsonOf('--files'))['snapshot'])
  t.regex((await daybook(t, ['stats'], { cwd })).stdout, /^source +process \d+, which owns the cache$/m)
  t.regex((await daybook(t, ['stats', '--files'], { cwd })).stdout, /^source +the files: .* as of the last write$/m)
  await cache.close()
  await served.kill('SIGKILL')
  t.like(await jsonOf(), { source: 'files', isInUse: false }, 'what a killed owner left')
})

test('stats reads the files if the owner cannot be asked, and says why', async (t) => {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  await using cache = await openCache({ directory })
  cache.set('a', 1)
  await cache.flush()
  const server = createServer((socket) => {
    const line = new SocketLine(socket)
    line.onMessage(() => line.greet({ daybook: '9.9.9', protocol: 99 }))
  })
  t.teardown(() => server.close())
  writeSocket(directory, await bind(server, directory))
  const { code, stdout, stderr } = await daybook(t, ['stats'], { cwd })
  t.is(code, 0)
  t.regex(stdout, /^source +the files/m)
  t.regex(stderr, /^The owner of journal cannot be asked, so the files are read: .* runs daybook '9\.9\.9'/m)
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
