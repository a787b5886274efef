import test from 'ava'
import { take, toArray } from 'rxjs'
import { innerOf } from '../../../../src/cache/cache.js'
import { RecentChanges } from '../../../../src/edges/processes/owner/recent-changes.js'
import { openMemory } from '../../../helpers/open-memory.js'

test('changes since the owner opened are there for clients that come back; earlier ones are HISTORY_GONE', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('a', 1)
  cache.set('a', 2)
  const recent = new RecentChanges(innerOf(cache))
  t.throws(() => recent.after(1), { code: 'HISTORY_GONE' })
  t.throws(() => recent.after(3), { code: 'HISTORY_GONE' })
  cache.set('a', 3)
  cache.set('a', 4)
  const seen: unknown[] = []
  recent
    .after(2)
    .pipe(take(3), toArray())
    .subscribe((changes) => seen.push(...changes.map(({ sequence }) => sequence)))
  cache.set('a', 5)
  t.deepEqual(seen, [3, 4, 5])
  recent.stop()
  t.throws(() => recent.after(2), { code: 'HISTORY_GONE' })
  t.notThrows(() => recent.after(5))
})
