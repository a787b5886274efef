import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { runFileCommand } from '../../../src/cli/commands/file-command.js'
import type { SaveProgress } from '../../../src/files/format.js'
import { openCache } from '../../../src/open.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const ROWS = 5_000

/** Files of both formats, and a cache that holds something else. */
async function scene(t: ExecutionContext) {
  const root = temporaryDirectory(t)
  const cache = await openCache({ directory: join(root, 'journal'), maxSize: Infinity })
  for (let i = 0; i < ROWS; i++) cache.set(`key${i}`, 'x'.repeat(100))
  for (const name of ['all.daybook', 'all.pickle']) t.like(await cache.save(join(root, name)), { ok: true })
  cache.clear()
  cache.set('old', 1)
  return { root, cache }
}

for (const name of ['all.daybook', 'all.pickle']) {
  for (const when of ['bytes', 'entries'] as const) {
    test.serial(
      `Ctrl-C aborts a load of ${name} while it counts ${when}: nothing is changed, no file is left behind`,
      async (t) => {
        const { root, cache } = await scene(t)
        let result: unknown
        const code = await runFileCommand('nothing was changed.', async (progress) => {
          const onProgress: SaveProgress = (done, total, unit) => {
            if (unit === when) process.emit('SIGINT')
            progress(done, total, unit)
          }
          const loaded = await cache.load(join(root, name), { onProgress })
          result = loaded
          if (!loaded.ok) throw loaded.error
        })
        t.is(code, 130)
        t.like(result, { ok: false })
        t.deepEqual([...cache.entries()], [['old', 1]])
        await cache.close()
        t.deepEqual(
          readdirSync(join(root, 'journal')).filter((file) => /loaded|tmp/.test(file)),
          [],
        )
      },
    )
  }

  test.serial(`Ctrl-C aborts a save to ${name}: the old file is unchanged, no other is left behind`, async (t) => {
    const { root, cache } = await scene(t)
    writeFileSync(join(root, name), 'the old one')
    for (let i = 0; i < ROWS; i++) cache.set(`key${i}`, 'x'.repeat(100))
    const before = readdirSync(root)
    const code = await runFileCommand('nothing was changed.', async (progress) => {
      const onProgress: SaveProgress = (...done) => {
        process.emit('SIGINT')
        progress(...done)
      }
      const saved = await cache.save(join(root, name), { onProgress })
      if (!saved.ok) throw saved.error
    })
    t.is(code, 130)
    t.deepEqual(readdirSync(root), before)
    t.is(cache.size, ROWS + 1)
    await cache.close()
  })

  test.serial(`the progress of ${name} reaches the total: bytes when loading, then entries`, async (t) => {
    const { root, cache } = await scene(t)
    const reports: Parameters<SaveProgress>[] = []
    const onProgress: SaveProgress = (...report) => void reports.push(report)
    t.like(await cache.load(join(root, name), { onProgress }), { ok: true })
    t.like(await cache.save(join(root, name), { onProgress }), { ok: true })
    t.true(reports.every(([done, total]) => done >= 0 && done <= total))
    t.deepEqual(reports.at(-1), [ROWS, ROWS, 'entries'])
    t.deepEqual([...new Set(reports.map(([, , unit]) => unit))], ['bytes', 'entries'])
    await cache.close()
  })
}

test.serial('save, load and convert pass entries through files', async (t) => {
  const cwd = temporaryDirectory(t)
  await daybook(t, ['shell'], { cwd, input: 'set a {"b": [1, 2]}\nset c text\nsave all.daybook\n' })
  t.like(await daybook(t, ['convert', 'all.daybook', 'all.pickle'], { cwd }), { code: 0 })
  t.like(await daybook(t, ['load', 'all.pickle', '-d', 'other'], { cwd }), { code: 0 })
  t.is((await daybook(t, ['shell', '-d', 'other'], { cwd, input: 'get a\nget c\n' })).stdout, '{"b":[1,2]}\n"text"\n')
  t.like(await daybook(t, ['save', 'again.daybook', '-d', 'other'], { cwd }), { code: 0 })
  const missing = await daybook(t, ['load', 'nothing.pickle'], { cwd })
  t.is(missing.code, 1)
  t.regex(missing.stderr, /^daybook: nothing\.pickle was not loaded/)
})

test.serial('save of a directory without a journal fails and creates nothing', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'old.pkl'), 'the old one')
  const before = readdirSync(cwd)
  for (const [directory, complaint] of [
    ['typo', /^daybook: typo does not exist/],
    ['.', /^daybook: \. contains no journal/],
    ['old.pkl', /^daybook: old\.pkl is not a directory/],
  ] as const) {
    const { code, stderr } = await daybook(t, ['save', 'out.pkl', '-d', directory], { cwd })
    t.is(code, 1)
    t.regex(stderr, complaint)
    t.deepEqual(readdirSync(cwd), before)
  }
})

test.serial('load of a file that cannot be loaded creates no journal', async (t) => {
  const cwd = temporaryDirectory(t)
  for (const name of ['junk.pkl', 'junk.daybook', 'empty.pkl', 'empty']) {
    writeFileSync(join(cwd, name), name.startsWith('junk') ? 'junk' : '')
  }
  const before = readdirSync(cwd)
  for (const file of ['missing.pkl', 'missing', '.', ...before]) {
    const { code, stderr } = await daybook(t, ['load', file, '-d', 'new'], { cwd })
    t.is(code, 1, file)
    t.regex(stderr, /^daybook: .*\n$/)
    t.deepEqual(readdirSync(cwd), before, file)
  }
})

test.serial('errors of convert mention files, not a cache or a journal', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'junk'), 'junk')
  await daybook(t, ['shell'], { cwd, input: 'set a 1\nsave all\n' })
  for (const [from, to, message] of [
    ['nofile', 'to', 'nofile could not be read: ENOENT'],
    ['junk', 'to', 'junk is damaged at byte 0: '],
    ['all', 'no/to', 'no/to could not be written: ENOENT'],
  ] as const) {
    const { code, stderr } = await daybook(t, ['convert', from, to], { cwd })
    t.is(code, 1)
    t.true(stderr.startsWith(`daybook: ${message}`), stderr)
    t.notRegex(stderr, /cache|journal/)
  }
})
