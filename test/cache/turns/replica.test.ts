import test from 'ava'
import { assemble } from '../../../src/cache/assembly.js'
import { NumberedCommands } from '../../../src/cache/turns/numbered.js'
import { NEW_LIMITS } from '../../../src/core/model/limits.js'
import { receiverFor } from '../../../src/durable/history/replayed-state.js'
import { CacheClosedError, type CacheEvent, type Change, NotLeaderError, openCache } from '../../../src/index.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { frozen, SpeculativeJournal } from '../../helpers/speculative-journal.js'

const NEVER = Number.POSITIVE_INFINITY
const wasSet = (key: string, value: string | number = 1, expiresAtMs = NEVER): CacheEvent => ({
  type: 'set',
  key,
  value,
  expiresAtMs,
})

async function opened(journal: SpeculativeJournal, options: object = {}) {
  const clock = new CountingClock()
  const cache = await openCache({ journal, clock, ...options })
  const changes: Change[] = []
  cache.changes$.subscribe((change) => changes.push(change))
  return { cache, clock, journal, changes }
}

test('streams are told at the commit, in order, and nothing of what is taken back', async (t) => {
  const { cache, journal, changes } = await opened(new SpeculativeJournal())
  cache.set('a', 1)
  cache.transact(() => {
    cache.set('b', 1)
    cache.delete('a')
  })
  t.is(cache.get('b'), 1)
  t.deepEqual(changes, [])
  journal.commit(1)
  t.deepEqual(
    changes.map(({ type, sequence, key }) => [type, sequence, key]),
    [['set', 1, 'a']],
  )
  journal.revert()
  t.deepEqual([...cache.entries()], [['a', 1]])
  cache.set('c', 1)
  journal.commit()
  t.deepEqual(
    changes.map(({ type, sequence, key }) => [type, sequence, key]),
    [
      ['set', 1, 'a'],
      ['set', 2, 'c'],
    ],
  )
})

test('hits and misses stay when a turn is taken back; the other counters do not', async (t) => {
  const { cache, journal } = await opened(new SpeculativeJournal())
  cache.set('a', 1)
  journal.commit()
  cache.get('a')
  cache.transact(() => {
    cache.get('a')
    cache.get('none')
    cache.set('b', 1)
  })
  cache.clear()
  cache.get('a')
  journal.revert()
  const { hits, misses, sets } = cache.stats()
  t.deepEqual({ hits, misses, sets }, { hits: 2, misses: 2, sets: 1 })
})

test('a follower refuses changes with the leader, hides what has expired, and removes nothing', async (t) => {
  const { cache, clock, journal } = await opened(new SpeculativeJournal(false), { maxSize: 1 })
  journal.receive([wasSet('a', 1, clock.now() + 1_000), wasSet('b')])
  t.is(cache.size, 2)
  clock.advance('2s')
  t.is(cache.get('a'), undefined)
  t.throws(() => cache.cleanup(), { instanceOf: NotLeaderError })
  t.is(cache.stats().size, 2)
  const error = t.throws(() => cache.set('c', 1), { instanceOf: NotLeaderError, code: 'NOT_LEADER' })
  t.is((error as NotLeaderError).leader, 'other')
  let state: string | undefined
  cache.lifecycle$.subscribe((now) => (state = now.state))
  t.is(state, 'read-only')
})

test('getOrSet on a follower returns what it loads, with a warning that it was not stored', async (t) => {
  const { cache } = await opened(new SpeculativeJournal(false))
  const warnings: unknown[] = []
  cache.lifecycle$.subscribe(({ warning }) => warning && warnings.push(warning))
  t.is(await cache.getOrSet('a', () => 1), 1)
  t.is(cache.peek('a'), undefined)
  t.is(warnings.length, 1)
})

test('a new leader removes what has expired', async (t) => {
  const { cache, clock, journal, changes } = await opened(new SpeculativeJournal(false))
  journal.receive([wasSet('a', 1, clock.now() + 1_000), wasSet('b', 1, clock.now() + 5_000)])
  clock.advance('2s')
  t.is(cache.stats().size, 2)
  journal.lead()
  clock.advance('1ms')
  t.is(cache.stats().size, 1)
  clock.advance('4s')
  t.is(cache.stats().size, 0)
  journal.commit()
  t.deepEqual(
    changes.map(({ type, sequence }) => [type, sequence]),
    [
      ['set', 1],
      ['set', 2],
      ['expired', 3],
      ['expired', 4],
    ],
  )
})

test('time does not go back behind the last frame', async (t) => {
  const { cache, clock, journal } = await opened(new SpeculativeJournal(false))
  const timeMs = clock.now() + 10_000
  journal.receive([], { timeMs })
  t.is(journal.session.clock.now() >= timeMs, true)
  journal.lead()
  cache.set('a', 1, { ttl: '1s' })
  t.is(cache.entry('a')?.expiresAtMs, timeMs + 1_000)
  clock.advance('5s')
  t.is(cache.get('a'), 1)
})

test('a snapshot replaces the state at the next frame, as one change, and own reads stay counted', async (t) => {
  const { cache, journal, changes } = await opened(new SpeculativeJournal(false))
  journal.receive([wasSet('a'), wasSet('b')])
  cache.get('a')
  const { receiver } = journal.session
  journal.replica.reset()
  receiver.limits({ maxSize: 5, maxBytes: NEVER })
  receiver.row('b', 2, NEVER)
  receiver.row('c', 3, NEVER)
  receiver.counters({ ...frozen(journal.replica).counters, hits: 99, misses: 99, sets: 40 } as never)
  receiver.noted({ type: 'answered', client: '00000000000000aa', number: 1, received: 0, answer: true })
  t.is(cache.get('a'), 1)
  journal.replica.follow({ events: [wasSet('d')], notes: [], firstSequence: 101, timeMs: 0 }, 0)
  t.deepEqual([...cache.keys()].sort(), ['b', 'c', 'd'])
  t.deepEqual(
    changes.slice(2).map(({ type, sequence }) => [type, sequence]),
    [
      ['resynced', 100],
      ['set', 101],
    ],
  )
  const { hits, misses, sets } = cache.stats()
  t.deepEqual({ hits, misses, sets }, { hits: 2, misses: 0, sets: 41 })
  t.deepEqual(frozen(journal.replica).limits, { maxSize: 5, maxBytes: NEVER })
  t.is(frozen(journal.replica).notes?.length, 1)
})

