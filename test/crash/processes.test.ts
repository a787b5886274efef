/** Real processes: two openers, killed holders, exits without close, a working directory that changes. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { openCache } from '../../src/index.js'
import { Rounds, sorted, start } from '../helpers/crash/processes.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

for (const [mode, code] of [
  ['exit', 3],
  ['exitListener', 3],
  ['exitListenerAtEnd', 3],
  ['throw', 1],
  ['reject', 1],
] as const) {
  test(`${mode} without close: every set is in the journal`, async (t) => {
    const directory = temporaryDirectory(t)
    const running = start(t, [mode, directory, 'never'])
    t.is((await running.ended).code, code)
    const cache = await openCache({ directory, maxSize: 100_000 })
    t.deepEqual(sorted(cache), (await Rounds.begin()).entriesAfter(100))
    t.is(cache.recovery.setAside, undefined)
    await cache.close()
  })
}

test('a second opener in this process is refused at once, and the first continues', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  cache.set('a', 1)
  await t.throwsAsync(openCache({ directory }), { code: 'CACHE_LOCKED', name: 'CacheLockedError' })
  await t.throwsAsync(openCache({ directory: join(directory, '.') }), { code: 'CACHE_LOCKED' })
  cache.set('b', 2)
  await cache.close()
  const again = await openCache({ directory })
  t.is(again.size, 2)
  await again.close()
})

test('a second opener in another process is refused at once', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  cache.set('right', 7)
  const running = start(t, ['try', directory])
  await running.ended
  t.deepEqual(running.lines, ['CACHE_LOCKED'])
  await cache.close()
  const after = start(t, ['try', directory])
  await after.ended
  t.deepEqual(after.lines, ['opened 7'])
})

test('a second opener in a worker is refused at once', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  const source = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(workerData.index).then(({ openCache }) => openCache({ directory: workerData.directory })).then(
      () => parentPort.postMessage('opened'),
      (error) => parentPort.postMessage(error.code),
    )`
  const index = new URL('../../src/index.js', import.meta.url).href
  const worker = new Worker(source, { eval: true, workerData: { index, directory } })
  t.is(await new Promise((resolve) => worker.once('message', resolve)), 'CACHE_LOCKED')
  await worker.terminate()
  await cache.close()
})

test('a worker that exits keeps what it set, and the lock is free', async (t) => {
  const directory = temporaryDirectory(t)
  const source = `
    const { workerData } = require('node:worker_threads')
    import(workerData.index).then(({ openCache }) => openCache({ directory: workerData.directory })).then((cache) => {
      cache.set('a', 1)
      process.exit(0)
    })`
  const index = new URL('../../src/index.js', import.meta.url).href
  const worker = new Worker(source, { eval: true, workerData: { index, directory } })
  await new Promise((resolve) => worker.once('exit', resolve))
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 1)
  await cache.close()
})

test('a directory whose holder was killed opens at once', async (t) => {
  const directory = temporaryDirectory(t)
  const holder = start(t, ['hold', directory, 'never'])
  await holder.printed(1)
  await t.throwsAsync(openCache({ directory }), { code: 'CACHE_LOCKED' })
  holder.child.kill('SIGKILL')
  await holder.ended
  const cache = await openCache({ directory, maxSize: 100_000 })
  t.deepEqual(sorted(cache), (await Rounds.begin()).entriesAfter(10))
  await cache.close()
})

test('a stopped process still holds its lock', async (t) => {
  const directory = temporaryDirectory(t)
  const holder = start(t, ['hold', directory, 'never'])
  await holder.printed(1)
  holder.child.kill('SIGSTOP')
  await t.throwsAsync(openCache({ directory }), { code: 'CACHE_LOCKED' })
  holder.child.kill('SIGKILL')
  await holder.ended
})

test('a relative directory is resolved at opening, wherever the program goes later', async (t) => {
  const folder = temporaryDirectory(t)
  mkdirSync(join(folder, 'elsewhere'))
  // Another journal of the same relative name, which must not be touched.
  const other = await openCache({ directory: join(folder, 'elsewhere', 'here') })
  other.set('not to be lost', 1)
  await other.close()
  const before = readdirSync(join(folder, 'elsewhere', 'here'))
  const running = start(t, ['chdir', folder])
  const { errors } = await running.ended
  t.deepEqual(running.lines, ['closed'], errors)
  t.deepEqual(readdirSync(join(folder, 'elsewhere', 'here')), before)
  t.true(existsSync(join(folder, 'here', 'LOCK')))
  const cache = await openCache({ directory: join(folder, 'here') })
  t.is(cache.size, 21)
  await cache.close()
  const untouched = await openCache({ directory: join(folder, 'elsewhere', 'here') })
  t.is(untouched.get('not to be lost'), 1)
  await untouched.close()
})
