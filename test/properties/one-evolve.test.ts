/**
 * For any sequence of calls, with time passing, transactions (nested, some of them throwing), compactions and reopenings in
 * between, the cache, the recovered cache and a naive model are the same: in entries, deadlines, counters, order of use, every
 * result on the way, and the number of events.
 */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import test from 'ava'
import fc from 'fast-check'
import type { Cache, CacheOptions, Change } from '../../src/index.js'
import { memoryJournal, openCache } from '../../src/open.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { isRolledBack, perform, STEP, type Step } from '../helpers/properties/commands.js'
import { type GivenLimits, Model } from '../helpers/properties/model.js'
import { holds } from '../helpers/property.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

/** From one opening to the next. */
interface Session extends GivenLimits {
  /** A `set` without subscribers is committed without an event object, so some runs subscribe. */
  isObserved: boolean
}

type Around = { type: 'compact' | 'flush' | 'save' | 'load' } | ({ type: 'reopen'; how: 'clean' | 'unclean' } & Session)

const SESSION = {
  // Omitted, they are those of the session before.
  maxSize: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
  // Short entries weigh about 10 bytes; the larger ones fit into 40, but not into 20.
  maxBytes: fc.constantFrom(undefined, undefined, Number.POSITIVE_INFINITY, 20, 40, 60),
  isObserved: fc.boolean(),
}

function script(how: 'clean' | 'unclean'): fc.Arbitrary<{ first: Session; steps: (Step | Around)[] }> {
  // After a flush a frame may hold the counters of any later moment, so there is no flush where they matter.
  const around =
    how === 'clean' ? (['compact', 'flush', 'save', 'load'] as const) : (['compact', 'save', 'load'] as const)
  return fc.record({
    first: fc.record(SESSION),
    steps: fc.array(
      fc.oneof(
        { weight: 14, arbitrary: STEP },
        { weight: 1, arbitrary: fc.record({ type: fc.constantFrom(...around) }) },
        {
          weight: 1,
          arbitrary: fc.record({
            type: fc.constant('reopen' as const),
            how: how === 'clean' ? fc.constant(how) : fc.constantFrom('clean' as const, 'unclean' as const),
            ...SESSION,
          }),
        },
      ),
      { maxLength: 60, size: 'max' },
    ),
  })
}

/** The journal of one run, and what a crash makes of it. */
interface Place {
  readonly options: CacheOptions
  /** Makes a copy, as a crash would leave it, and returns its place. */
  crash(): Place
}

function inMemory(): Place {
  return {
    options: { journal: memoryJournal(), cleanupInterval: 7 },
    crash: () => {
      throw new Error('a journal in memory does not survive a crash')
    },
  }
}

function onDisk(root: string): Place {
  let copies = 0
  const at = (directory: string): Place => ({
    options: { directory, fsync: 'never' },
    crash: () => {
      const copy = join(root, String(copies++))
      cpSync(directory, copy, { recursive: true })
      return at(copy)
    },
  })
  return at(join(root, 'first'))
}

function open(place: Place, { maxSize, maxBytes }: Session, clock: CountingClock): Promise<Cache> {
  return openCache({ ...place.options, maxSize, maxBytes, clock, compaction: false })
}

async function run(first: Session, steps: (Step | Around)[], begin: Place, root: string): Promise<void> {
  const clock = new CountingClock()
  const model = new Model(clock.now(), first)
  const saved = join(root, 'saved.snapshot')
  let place = begin
  let cache = await open(place, first, clock)
  let rebuilt = rebuildFromChanges(cache, model, first)
  try {
    for (const step of steps) {
      const sequenceBefore = model.sequence
      switch (step.type) {
        case 'compact':
          await cache.compact()
          model.sealed()
          break
        case 'flush':
          same(await cache.flush(), model.sequence, 'the durable sequence')
          break
        case 'save':
          same((await cache.save(saved)).ok, true, 'saved')
          model.save()
          break
        case 'load':
          if (same((await cache.load(saved)).ok, model.load(), 'loaded')) rebuilt?.loaded()
          break
        case 'reopen': {
          if (step.how === 'clean') {
            await cache.close()
            model.sealed()
          } else {
            place = place.crash()
            await cache.close()
            model.crash()
          }
          cache = await open(place, step, clock)
          if (step.how === 'clean') same(cache.recovery.clean, true, 'clean')
          same(cache.recovery.sequence, model.sequence, 'the recovered sequence')
          const removed = model.open(step)
          same({ expired: cache.recovery.expired, evicted: cache.recovery.evicted }, removed, 'removed by opening')
          rebuilt = rebuildFromChanges(cache, model, step)
          break
        }
        default:
          try {
            const { real, naive } = perform(step, cache, model, clock)
            same(real, naive, inspect(step, { depth: 6 }))
          } catch (error) {
            if (!isRolledBack(error)) throw error
          }
      }
      await loopTurn()
      if (model.sequence !== sequenceBefore) model.framed()
      compare(cache, model)
      rebuilt?.compare()
    }
    await cache.close()
    model.sealed()
    cache = await open(place, { maxSize: undefined, maxBytes: undefined, isObserved: false }, clock)
    compare(cache, model)
    cache.cleanup() // what is left has not expired
    model.cleanup()
    compare(cache, model)
    for (const key of model.entries.keys())
      same([cache.peek(key), cache.ttl(key)], [model.peek(key), model.ttl(key)], key)
    const expected = model.keys(() => true).map((key) => [key, model.peek(key)])
    same([...cache.entries()], expected, 'entries in order of use')
    for (const key of model.stored(() => true))
      same(cache.get(key, { stale: true }), model.getStale(key), `${key}, stale or not`)
    for (const tag of ['x', 'y', '\ud83d']) same(cache.deleteTag(tag), model.deleteTag([tag]), `tag ${tag}`)
  } finally {
    await cache.close()
  }
}

