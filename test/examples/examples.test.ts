import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const run = promisify(execFile)
const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))

/** What an example prints when it is run in a directory of its own. Nothing may be printed as an error. */
async function lines(t: import('ava').ExecutionContext, name: string, cwd: string): Promise<string[]> {
  const { stdout, stderr } = await run(process.execPath, [join(EXAMPLES, `${name}.js`)], { cwd, timeout: 60_000 })
  t.is(stderr, '')
  return stdout.trimEnd().split('\n')
}

test('first: the first example of the README, and what it finds when it is run again', async (t) => {
  const directory = temporaryDirectory(t)
  t.deepEqual(await lines(t, 'first', directory), [
    'user:1 is nobody yet',
    'stored: user:1, guest:1',
    'guest:1 (Bob) has expired',
    'stored: user:1; 1 expired',
  ])
  t.true(existsSync(join(directory, 'journal')))
  t.deepEqual(await lines(t, 'first', directory), [
    'user:1 is Ada, as set by the last run',
    'stored: user:1, guest:1',
    'guest:1 (Bob) has expired',
    'stored: user:1; 2 expired',
  ])
})

test('machine: a machine that invokes the cache, sends commands and reacts to the replies', async (t) => {
  const directory = temporaryDirectory(t)
  t.deepEqual(await lines(t, 'machine', directory), ['nobody has been here yet', 'Ada has been here 0 times before'])
  t.deepEqual(await lines(t, 'machine', directory), ['Ada has been here 1 times before'])
  t.deepEqual(await lines(t, 'machine', directory), ['Ada has been here 2 times before'])
})

test('every example is run by a test', (t) => {
  const names = readdirSync(EXAMPLES)
    .filter((name) => name.endsWith('.js'))
    .map((name) => name.replace(/\.js$/, ''))
  for (const name of ['first', 'machine']) t.true(names.includes(name))
})
