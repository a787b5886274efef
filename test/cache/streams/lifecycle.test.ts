import test from 'ava'
import { type CompactionReport, type LifecycleState, openCache } from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'
import { uncaughtErrors } from '../../helpers/uncaught-errors.js'

function record(cache: {
  lifecycle$: { subscribe(next: (state: LifecycleState) => void): unknown }
}): LifecycleState[] {
  const seen: LifecycleState[] = []
  cache.lifecycle$.subscribe((state) => seen.push(state))
  return seen
}

function names(states: readonly LifecycleState[]): string[] {
  return states.map(({ state }) => state).filter((state, index, all) => state !== all[index - 1])
}

test('lifecycle$ emits the current state at once, then every change, and completes', async (t) => {
  const { cache } = await openMemory(t)
  const seen = record(cache)
  t.deepEqual(seen, [{ state: 'running' }])
  await cache.close()
  t.deepEqual(seen, [{ state: 'running' }, { state: 'draining' }, { state: 'closed' }])
})

test('after close lifecycle$ emits the last state and completes', async (t) => {
  const { cache } = await openMemory(t)
  await cache.close()
  const seen: unknown[] = []
  cache.lifecycle$.subscribe({ next: ({ state }) => seen.push(state), complete: () => seen.push('over') })
  t.deepEqual(seen, ['closed', 'over'])
})

test('a compaction emits its progress up to the total', async (t) => {
  const { cache } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < 20_000; index++) cache.set(`key${index}`, index)
  const seen = record(cache)
  const report = await cache.compact()
  t.is(report.entries, 20_000)
  t.deepEqual(names(seen), ['running', 'compacting', 'running'])
  const progress = seen.filter(({ state }) => state === 'compacting')
  t.deepEqual(progress[0], { state: 'compacting', done: 0, total: 20_000 })
  t.true(progress.length > 2, 'in slices')
  for (let index = 1; index < progress.length; index++) {
    t.true((progress[index]?.done ?? 0) >= (progress[index - 1]?.done ?? 0))
    t.is(progress[index]?.total, 20_000)
  }
  t.is(progress.at(-1)?.done, 20_000)
})

test('no state is emitted twice in a row', async (t) => {
  const { cache } = await openMemory(t)
  const seen = record(cache)
  for (let index = 0; index < 5; index++) {
    cache.set('a', index)
    await cache.compact()
  }
  for (let index = 1; index < seen.length; index++) t.notDeepEqual(seen[index], seen[index - 1])
})

test('compact returns the report of a compaction that is already running, also to a subscriber', async (t) => {
  const { cache } = await openMemory(t)
  for (let index = 0; index < 1_000; index++) cache.set(`key${index}`, index)
  const others: Promise<CompactionReport>[] = []
  cache.lifecycle$.subscribe(({ state }) => {
    if (state === 'compacting') others.push(cache.compact())
  })
  const first = cache.compact()
  const second = cache.compact()
  const report = await first
  t.is(await second, report)
  t.true(others.length > 0)
  for (const other of others) t.is(await other, report)
})

test('a subscriber can close the cache during a compaction, and nothing is lost', async (t) => {
  const { cache, journal } = await openMemory(t, { maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < 20_000; index++) cache.set(`key${index}`, index)
  let closing: Promise<void> | undefined
  const seen = record(cache)
  cache.lifecycle$.subscribe(({ state }) => {
    if (state === 'compacting') closing ??= cache.close()
  })
  await cache.compact().catch((error: Error) => t.is(error.name, 'CacheClosedError'))
  await closing
  t.deepEqual(names(seen), ['running', 'compacting', 'draining', 'closed'])
  const again = await openCache({ journal, maxSize: Number.POSITIVE_INFINITY })
  t.is(again.size, 20_000)
  await again.close()
})

test('close aborts a compaction, which rejects, and nothing is lost', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
  for (let index = 0; index < 20_000; index++) cache.set(`key${index}`, index)
  const compacting = t.throwsAsync(cache.compact(), { name: 'CacheClosedError' })
  await loopTurn()
  await cache.close()
  await compacting
  const again = await openCache({ directory, maxSize: Number.POSITIVE_INFINITY })
  t.is(again.size, 20_000)
  t.true(again.recovery.clean)
  await again.close()
})

test('a failed compaction emits the reason, and the cache keeps running', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  const { compact } = journal
  journal.compact = () => Promise.reject(new Error('no room'))
  const seen = record(cache)
  cache.set('a', 1)
  await t.throwsAsync(cache.compact(), { message: 'no room' })
  t.deepEqual(names(seen), ['running', 'compacting', 'running'])
  t.is(seen.at(-1)?.reason, 'no room')
  journal.compact = compact
  await cache.compact()
  t.deepEqual(seen.at(-1), { state: 'running' })
})

test('lifecycle$ emits read-only with the reason, and then running again', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  const seen = record(cache)
  journal.break('stalled', new Error('ENOSPC'))
  journal.mend()
  t.deepEqual(seen, [{ state: 'running' }, { state: 'read-only', reason: 'ENOSPC' }, { state: 'running' }])
})

test('a compaction that fails because the journal broke leaves the reason of the journal', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  journal.compact = async () => {
    journal.break('failed', new Error('EIO'))
    throw new Error('so it could not continue')
  }
  const seen = record(cache)
  await t.throwsAsync(cache.compact())
  t.deepEqual(seen.at(-1), { state: 'read-only', reason: 'EIO' })
})

test.serial('an error thrown by a subscriber affects neither the cache nor other subscribers', async (t) => {
  const { cache } = await openMemory(t)
  const uncaught = uncaughtErrors(t)
  cache.lifecycle$.subscribe(() => {
    throw new Error('mine')
  })
  const seen = record(cache)
  cache.set('a', 1)
  await cache.compact()
  await cache.close()
  t.deepEqual(names(seen), ['running', 'compacting', 'running', 'draining', 'closed'])
  await until(() => uncaught.length === seen.length, 'RxJS reports an error for each state')
})

test('onProgress is called with the progress of the recovery', async (t) => {
  const { cache, journal } = await openMemory(t)
  for (let index = 0; index < 1_000; index++) cache.set(`key${index}`, index)
  await cache.close()
  const progress: { done: number; total: number }[] = []
  const again = await openCache({ journal, onProgress: (step) => progress.push(step) })
  t.true(progress.length > 0)
  t.is(progress.at(-1)?.done, progress.at(-1)?.total)
  t.is(progress.at(-1)?.total, again.recovery.bytes)
  for (let index = 1; index < progress.length; index++) {
    t.true((progress[index]?.done ?? 0) >= (progress[index - 1]?.done ?? 0))
  }
  t.like(again.recovery, { events: 1_000, sequence: 1_000, clean: true, setAside: undefined })
  await again.close()
})
