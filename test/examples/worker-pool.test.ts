import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const EXAMPLE = fileURLToPath(new URL('../../examples/worker-pool.js', import.meta.url))

test('worker-pool: a piscina pool shares one cache, and ends', async (t) => {
  const cwd = temporaryDirectory(t)
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [EXAMPLE], { cwd, timeout: 60_000 })
  t.is(stderr, '')
  t.deepEqual(stdout.trimEnd().split('\n'), [
    '40 tasks on 4 threads; 4 texts were counted, the others found in the cache',
    '"to" 4 times, "be" 4, "not" 2',
    '40 tasks by the counter that all of them share',
  ])
})
