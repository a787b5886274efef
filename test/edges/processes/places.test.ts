/** Where shared caches are opened: cluster workers, worker threads, child processes; and directories in which they are not. */
import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { writeSocket } from '../../../src/durable/storage/owner-file.js'
import { bind } from '../../../src/durable/storage/socket-path.js'
import { checkOwner, ownerGreeting } from '../../../src/edges/processes/greeting.js'
import { SocketLine } from '../../../src/edges/processes/line/socket-line.js'
import { DAYBOOK_VERSION } from '../../../src/edges/remote/wire/version.js'
import { openCache } from '../../../src/index.js'
import { sharedPlace } from '../../helpers/edges/shared.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const PROGRAM = fileURLToPath(new URL('../../helpers/processes/incrementing.js', import.meta.url))
const run = promisify(execFile)
const KEPT = { ttlMs: 1, eviction: 'lru' } as const
const isRoot = process.geteuid?.() === 0
const asRoot = isRoot ? test : test.skip

test('workers of node:cluster, worker threads and child processes share one cache', async (t) => {
  const { directory, join } = sharedPlace(t)
  const cache = await join()
  const threads = [1, 2].map(
    () =>
      new Promise((resolve, reject) => {
        const worker = new Worker(PROGRAM, { workerData: { directory, times: 20, workers: 0 } })
        worker.on('message', resolve)
        worker.on('error', reject)
      }),
  )
  await Promise.all([
    ...threads,
    run(process.execPath, [PROGRAM, directory, '20', '2']),
    run(process.execPath, [PROGRAM, directory, '20']),
  ])
  t.is(await cache.get('n'), 100)
})

test('workers of node:cluster own the cache themselves, at a socket of their own user alone', async (t) => {
  const directory = temporaryDirectory(t)
  await run(process.execPath, [PROGRAM, directory, '50', '3'])
  await using cache = await openCache({ directory })
  t.is(cache.get('n'), 150)
})

/** A directory whose path has this many bytes. */
function directoryOf(t: ExecutionContext, bytes: number, end = ''): string {
  let path = temporaryDirectory(t)
  while (path.length < bytes - 101) path = join(path, 'd'.repeat(90))
  path = join(path, `${'d'.repeat(bytes - path.length - 1 - end.length)}${end}`)
  mkdirSync(path, { recursive: true })
  return path
}

for (const bytes of [90, 96, 104, 108, 300]) {
  test(`a directory on a path of ${bytes} bytes has a socket, which is its own`, async (t) => {
    const directory = directoryOf(t, bytes)
    t.is(directory.length, bytes)
    const { join: joinCache } = sharedPlace(t, directory)
    const owner = await joinCache({ owner: 'prefer' })
    await owner.set('a', bytes)
    t.is(await (await joinCache({ owner: 'never' })).get('a'), bytes)
  })
}

test('two directories with the same first 108 bytes have caches of their own', async (t) => {
  const root = directoryOf(t, 108)
  const [one, other] = [sharedPlace(t, join(root, 'one')), sharedPlace(t, join(root, 'other'))]
  const [first, second] = [await one.join({ owner: 'prefer' }), await other.join({ owner: 'prefer' })]
  await first.set('a', 1)
  t.is(await second.get('a'), undefined)
  t.is(await (await one.join({ owner: 'never' })).get('a'), 1)
})

test('a process with another version of daybook is refused by name', async (t) => {
  const { directory, join } = sharedPlace(t)
  const server = createServer((socket) => {
    const line = new SocketLine(socket)
    line.onMessage(() => line.greet({ ...ownerGreeting(KEPT), daybook: '9.9.9', protocol: 99 }))
  })
  t.teardown(() => new Promise<void>((resolve) => server.close(() => resolve())))
  writeSocket(directory, await bind(server, directory))
  const { message } = await t.throwsAsync(join(), { code: 'UNSUPPORTED_VERSION' })
  t.true(message.includes(`Process ${process.pid}`) && message.includes("'9.9.9'") && message.includes(DAYBOOK_VERSION))
  t.throws(() => checkOwner({ ...ownerGreeting(KEPT), v8: 1 }), { code: 'UNSUPPORTED_VERSION' })
  t.throws(() => checkOwner(undefined), { code: 'UNSUPPORTED_VERSION' })
  t.notThrows(() => checkOwner(ownerGreeting({ ttlMs: Number.POSITIVE_INFINITY, eviction: 's3-fifo' })))
})

test('a stale socket, and nonsense in the owner file, are replaced by the next owner', async (t) => {
  const { directory, join: joinCache } = sharedPlace(t)
  writeFileSync(join(directory, 'socket'), '')
  for (const text of [
    '{"socket":"/etc/passwd"}',
    '{"socket":7}',
    'no JSON',
    `{"socket":"${join(directory, 'socket')}"}`,
  ]) {
    writeFileSync(join(directory, 'owner'), text)
    const cache = await joinCache({ owner: 'prefer' })
    t.is(await cache.get('a'), undefined)
    await cache.close()
  }
})

const USER = 12_345

/** Runs a program as another user. `openShared` is there. */
function asUser(body: string) {
  const module = JSON.stringify(new URL('../../../src/processes.js', import.meta.url).href)
  const program = `
    const { openShared } = await import(${module})
    process.setgid(${USER}); process.setuid(${USER})
    ${body}`
  return run(process.execPath, ['--input-type=module', '--eval', program])
}

asRoot('the directory of another user is refused, except to root', async (t) => {
  const { directory, join: joinCache } = sharedPlace(t)
  chmodSync(directory, 0o755)
  await joinCache({ owner: 'prefer' })
  const { stdout } = await asUser(`
    const directory = ${JSON.stringify(directory)}
    await openShared({ directory, reconnectTimeout: 1 }).catch((error) => console.log(error.code))`)
  t.regex(stdout, /JOURNAL_UNREADABLE/)
  chownSync(directory, USER, USER)
  t.is(await (await joinCache({ owner: 'never' })).get('a'), undefined)
})

asRoot('nothing is sent to a socket of another user, and the next owner replaces it', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'socket')
  let connections = 0
  const server = createServer(() => connections++)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.teardown(() => server.close())
  chmodSync(path, 0o777)
  chownSync(directory, USER, USER)
  writeFileSync(join(directory, 'owner'), JSON.stringify({ socket: path }))
  const { stdout } = await asUser(`
    const directory = ${JSON.stringify(directory)}
    const owner = await openShared({ directory })
    const client = await openShared({ directory, owner: 'never' })
    console.log(await client.increment('n'))
    await client.close()
    await owner.close()`)
  t.is(stdout, '1\n')
  t.is(connections, 0)
})

asRoot('a read-only directory is refused with the reason, and its running owner is asked all the same', async (t) => {
  const directory = temporaryDirectory(t)
  chownSync(directory, USER, USER)
  const { stdout } = await asUser(`
    const { chmodSync } = await import('node:fs')
    const directory = ${JSON.stringify(directory)}
    const refused = (error) => console.log(error.code, /EACCES|permission/i.test(error.message))
    chmodSync(directory, 0o555)
    await openShared({ directory }).catch(refused)
    chmodSync(directory, 0o755)
    const owner = await openShared({ directory, owner: 'prefer' })
    chmodSync(directory, 0o555)
    const client = await openShared({ directory })
    console.log(await client.increment('n'))
    await client.close()
    await owner.close()`)
  t.is(stdout, 'JOURNAL_UNREADABLE true\n1\n')
})
