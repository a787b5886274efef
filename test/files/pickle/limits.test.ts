import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ValueError } from '../../../src/errors.js'
import { Allowance } from '../../../src/files/pickle/limits.js'
import { BOMBS } from '../../helpers/pickle/bombs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('heap is counted before it is used, and the error has the position and advice', (t) => {
  const allowance = new Allowance(10, 1_000)
  allowance.take(1_000, 5)
  t.throws(() => allowance.take(1, 7), {
    instanceOf: ValueError,
    message: /MiB of heap.*\(byte 7\).*--max-old-space-size/,
  })
})

test('released heap counts no more, kept heap does', (t) => {
  const allowance = new Allowance(10, 1_000)
  allowance.take(400, 5)
  allowance.keep()
  for (let batch = 0; batch < 10; batch++) {
    allowance.take(600, 6)
    allowance.release()
  }
  t.throws(() => allowance.take(601, 7), { instanceOf: ValueError })
})

test('bytes objects may take twice the size of the file and 1 MiB', (t) => {
  const allowance = new Allowance(1_000)
  allowance.takeOutside(2 ** 20 + 2_000, 5)
  t.throws(() => allowance.takeOutside(1, 7), {
    instanceOf: ValueError,
    message: /too large for a file of this size \(byte 7\)/,
  })
})

// Newer versions of V8 keep more of a heap for new objects, and sometimes cannot collect garbage in 64 MiB.
const HEAP_MIB = Number.parseInt(process.versions.v8, 10) >= 12 ? 192 : 64
/** Several processes, so that not all pickles are read in one heap. */
const SHARES = 4
for (let share = 0; share < SHARES; share++) {
  test(`a process with a small heap survives hostile pickles (${share + 1} of ${SHARES})`, async (t) => {
    const directory = temporaryDirectory(t)
    const bombs = Object.entries(BOMBS).filter((_, index) => index % SHARES === share)
    const files = bombs.map(([name, make], index) => {
      const file = join(directory, `${index}.pickle`)
      writeFileSync(file, make())
      return [name, file]
    })
    const script = `
      import { memoryJournal, openCache } from ${JSON.stringify(new URL('../../../src/index.js', import.meta.url).href)}
      const cache = await openCache({ journal: memoryJournal(), maxSize: Infinity })
      for (const [name, file] of ${JSON.stringify(files)}) {
        const { ok, error } = await cache.load(file)
        console.log(name + ': ' + (ok ? 'loaded' : error.name))
      }
      await cache.close()`
    const { status, stdout, stderr } = await run([
      `--max-old-space-size=${HEAP_MIB}`,
      '--input-type=module',
      '-e',
      script,
    ])
    t.is(status, 0, `${stdout}${stderr}`)
    t.deepEqual(
      stdout.trim().split('\n'),
      bombs.map(([name]) => `${name}: ValueError`),
    )
  })
}

function run(args: readonly string[]): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (data) => {
      said.stdout += data
    })
    child.stderr.on('data', (data) => {
      said.stderr += data
    })
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, ...said }))
  })
}
