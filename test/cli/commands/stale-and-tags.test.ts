/** What the command line does with stale entries and tags: it shows, imports, converts and repairs them, and the shell removes by tag. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { damage, fileAt } from '../../helpers/cli/journals.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** An entry that is stale, and will be for long; one with tags; one with neither. */
async function journal(t: ExecutionContext): Promise<{ cwd: string; directory: string }> {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const cache = await openCache({ directory })
  cache.set('s', 'stale', { ttl: 0, stale: '9000d', tags: ['a b', 'c'] })
  cache.set('f', 'fresh', { ttl: '100d', stale: '9000d' })
  cache.set('t', 'tagged', { tags: ['c'] })
  cache.expire('f', '200d')
  cache.set('p', 'plain')
  await cache.close()
  return { cwd, directory }
}

async function kept(directory: string): Promise<unknown[]> {
  const cache = await openCache({ directory })
  const found = [
    cache.get('s', { stale: true }),
    cache.get('s'),
    cache.entry('t')?.tags,
    cache.deleteTag('a b'),
    cache.keys(),
  ]
  await cache.close()
  return found
}

const ALL = ['stale', undefined, ['c'], 1, ['f', 't', 'p']]

test.serial('inspect shows the tags and the end of the fresh time, also as JSON', async (t) => {
  const { cwd } = await journal(t)
  const { stdout } = await daybook(t, ['inspect'], { cwd })
  const lines = stdout.split('\n')
  t.regex(lines[0] ?? '', / s = "stale" stale from [\dT:.Z-]+ expires [\dT:.Z-]+ tags "a b", c$/)
  t.regex(lines[2] ?? '', / t = "tagged" tags c$/)
  t.regex(lines[3] ?? '', /rescheduled f stale from [\dT:.Z-]+ expires /)
  t.regex(lines[4] ?? '', / p = "plain"$/)
  const events = (await daybook(t, ['inspect', '--json'], { cwd })).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string>)
  t.deepEqual(
    events.map(({ tags }) => tags),
    [['a b', 'c'], undefined, ['c'], undefined, undefined] as never,
  )
  const daysOf = ({ freshUntil, expiresAt }: Record<string, string>) =>
    (Date.parse(expiresAt as string) - Date.parse(freshUntil as string)) / 86_400_000
  t.deepEqual(
    [0, 1, 3].map((index) => daysOf(events[index] ?? {})),
    [9_000, 9_000, 9_000],
  )
  t.false('freshUntil' in (events[4] ?? {}))
})

test.serial('a file that is converted keeps them; so does one that is loaded', async (t) => {
  const { cwd } = await journal(t)
  for (const command of [
    ['save', 'one.daybook'],
    ['convert', 'one.daybook', 'two.daybook'],
    ['load', 'two.daybook', '-d', 'new'],
  ])
    t.like(await daybook(t, command, { cwd }), { code: 0 })
  t.deepEqual(await kept(join(cwd, 'new')), ALL)
  t.like(await daybook(t, ['convert', 'one.daybook', 'three.pickle'], { cwd }), { code: 0 })
  t.like(await daybook(t, ['load', 'three.pickle', '-d', 'other'], { cwd }), { code: 0 })
  t.deepEqual(await kept(join(cwd, 'other')), [undefined, undefined, [], 0, ['f', 't', 'p']])
})

test.serial('verify finds no fault in them, and repair keeps those of a damaged snapshot', async (t) => {
  const { cwd, directory } = await journal(t)
  const cache = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < 1_500; index++) cache.set(`more${index}`, 'x'.repeat(100), { tags: ['more'] })
  await cache.compact()
  await cache.close()
  t.like(await daybook(t, ['verify'], { cwd }), { code: 0 })
  const name = fileAt(directory, 'snapshot', 0)
  damage(directory, name, 100_000)
  t.like(await daybook(t, ['verify'], { cwd }), { code: 4 })
  t.like(await daybook(t, ['repair', '--yes'], { cwd }), { code: 0 })
  rmSync(join(directory, `${name}.broken`))
  const found = await kept(directory)
  t.deepEqual(found.slice(0, 4), ALL.slice(0, 4))
  const again = await openCache({ directory })
  const more = again.keys('more*').length
  t.true(more > 0 && more < 1_500)
  t.is(again.deleteTag('more'), more)
  await again.close()
})

test.serial('a line of an import may have tags and a stale window', async (t) => {
  const cwd = temporaryDirectory(t)
  const rows = [
    { key: 's', value: 'stale', ttl: 0, stale: '9000d', tags: ['a b', 'c'] },
    { key: 'f', value: 1 },
    { key: 't', value: 2, stale: null, tags: ['c'] },
    { key: 'p', value: 3, tags: null },
    { key: 'bad', value: 1, tags: 'c' },
    { key: 'worse', value: 1, stale: '1h' },
  ]
  writeFileSync(join(cwd, 'rows.ndjson'), rows.map((row) => JSON.stringify(row)).join('\n'))
  const { code, stderr } = await daybook(t, ['import', '--ndjson', 'rows.ndjson'], { cwd })
  t.not(code, 0)
  t.regex(stderr, /:5.*tags must be an array of strings/)
  t.regex(stderr, /:6.*stale needs a ttl that ends/)
  t.deepEqual(await kept(join(cwd, 'journal')), ALL)
})

test.serial('delete-tag and expire-tag in the shell print how many entries they changed', async (t) => {
  const { cwd } = await journal(t)
  const input = ['expire-tag c', 'keys', 'delete-tag "a b" none', 'delete-tag c', 'stats'].join('\n')
  const { stdout } = await daybook(t, ['shell'], { cwd, input })
  t.deepEqual(stdout.split('\n').slice(0, 5), ['1', 'f', 'p', '1', '0'])
})
