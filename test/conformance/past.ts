/** What a cache without a directory does when it is to look back, as cases of the suite in `cache.ts`. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import type { CacheCase } from './cache.js'

export const PAST_CASES: CacheCase[] = [
  {
    name: 'a journal that is not in a directory has no past: restore and fork reject',
    about: 'a cache in memory',
    async run({ cache, directory }) {
      await cache.set('a', 1)
      const gone = { code: 'HISTORY_GONE', message: /not kept in a directory/ }
      await assert.rejects(async () => cache.restore({ sequence: 1 }), gone)
      await assert.rejects(async () => cache.restore({ ago: '1h' }, { dryRun: true, pattern: 'a*' }), gone)
      await assert.rejects(async () => cache.restore(runInNewContext('new Date(5)')), gone) // a Date of another realm
      await assert.rejects(async () => cache.fork(join(directory, 'fork')), gone)
      assert.equal(await cache.get('a'), 1)
    },
  },
  {
    name: 'restore and fork refuse what is no time, no option and no directory',
    about: 'the whole cache',
    async run({ cache }) {
      for (const when of [
        '10m',
        5,
        null,
        {},
        { sequence: 1, ago: 1 },
        { sequence: -1 },
        new Date(Number.NaN),
      ] as never[])
        await assert.rejects(async () => cache.restore(when), TypeError)
      await assert.rejects(async () => cache.restore({ ago: -1 }), RangeError)
      await assert.rejects(async () => cache.restore({ ago: 1 }, { dry: true } as never), /Did you mean dryRun/)
      await assert.rejects(async () => cache.restore({ ago: 1 }, { dryRun: 1 as never }), TypeError)
      await assert.rejects(async () => cache.fork(5 as never), TypeError)
      await assert.rejects(async () => cache.fork('', { ago: 1 }), TypeError)
    },
  },
]
