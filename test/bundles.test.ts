/** Programs that esbuild has bundled, as ES modules and as CommonJS: in memory, and on a directory with the addon left out. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { build, type Format } from 'esbuild'
import { temporaryDirectory } from './helpers/temporary-directory.js'

const ROOT = fileURLToPath(new URL('../../', import.meta.url)) // from dist/test
const run = promisify(execFile)

/** Uses what is loaded on demand, too: threads and pickles. With a directory as its argument, it opens that. */
const PROGRAM = `
import { memoryJournal, openCache } from 'daybook'
import { connect } from 'daybook/threads'
import { ManualClock } from 'daybook/testing'

async function main([, , directory, file]) {
  const where = directory === 'memory' ? { journal: memoryJournal(), clock: new ManualClock() } : { directory }
  const cache = await openCache(where)
  cache.set('user', { name: 'Ada' })
  const client = await connect(cache.share())
  console.log(await client.increment('visits'))
  await client.close()
  console.log((await cache.save(file)).ok)
  cache.clear()
  console.log((await cache.load(file)).ok, cache.get('user').name)
  await cache.close()
}
main(process.argv)
`

async function bundle(format: Format, file: string): Promise<void> {
  await build({
    stdin: { contents: PROGRAM, resolveDir: ROOT },
    bundle: true,
    platform: 'node',
    external: ['fs-native-extensions'],
    format,
    outfile: file,
    logLevel: 'silent',
  })
}

// In the package's directory, where a bundle finds the addon beside it.
const bundles = mkdtempSync(join(ROOT, 'dist', 'bundles-'))
test.after.always(() => rmSync(bundles, { recursive: true }))

for (const [format, extension] of [
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
] as const) {
  test(`a program that is bundled as ${format} runs in memory and on a directory`, async (t) => {
    const program = join(bundles, `program.${extension}`)
    await bundle(format, program)
    const directory = temporaryDirectory(t)
    for (const where of ['memory', join(directory, 'journal')]) {
      const { stdout, stderr } = await run(process.execPath, [program, where, join(directory, 'saved.pkl')])
      t.deepEqual({ stdout, stderr }, { stdout: '1\ntrue\ntrue Ada\n', stderr: '' }, where)
    }
  })
}
