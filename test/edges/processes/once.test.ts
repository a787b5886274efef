/** `load` and `restore` are not asked again: what becomes of them when their owner is killed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { openSharedWithin, type SharedCache } from '../../../src/processes.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const PROGRAM = fileURLToPath(new URL('../../helpers/processes/mortal-owner.js', import.meta.url))
const ENTRIES = 20_000

interface Scene {
  cache: SharedCache<number>
  saved: string
  /** How many entries are 1, 2 or not there. */
  values(): Promise<Map<number | undefined, number>>
  dieAt(moment: string): Promise<void>
  kill(): void
}

/** A client of a process that owns the cache. All entries are 1 at sequence ENTRIES, and in the saved file; now they are 2. */
async function scene(t: ExecutionContext): Promise<Scene> {
  const directory = temporaryDirectory(t)
  const saved = `${directory}/saved.daybook`
  const filled = await openCache({ directory, maxSize: 2 * ENTRIES, history: '1h' })
  const keys = Array.from({ length: ENTRIES }, (_, at) => `key ${at}`)
  for (const value of [1, 2]) {
    for (const key of keys) filled.set(key, value)
    if (value === 1) t.like(await filled.save(saved), { ok: true })
  }
  await filled.close()
  const owner = spawn(process.execPath, [PROGRAM, directory], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => owner.kill('SIGKILL'))
  await once(owner.stdout, 'data')
  const cache = await openSharedWithin<number>({ directory, owner: 'prefer', history: '1h', reconnectTimeout: 60 })
  t.teardown(() => cache.close())
  return {
    cache,
    saved,
    async values() {
      const counts = new Map<number | undefined, number>()
      for (const value of await cache.getMany(keys)) counts.set(value, (counts.get(value) ?? 0) + 1)
      return counts
    },
    async dieAt(moment) {
      owner.stdin.write(`${moment}\n`)
      await once(owner.stdout, 'data')
    },
    kill: () => owner.kill('SIGKILL'),
  }
}

const CALLS = {
  load: ({ cache, saved }: Scene) => cache.load(saved),
  restore: ({ cache }: Scene) => cache.restore({ sequence: ENTRIES }),
}

for (const [name, call] of Object.entries(CALLS)) {
  for (const [moment, value] of [
    ['before the write', 2],
    ['after the write', 1],
  ] as const) {
    test.serial(
      `the owner is killed ${moment} of a ${name}: OUTCOME_UNKNOWN, and it has taken effect ${value === 1 ? 'as a whole' : 'not at all'}`,
      async (t) => {
        const its = await scene(t)
        await its.dieAt(moment)
        await t.throwsAsync(call(its), { code: 'OUTCOME_UNKNOWN' })
        t.deepEqual(await its.values(), new Map([[value, ENTRIES]]))
        t.is(await its.cache.increment('goes on'), 1)
      },
    )
  }

  test.serial(
    `the owner is killed at any time during a ${name}: it takes effect as a whole, or not at all`,
    async (t) => {
      t.timeout(120_000)
      for (const delayMs of [0, 3, 10, 30]) {
        const its = await scene(t)
        const outcome = call(its).then(
          () => 'done',
          (error: { code: string }) => error.code,
        )
        setTimeout(its.kill, delayMs)
        const how = await outcome
        const values = await its.values()
        const allAre = (value: number) => values.size === 1 && values.get(value) === ENTRIES
        t.true(how === 'done' ? allAre(1) : allAre(1) || allAre(2), `${how} after ${delayMs} ms: ${[...values]}`)
        if (how !== 'done') t.is(how, 'OUTCOME_UNKNOWN')
        await its.cache.close()
      }
    },
  )
}
