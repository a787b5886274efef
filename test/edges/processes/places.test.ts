/** Where shared caches are opened: cluster workers, worker threads, child processes; and directories in which they are not. */
import { execFile } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import test from 'ava'
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

test('directories with long paths have caches of their own', async (t) => {
  const root = join(temporaryDirectory(t), 'd'.repeat(120))
  mkdirSync(root, { recursive: true })
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

asRoot('the directory and the socket of another user are not used', async (t) => {
  const { directory, join: joinCache } = sharedPlace(t)
  const program = `
    process.setgid(12345); process.setuid(12345)
    const { openShared } = await import(${JSON.stringify(new URL('../../../src/processes.js', import.meta.url).href)})
    await openShared({ directory: ${JSON.stringify(directory)}, reconnectTimeout: 1 }).catch((error) => { process._rawDebug(error.code) })
    process.exit(0)`
  chmodSync(directory, 0o755)
  await joinCache({ owner: 'prefer' })
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', program])
  t.regex(stderr, /JOURNAL_UNREADABLE/)
  chownSync(directory, 12345, 12345) // root may
  t.is(await (await joinCache({ owner: 'never' })).get('a'), undefined)
})
