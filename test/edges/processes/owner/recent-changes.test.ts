import test from 'ava'
import { toArray } from 'rxjs'
import { take } from 'rxjs/internal/operators/take'
import { RecentChanges } from '../../../../src/edges/processes/owner/recent-changes.js'
import { openCache } from '../../../../src/index.js'
import { openMemory } from '../../../helpers/open-memory.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

type Recent = ReturnType<RecentChanges['after']>

function sequencesOf(changes$: Recent, count: number): Promise<number[]> {
  return new Promise((resolve, reject) =>
    changes$.pipe(take(count), toArray()).subscribe({
      next: (changes) => resolve(changes.map(({ sequence }) => sequence)),
      error: reject,
    }),
  )
}

test('changes since the owner opened are there for clients that come back', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.set('a', 2)
  const recent = new RecentChanges(cache)
  t.throws(() => recent.after(3), { code: 'HISTORY_GONE' })
  cache.set('a', 3)
  cache.set('a', 4)
  const seen = sequencesOf(recent.after(2), 3)
  cache.set('a', 5)
  t.deepEqual(await seen, [3, 4, 5])
  await t.throwsAsync(sequencesOf(recent.after(1), 1), { code: 'HISTORY_GONE' }) // a journal in memory cannot be read again
  recent.stop()
  t.throws(() => recent.after(2), { code: 'HISTORY_GONE' })
  t.notThrows(() => recent.after(5))
})

test('what the owner before had written comes from its journal, without a gap or a repetition', async (t) => {
  const directory = temporaryDirectory(t)
  const before = await openCache({ directory })
  for (let count = 1; count <= 10; count++) before.set('a', { count })
  await before.close()
  await using cache = await openCache({ directory })
  const recent = new RecentChanges(cache)
  cache.set('a', 11)
  const seen = sequencesOf(recent.after(4), 9)
  cache.set('a', 12)
  const later = sequencesOf(recent.after(11), 2)
  cache.set('a', 13)
  t.deepEqual(await seen, [5, 6, 7, 8, 9, 10, 11, 12, 13])
  t.deepEqual(await later, [12, 13])
  recent.stop()
})
