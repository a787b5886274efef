/**
 * Test runners replace the timers of the process after daybook was loaded (vitest, jest, sinon, `node:test`). Values are written
 * nevertheless, and nothing waits for an immediate that never fires.
 */

import { join } from 'node:path'
import { mock } from 'node:test'
import test, { type ExecutionContext } from 'ava'
import { memoryJournal, openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const real = globalThis.setImmediate

const FAKES: [string, (t: ExecutionContext) => void][] = [
  [
    'a setImmediate that never fires',
    (t) => {
      globalThis.setImmediate = (() => ({ unref: () => undefined })) as never
      t.teardown(() => {
        globalThis.setImmediate = real
      })
    },
  ],
  [
    'the timers of node:test',
    (t) => {
      mock.timers.enable({ apis: ['setImmediate'] })
      t.teardown(() => mock.timers.reset())
    },
  ],
]

for (const [what, replace] of FAKES) {
  for (const where of ['a memory journal', 'a directory'] as const) {
    test.serial(`${what}, ${where}: flush, save, load and close resolve, and values are kept`, async (t) => {
      const directory = join(temporaryDirectory(t), 'journal')
      const options = where === 'a directory' ? { directory } : { journal: memoryJournal() }
      const cache = await openCache(options)
      replace(t)
      cache.set('a', 1)
      t.is(await cache.flush(), 1)
      cache.set('b', 2)
      t.like(await cache.save(`${directory}.saved`), { ok: true })
      t.like(await cache.load(`${directory}.saved`), { ok: true, entries: 2 })
      cache.set('c', 3)
      await cache.close()
      const again = await openCache(options)
      t.deepEqual(again.keys(), ['a', 'b', 'c'])
      await again.close()
    })
  }
}
