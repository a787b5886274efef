/** The code of docs/adapters.md runs with the frameworks, on the packed library, and gives what it says. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { project } from './packed.mjs'
import { temporaryDirectory } from './temporary-directory.mjs'

const run = promisify(execFile)
const text = readFileSync(new URL('../../docs/adapters.md', import.meta.url), 'utf8')
const blocks = [...text.matchAll(/^```js\n(.*?)^```$/gms)]

test('every adapter and every recipe has code', (t) =>
  t.is(blocks.length, text.match(/^(## (?!What|Recipes|Proven)|### )/gm).length))

for (const [position, { 1: code, index }] of blocks.entries()) {
  const heading = text
    .slice(0, index)
    .match(/^#+ .*$/gm)
    .at(-1)
  test(`${heading}: its code gives what it says`, async (t) => {
    const file = join(project, `document-${position}.mjs`)
    const asserting = code.replace(/^;?(.+?)\s*\/\/ → (.+)$/gm, 'assert.deepEqual($1, $2)')
    writeFileSync(file, `import assert from 'node:assert/strict'\n${asserting}`)
    await t.notThrowsAsync(run(process.execPath, [file], { cwd: temporaryDirectory(t), timeout: 60_000 }))
  })
}
