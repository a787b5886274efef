/** Reading a directory while another process writes to it, rotates and compacts as fast as it can. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { verifyJournal } from '../../../src/cli/verify/verify-journal.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const WRITER = fileURLToPath(new URL('../../helpers/cli/restless-writer.js', import.meta.url))

/** A child process that writes until the end of the test. */
async function liveDirectory(t: ExecutionContext): Promise<{ cwd: string; directory: string }> {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const child = spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  await once(child.stdout, 'data') // it has written something
  return { cwd, directory }
}

test.serial('verify always finds a directory sound while it is written to', async (t) => {
  const { directory } = await liveDirectory(t)
  let sequence = 0
  for (let round = 0; round < 40; round++) {
    const found = await verifyJournal(directory, () => undefined)
    t.is(found.status, 'sound', JSON.stringify(found.problem))
    t.true(found.sequence >= sequence)
    sequence = found.sequence
  }
})

test.serial('inspect prints events in order, each once, and reports which were compacted away', async (t) => {
  const { cwd } = await liveDirectory(t)
  const { code, stdout, stderr } = await daybook(t, ['inspect', '--json'], { cwd })
  t.is(code, 0, stderr)
  const sequences = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { sequence: number }).sequence)
  const covered = [...stderr.matchAll(/^Events? ([\d,]+)(?:–([\d,]+))? (?:is|are) covered/gm)].map(
    ([, from = '', to = from]) => [from, to].map((text) => Number(text.replaceAll(',', ''))) as [number, number],
  )
  const gapAt = (first: number) => covered.find(([from]) => from === first)
  const expected: number[] = []
  let next = 1
  while (expected.length < sequences.length) {
    // It may have been compacted again while it was read: gaps that follow one another.
    for (let gap = gapAt(next); gap !== undefined; gap = gapAt(next)) next = gap[1] + 1
    expected.push(next++)
  }
  t.deepEqual(sequences, expected, stderr)
})

test.serial('stats and verify work from another process, and say that the directory is in use', async (t) => {
  const { cwd } = await liveDirectory(t)
  const stats = await daybook(t, ['stats', '--json'], { cwd })
  t.is(stats.code, 0, stats.stderr)
  t.like(JSON.parse(stats.stdout), { isInUse: true })
  t.regex((await daybook(t, ['stats'], { cwd })).stdout, /open in another process/)
  t.is((await daybook(t, ['verify'], { cwd })).code, 0)
})
