/**
 * Fake timers that are installed before daybook is imported, after it, or while a cache is open: each in a process of its own,
 * because the order of imports matters. `@sinonjs/fake-timers` is what sinon, Jest and vitest use.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const run = promisify(execFile)
const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)

/** Replaces everything that it can: Date, all timers, ticks and microtasks. */
const SINON = `
  const { default: fakeTimers } = await import(${JSON.stringify(import.meta.resolve('@sinonjs/fake-timers'))})
  let clock
  const install = () => { clock = fakeTimers.install({ toFake: Object.keys(fakeTimers.timers) }) }
  const tick = (ms) => clock.tick(ms)
  const uninstall = () => clock.uninstall()
`
const NODE_TEST = `
  const { mock } = await import('node:test')
  const install = () => mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: Date.now() })
  const tick = (ms) => mock.timers.tick(ms)
  const uninstall = () => mock.timers.reset()
`

const scenario = (when: string, directory: string) => `
  import assert from 'node:assert/strict'
  const when = ${JSON.stringify(when)}
  if (when === 'before daybook is imported') install()
  const { memoryJournal, openCache } = await import(${url('../../src/index.js')})
  const { connect } = await import(${url('../../src/edges/threads/threads.js')})
  if (when === 'after daybook was imported') install()
  for (const options of [{ journal: memoryJournal() }, { directory: ${JSON.stringify(directory)} }]) {
    const cache = await openCache(options)
    if (when === 'while a cache is open') install()
    const expired = []
    const stats = []
    cache.expirations$.subscribe(({ key }) => expired.push(key))
    cache.stats$.subscribe((each) => stats.push(each.size))
    cache.set('a', 1, { ttl: 10 })
    tick(9_999)
    assert.equal(cache.get('a'), 1)
    tick(1)
    assert.deepEqual(expired, ['a'])
    assert.equal(cache.get('a'), undefined)
    if (when !== 'while a cache is open') assert.ok(stats.length > 1) // otherwise its timer is a real one
    const waiting = cache.getOrSet('slow', () => new Promise(() => {}), { timeout: 5 })
    tick(5_000)
    await assert.rejects(waiting, { code: 'LOAD_TIMEOUT' })
    assert.equal(await cache.getOrSet('b', async () => 2), 2)
    const client = await connect(cache.share())
    assert.equal(await client.set('c', { n: 3 }), true)
    assert.deepEqual(await client.get('c'), { n: 3 })
    await client.close()
    await cache.flush()
    await cache.compact()
    cache.set('d', 4)
    if (when === 'while a cache is open') uninstall()
    await cache.close()
    const again = await openCache(options)
    assert.deepEqual(again.keys(), ['b', 'c', 'd'])
    await again.close()
  }
  console.log('done')
`

for (const [fakes, source] of [
  ['all of sinon', SINON],
  ['the timers of node:test', NODE_TEST],
] as const) {
  for (const when of ['before daybook is imported', 'after daybook was imported', 'while a cache is open']) {
    test(`${fakes}, installed ${when}: entries expire by them, and the journal and clients go on`, async (t) => {
      const script = source + scenario(when, join(temporaryDirectory(t), 'journal'))
      const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], { timeout: 60_000 })
      t.is(stdout, 'done\n')
    })
  }
}
