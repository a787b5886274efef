import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const run = promisify(execFile)
const INDEX = new URL('../../../src/index.js', import.meta.url).href

/** Runs a script with an open cache `cache` in a process of its own. */
async function inProcess(directory: string, script: string) {
  const source = `
    import { openCache } from ${JSON.stringify(INDEX)}
    const cache = await openCache({ directory: ${JSON.stringify(directory)}, cleanupInterval: 3600, fsync: 'everysec' })
    ${script}
  `
  return run(process.execPath, ['--input-type=module', '--eval', source], { timeout: 60_000 })
}

test('timers do not keep the process alive: deadlines, cleanup, stats, fsync', async (t) => {
  const directory = temporaryDirectory(t)
  await inProcess(
    directory,
    `
    cache.set('a', 1, { ttl: '1h' })
    cache.stats$.subscribe()
    cache.getOrSet('b', () => new Promise(() => {})).catch(() => {})
    `,
  )
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 1)
  await cache.close()
})

test('a getOrSet with a timeout keeps the process alive until it settles', async (t) => {
  for (const option of ['timeout', 'hardTimeout']) {
    const { stdout } = await inProcess(
      temporaryDirectory(t),
      `
      try {
        await cache.getOrSet('b', () => new Promise(() => {}), { ${option}: '20ms' })
      } catch (error) {
        console.log(error.code)
      }
      `,
    )
    t.is(stdout.trim(), 'LOAD_TIMEOUT')
  }
  // The call has timed out: the hard timeout of its load, an hour away, does not keep the process alive.
  const { stdout } = await inProcess(
    temporaryDirectory(t),
    `
    await cache.getOrSet('b', () => new Promise(() => {}), { timeout: '20ms', hardTimeout: '1h' }).catch(() => {})
    console.log('over')
    `,
  )
  t.is(stdout.trim(), 'over')
})

test('a reload in the background does not keep the process alive, nor does its hardTimeout', async (t) => {
  const { stdout } = await inProcess(
    temporaryDirectory(t),
    `
    cache.set('a', 'old', { ttl: 0, stale: '1h' })
    cache.set('b', 'old', { ttl: 0, stale: '1h' })
    console.log(await cache.getOrSet('a', () => new Promise(() => {}), { hardTimeout: '1h' }))
    console.log(await cache.getOrSet('b', () => new Promise(() => {}), { timeout: '20ms', hardTimeout: '1h' }))
    `,
  )
  t.is(stdout, 'old\nold\n')
})

test('a deadline in 60 days fires neither at once nor with a warning', async (t) => {
  const directory = temporaryDirectory(t)
  const { stdout, stderr } = await inProcess(
    directory,
    `
    let expired = 0
    cache.expirations$.subscribe(() => expired++)
    cache.set('a', 1, { ttl: '60d' })
    await new Promise((resolve) => setTimeout(resolve, 2)) // a delay that Node cannot take would be one of 1 ms
    console.log(expired, cache.get('a'))
    await cache.close()
    `,
  )
  t.is(stdout.trim(), '0 1')
  t.is(stderr, '')
})

test('an error thrown by a subscriber is an uncaught exception on a later tick', async (t) => {
  const directory = temporaryDirectory(t)
  const { stdout } = await inProcess(
    directory,
    `
    const order = []
    process.on('uncaughtException', (error) => order.push(error.message))
    cache.changes$.subscribe(() => { throw new Error('mine') })
    cache.changes$.subscribe(({ key }) => order.push(key))
    cache.set('a', 1)
    cache.set('b', 2)
    order.push('returned')
    await new Promise((resolve) => setTimeout(resolve, 2)) // after the timers of RxJS, which are of 1 ms
    console.log(order.join())
    await cache.close()
    `,
  )
  t.is(stdout.trim(), 'a,b,returned,mine,mine')
})

test('a process may end without closing its cache, which reopens', async (t) => {
  const directory = temporaryDirectory(t)
  await t.throwsAsync(inProcess(directory, `cache.set('a', 1); throw new Error('uncaught')`))
  await inProcess(directory, `cache.increment('a'); process.exit(0)`)
  const cache = await openCache({ directory })
  t.is(cache.get('a'), 2)
  await cache.close()
})
