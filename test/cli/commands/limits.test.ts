/** What the command line does with limits: it begins journals without one, and keeps those that a journal remembers. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openCache } from '../../../src/index.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

async function opened(directory: string) {
  const cache = await openCache({ directory })
  const { maxSize, maxBytes } = cache.stats().journal
  const { evicted } = cache.recovery
  const { size } = cache
  await cache.close()
  return { size, evicted, maxSize, maxBytes }
}

test('7,000 imported files are all there for a program that opens the directory without a limit', async (t) => {
  const cwd = temporaryDirectory(t)
  mkdirSync(join(cwd, 'files'))
  for (let at = 0; at < 7_000; at++) writeFileSync(join(cwd, 'files', `${at}.txt`), `${at}`)
  t.like(await daybook(t, ['import', 'files/*.txt'], { cwd }), { code: 0 })
  const none = Number.POSITIVE_INFINITY
  t.deepEqual(await opened(join(cwd, 'journal')), { size: 7_000, evicted: 0, maxSize: none, maxBytes: none })
})

test('a journal begun by the shell has no limit; one begun by a program keeps its own', async (t) => {
  const cwd = temporaryDirectory(t)
  await daybook(t, ['shell'], { cwd, input: 'set a 1\n' })
  t.like(await opened(join(cwd, 'journal')), { maxSize: Number.POSITIVE_INFINITY })
  const cache = await openCache({ directory: join(cwd, 'own'), maxSize: 2 })
  await cache.close()
  const { stdout } = await daybook(t, ['shell', '-d', 'own'], {
    cwd,
    input: 'set a 1\nset b 1\nset c 1\nstats\n',
  })
  t.regex(stdout, /^size +2$/m)
  t.regex(stdout, /limits +2 entries, no limit on bytes/)
})

test('--max-size is remembered, what it evicts is told by every command that opens, and inspect shows the change', async (t) => {
  const cwd = temporaryDirectory(t)
  const lines = (...keys: string[]) => keys.map((key) => `set ${key} 1\n`).join('')
  await daybook(t, ['shell'], { cwd, input: lines('a', 'b', 'c', 'd') })
  const { stderr } = await daybook(t, ['shell', '--max-size', '3'], { cwd, input: 'size\n' })
  t.regex(stderr, /To stay within the limits, 1 entry was evicted\./)
  t.regex((await daybook(t, ['save', 'x', '--max-size', '2'], { cwd })).stderr, /1 entry was evicted/)
  t.regex((await daybook(t, ['load', 'x', '--max-size', '1'], { cwd })).stderr, /1 entry was evicted/)
  const inspected = (await daybook(t, ['inspect'], { cwd })).stdout
  t.regex(inspected, /#5 .* limited +3 entries, no limit on bytes\n#6 .* evicted +a\n/)
  const json = (await daybook(t, ['inspect', '--json', '--from', '5', '--to', '5'], { cwd })).stdout
  t.like(JSON.parse(json), { sequence: 5, type: 'limited', maxSize: 3, maxBytes: null })
  t.like(JSON.parse((await daybook(t, ['stats', '--json'], { cwd })).stdout), { size: 1, maxSize: 1, maxBytes: null })
  t.regex((await daybook(t, ['stats'], { cwd })).stdout, /limits +1 entry, no limit on bytes/)
  t.like(await daybook(t, ['verify'], { cwd }), { code: 0 })
  t.like(await opened(join(cwd, 'journal')), { size: 1, maxSize: 1 })
})

test('--eviction decides which entry goes: with s3-fifo, one read twice outlives those that were used once', async (t) => {
  const input = 'set a 1\nset b 1\nget a\nget a\nget b\nset c 1\nset d 1\nset e 1\nkeys\n'
  const keysWith = async (policy: string) => {
    const cwd = temporaryDirectory(t)
    const args = ['shell', '--max-size', '3', '--eviction', policy]
    return (await daybook(t, args, { cwd, input })).stdout
      .split('\n')
      .filter((line) => /^[a-e]$/.test(line))
      .sort()
  }
  t.deepEqual(await keysWith('lru'), ['c', 'd', 'e'])
  t.true((await keysWith('s3-fifo')).includes('a'))
})
