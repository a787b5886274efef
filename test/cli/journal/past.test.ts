/** Looking back from the command line, in the files of a cache that is written and compacted meanwhile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { diffPast } from '../../../src/cache/history/diff.js'
import { readPast } from '../../../src/cache/history/past-state.js'
import { lookBack } from '../../../src/cli/journal/past.js'
import type { State } from '../../../src/core/evolve/state.js'
import { openCache } from '../../../src/index.js'
import { daybook } from '../../helpers/cli/daybook-process.js'
import { damage, fileAt } from '../../helpers/cli/journals.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const WRITER = fileURLToPath(new URL('../../helpers/cli/paired-writer.js', import.meta.url))

async function restless(t: ExecutionContext, ...hours: string[]): Promise<{ cwd: string; directory: string }> {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const child = spawn(process.execPath, [WRITER, directory, ...hours], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    child.kill('SIGKILL')
    await once(child, 'close')
  })
  await once(child.stdout, 'data')
  return { cwd, directory }
}

function valueIn(state: State, key: string): unknown {
  const slot = state.find(key)
  return slot === undefined ? undefined : state.valueAt(slot)
}

test.serial(
  'what is looked for is found, although compaction removes it meanwhile: the newest state, whole',
  async (t) => {
    const { directory } = await restless(t)
    let last = 0
    for (let round = 0; round < 100; round++) {
      const { sequence, one, other } = await lookBack(directory, async (source) => {
        const { sequence } = await source.locate(undefined)
        const state = await readPast(source.past, sequence, undefined)
        return { sequence, one: valueIn(state, 'one'), other: valueIn(state, 'other') }
      })
      t.is(one, other)
      t.is(Number(sequence), 2 * (one as number))
      t.true(sequence >= last)
      last = sequence
    }
  },
)

test.serial('a difference between two times is one between two turns, whatever is written meanwhile', async (t) => {
  const { directory } = await restless(t, '1')
  for (let round = 0; round < 20; round++) {
    const found = await lookBack(directory, async (source) => {
      const [from, to] = [await source.locate({ sequence: 2 * (round + 1) }), await source.locate(undefined)]
      const values: unknown[] = []
      for await (const { before, after } of diffPast(source.past, from, to, undefined))
        values.push([before?.value, after?.value])
      return { values, to: to.sequence / 2 }
    })
    t.deepEqual(found.values, Array(2).fill([round + 1, found.to]))
  }
})

test.serial('at, history, diff and fork end well beside a writer that compacts without pause', async (t) => {
  const { cwd } = await restless(t)
  for (const args of [
    ['at', '0s'],
    ['history', 'one'],
    ['diff', '0s'],
    ['fork', 'copy'],
  ]) {
    const { code, stdout, stderr } = await daybook(t, args, { cwd })
    t.is(code, 0, `${args}: ${stderr}`)
    if (args[0] === 'at') t.is(new Set(stdout.match(/= \d+/g)).size, 1, stdout)
  }
  const { stdout } = await daybook(t, ['at', '0s', '-d', 'copy'], { cwd })
  t.regex(stdout, /^one = (\d+)\nother = \1\n$/)
})

test('what a compaction removes between locating and reading is located again', async (t) => {
  const directory = temporaryDirectory(t)
  await using cache = await openCache({ directory })
  cache.set('a', 1)
  await cache.flush()
  let looks = 0
  const value = await lookBack(directory, async (source) => {
    const { sequence } = await source.locate(undefined)
    if (++looks === 1) {
      cache.set('a', 2)
      await cache.compact()
    }
    return valueIn(await readPast(source.past, sequence, undefined), 'a')
  })
  t.deepEqual([looks, value], [2, 2])
})

test('a past that is gone is refused, also of a cache that is open', async (t) => {
  const directory = temporaryDirectory(t)
  await using cache = await openCache({ directory })
  cache.set('a', 1)
  cache.set('a', 2)
  await cache.compact()
  await t.throwsAsync(
    lookBack(directory, (source) => source.locate({ sequence: 1 })),
    { code: 'HISTORY_GONE', message: /oldest is sequence 2/ },
  )
})

test('where the journal is damaged, the present is refused, and so is what came after the damage', async (t) => {
  const cwd = temporaryDirectory(t)
  const directory = join(cwd, 'journal')
  const cache = await openCache({ directory })
  for (let count = 1; count <= 4; count++) {
    cache.set('a', count)
    await cache.flush()
  }
  await cache.close()
  damage(directory, fileAt(directory, 'segment', 0), 64 + 150)
  for (const args of [
    ['at', '0s'],
    ['diff', '@1'],
    ['fork', 'copy'],
    ['history', 'a'],
    ['at', '@3'],
  ]) {
    const { code, stderr } = await daybook(t, args, { cwd })
    t.is(code, 4, `${args}: ${stderr}`)
    t.regex(stderr, /is damaged at byte/)
  }
  t.is((await daybook(t, ['at', '@1'], { cwd })).stdout, 'a = 1\n')
})
