/** The code of documents for users runs, and gives what they say. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { temporaryDirectory } from './helpers/temporary-directory.js'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCUMENTS = ['docs/coming-from.md', 'docs/loads.md', 'docs/stale-and-tags.md', 'docs/engines.md']
const INDEX = new URL('../src/index.js', import.meta.url).href
const TESTING = new URL('../src/testing.js', import.meta.url).href

/** `expression // → value` as an assertion. */
function asserting(code: string): string {
  return code
    .replace(/^(.+?)\s*\/\/ → (.+)$/gm, 'assert.deepEqual($1, $2)')
    .replaceAll("'daybook'", JSON.stringify(INDEX))
    .replaceAll("'daybook/testing'", JSON.stringify(TESTING))
    .replaceAll("'rxjs'", JSON.stringify(import.meta.resolve('rxjs')))
}

for (const document of DOCUMENTS) {
  const text = readFileSync(`${ROOT}${document}`, 'utf8')
  const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)]
  test(`${document} has code`, (t) => t.true(blocks.length > 0))
  for (const { 1: code = '', index } of blocks) {
    const heading = text
      .slice(0, index)
      .match(/^#+ .*$/gm)
      ?.at(-1)
    test(`${document}, ${heading}: its code gives what it says`, async (t) => {
      const source = `import assert from 'node:assert/strict'\n${asserting(code)}`
      await t.notThrowsAsync(
        run(process.execPath, ['--input-type=module', '--eval', source], {
          cwd: temporaryDirectory(t),
          timeout: 60_000,
        }),
      )
      t.regex(source, /assert\.deepEqual/)
    })
  }
}