/** Compares what can be read without changing anything; the entries are compared by every result, and at the end. */
function compare(cache: Cache, model: Model): void {
  const { hits, misses, evictions, expirations, sets, deletes, size, journal } = cache.stats()
  same({ hits, misses, evictions, expirations, sets, deletes }, model.counts, 'counters')
  same(size, model.entries.size, 'size')
  same({ maxSize: journal.maxSize, maxBytes: journal.maxBytes }, model.limits, 'limits')
  same(journal.sequence, model.sequence, 'sequence')
}

/**
 * Rebuilds the entries from `changes$` alone, and from what was added less `removals$`; both must be those of the cache. A value is
 * added with its key, so removing another value, one twice or none at all shows.
 */
function rebuildFromChanges(cache: Cache, model: Model, { isObserved }: Session) {
  if (!isObserved) return undefined
  cache.cleanup()
  model.cleanup()
  const stored = () => new Map([...model.entries].map(([key, { value }]) => [key, value])) // also stale ones
  let rows = stored()
  const lives = new Map([...model.entries].map(([key, entry]) => [key, livesOf(entry)]))
  let { sequence } = cache.stats().journal
  const wrong: string[] = []
  const added = new Map<string, unknown[]>()
  const add = (key: string, value: unknown) => added.set(key, [...(added.get(key) ?? []), value])
  for (const [key, value] of rows) add(key, value)
  cache.removals$.subscribe(({ key, value }) => {
    const values = added.get(key) ?? []
    const index = values.findIndex((other) => isDeepStrictEqual(other, value))
    if (index === -1) wrong.push(`${inspect(value)} was removed from ${key}, where it was not`)
    values.splice(index, 1)
  })
  cache.changes$.subscribe((change: Change) => {
    if (change.sequence !== ++sequence) wrong.push(`sequence ${change.sequence} came instead of ${sequence}`)
    const { type, key = '' } = change
    if (type === 'set') add(key, change.value)
    const { tags = type === 'set' ? [] : lives.get(key)?.tags, expiresAtMs, freshUntilMs } = change
    if (type === 'set' || type === 'rescheduled') lives.set(key, { expiresAtMs, freshUntilMs, tags })
    else if (type === 'cleared' || type === 'loaded') lives.clear()
    else if (type !== 'limited') lives.delete(key)
    if (type === 'set') rows.set(key, change.value)
    else if (type === 'cleared' || type === 'loaded') rows.clear()
    else if (type !== 'rescheduled' && type !== 'limited' && !rows.delete(key))
      wrong.push(`${type} came for ${key}, which is not there`)
  })
  return {
    /** A load is one change, without its entries. */
    loaded(): void {
      same([...added.values()].flat(), [], 'what a load has left of the entries before it')
      cache.cleanup()
      model.cleanup()
      rows = stored()
      for (const [key, entry] of model.entries) lives.set(key, livesOf(entry))
      for (const [key, value] of rows) add(key, value)
    },
    compare(): void {
      same(wrong, [], 'errors in the changes')
      same(sequence, cache.stats().journal.sequence, 'the last sequence in the changes')
      same(rows.size, cache.size, 'the size by the changes')
      same(
        lives,
        new Map([...model.entries].map(([key, entry]) => [key, livesOf(entry)])),
        'times and tags by the changes',
      )
      const left = new Map([...added].filter(([, values]) => values.length > 0))
      same(left, new Map([...rows].map(([key, value]) => [key, [value]])), 'what was added and not removed')
    },
  }
}

/** As changes tell it. */
function livesOf({
  deadlineMs,
  freshUntilMs,
  tags,
}: {
  deadlineMs: number
  freshUntilMs: number
  tags: readonly string[]
}) {
  const timeOf = (ms: number) => (ms === Number.POSITIVE_INFINITY ? undefined : ms)
  return {
    expiresAtMs: timeOf(deadlineMs),
    freshUntilMs: timeOf(freshUntilMs),
    tags: tags as readonly string[] | undefined,
  }
}

function same<T>(real: T, naive: unknown, what: string): T {
  if (!isDeepStrictEqual(real, naive)) assert.deepEqual({ [what]: real }, { [what]: naive })
  return real
}

test('live state = recovered state = a naive model, with clean closes and compactions', async (t) => {
  const root = temporaryDirectory(t)
  await holds(
    t,
    fc.asyncProperty(script('clean'), async ({ first, steps }) => {
      rmSync(join(root, 'saved.snapshot'), { force: true })
      await run(first, steps, inMemory(), root)
    }),
    150,
  )
})

test('live state = recovered state = a naive model, with crashes', async (t) => {
  const root = temporaryDirectory(t)
  let count = 0
  await holds(
    t,
    fc.asyncProperty(script('unclean'), async ({ first, steps }) => {
      const own = join(root, String(count++))
      mkdirSync(own)
      await run(first, steps, onDisk(own), own)
      rmSync(own, { recursive: true })
    }),
    40,
  )
})