test('the rows of a loaded event come with its frame', async (t) => {
  const { cache, journal, changes } = await opened(new SpeculativeJournal(false))
  journal.receive([wasSet('a')])
  const rows = journal.session.receiver.loadedRows()
  rows.add('x', 1, NEVER)
  journal.receive([{ type: 'loaded', file: 'staged', checksum: 0, entries: 1 }, wasSet('y')], { rows: [rows] })
  t.deepEqual([...cache.keys()], ['x', 'y'])
  t.is(changes.at(-2)?.type, 'loaded')
})

test('rows that are frozen before a revert are those of the last commit, also while they are read', async (t) => {
  const { cache, journal } = await opened(new SpeculativeJournal())
  cache.setMany([
    ['a', 1],
    ['b', 1],
  ])
  journal.commit()
  cache.set('a', 2)
  cache.delete('b')
  cache.set('c', 1)
  const source = journal.replica.freeze()
  journal.revert()
  cache.set('b', 3)
  const rows: unknown[] = []
  for (let row = source.read(); row !== undefined; row = source.read()) rows.push([row.key, row.value])
  t.is(source.count, 2)
  t.deepEqual(rows.sort(), [
    ['a', 1],
    ['b', 1],
  ])
})

test('a frame of another writer is refused before what was appended here is taken back', async (t) => {
  const { cache, journal } = await opened(new SpeculativeJournal())
  cache.set('a', 1)
  t.throws(() => journal.receive([wasSet('b')]), { code: 'INTERNAL' })
})

test('what a journal calls during a turn takes effect after it', async (t) => {
  const { cache, journal, changes } = await opened(new SpeculativeJournal())
  cache.transact(() => {
    cache.set('a', 1)
    journal.replica.commit(1)
    t.deepEqual(changes, [])
  })
  t.is(changes.length, 1)
  const { append } = journal
  journal.append = (events) => {
    const first = append.call(journal, events)
    journal.replica.revert()
    return first
  }
  cache.set('b', 1)
  t.deepEqual([...cache.keys()], ['a'])
})

test('a close that cannot write what is pending rejects: the outcome is unknown', async (t) => {
  const { cache, journal, changes } = await opened(new SpeculativeJournal())
  cache.set('a', 1)
  journal.failure = new Error('no majority')
  await t.throwsAsync(cache.close(), { code: 'OUTCOME_UNKNOWN' })
  t.deepEqual(changes, [])
})

test('a turn that is undone in the middle of uncommitted ones takes nothing else with it', async (t) => {
  const { cache, journal } = await opened(new SpeculativeJournal())
  cache.set('a', 1)
  t.throws(() =>
    cache.transact(() => {
      cache.set('a', 2)
      cache.set('b', 1)
      throw new Error('undo this')
    }),
  )
  t.deepEqual([...cache.entries()], [['a', 1]])
  journal.revert()
  t.is(cache.size, 0)
})

test('answers are taken back with their turns, and a note alone with the next event', async (t) => {
  const journal = new SpeculativeJournal()
  const parts = assemble({
    ...{ clock: new CountingClock(), journal, limits: NEW_LIMITS, eviction: 'lru', entriesMax: undefined },
    ...{ isolation: 'copy', notOpen: () => new CacheClosedError('not open'), warn: () => undefined },
  })
  const { state, turns, replica } = parts
  await journal.open({
    replica,
    clock: parts.clock,
    limits: NEW_LIMITS,
    receiver: receiverFor(state, () => undefined),
  } as never)
  state.isOpen = turns.isWritable = true
  const numbered = new NumberedCommands({ state, turns })
  const client = '00000000000000aa'
  const run = (number: number, received: number) =>
    numbered.run(
      { client, number, received },
      () => turns.record([wasSet('a', number)], 0),
      () => number,
    )
  for (const number of [1, 2, 3]) run(number, 0)
  journal.commit()
  const before = state.answers.notes()
  const held = state.answers.bytesFor(client)
  run(4, 2)
  run(5, 4)
  numbered.forget(client)
  run(6, 5)
  t.deepEqual(frozen(replica).notes, before)
  t.deepEqual(
    state.answers.notes().map(({ number }) => number),
    [6],
  )
  t.deepEqual(frozen(replica).notes, before)
  journal.revert()
  t.deepEqual(state.answers.notes(), before)
  t.deepEqual(state.answers.bytesFor(client), held)
  run(4, 3)
  t.deepEqual(
    state.answers.notes().map(({ number }) => number),
    [4],
  )
  journal.commit()
  numbered.forget(client)
  journal.commit()
  t.true(state.undo.hasUncommitted)
  journal.revert()
  t.deepEqual(state.answers.clients, [client])
})

test('while turns are committed as they come, the undo log stays small', async (t) => {
  const journal = new SpeculativeJournal()
  const cache = await openCache({ journal, clock: new CountingClock() })
  for (let number = 0; number < 10_000; number++) {
    cache.set(`key ${number % 100}`, number)
    if (number % 10 === 9) journal.commit(number - 4)
  }
  journal.revert()
  t.is(cache.stats().sets, 9_995)
})
