import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { withFileProgress } from '../../src/cli/file-command.js'
import type { SaveProgress } from '../../src/files/format.js'
import { openCache } from '../../src/open.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const ROWS = 5_000

/** Files of both formats, and a cache that holds something else. */
async function scene(t: Parameters<typeof temporaryDirectory>[0]) {
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
      `Ctrl-C ends a load of ${name} while its ${when} pass by: nothing was changed, no file stays`,
      async (t) => {
        const { root, cache } = await scene(t)
        let result: unknown
        const code = await withFileProgress('told', async (progress) => {
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

  test.serial(`Ctrl-C ends a save to ${name}: the old file is as it was, no other stays`, async (t) => {
    const { root, cache } = await scene(t)
    writeFileSync(join(root, name), 'the old one')
    for (let i = 0; i < ROWS; i++) cache.set(`key${i}`, 'x'.repeat(100))
    const before = readdirSync(root)
    const code = await withFileProgress('told', async (progress) => {
      const onProgress: SaveProgress = (...how) => {
        process.emit('SIGINT')
        progress(...how)
      }
      const saved = await cache.save(join(root, name), { onProgress })
      if (!saved.ok) throw saved.error
    })
    t.is(code, 130)
    t.deepEqual(readdirSync(root), before)
    t.is(cache.size, ROWS + 1)
    await cache.close()
  })

  test.serial(`the progress of ${name} counts up to the whole: bytes when loading, then entries`, async (t) => {
    const { root, cache } = await scene(t)
    const told: Parameters<SaveProgress>[] = []
    t.like(await cache.load(join(root, name), { onProgress: (...how) => void told.push(how) }), { ok: true })
    t.like(await cache.save(join(root, name), { onProgress: (...how) => void told.push(how) }), { ok: true })
    t.true(told.every(([done, total]) => done >= 0 && done <= total))
    t.deepEqual(told.at(-1), [ROWS, ROWS, 'entries'])
    t.deepEqual([...new Set(told.map(([, , unit]) => unit))], ['bytes', 'entries'])
    await cache.close()
  })
}
