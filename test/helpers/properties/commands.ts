import fc from 'fast-check'
import { compileGlob } from '../../../src/core/decide/glob.js'
import type { Cache, Duration } from '../../../src/index.js'
import type { CountingClock } from '../counting-clock.js'
import type { Model } from './model.js'

export interface Counts {
  hits: number
  misses: number
  evictions: number
  expirations: number
  sets: number
  deletes: number
}

/** One step of a run: a call, or time passing. */
export type Step =
  | { type: 'get' | 'getStale' | 'peek' | 'has' | 'ttl' | 'delete' | 'persist' | 'take'; key: string }
  | { type: 'entry'; key: string }
  | { type: 'touch'; key: string; ttlMs: number | undefined }
  | {
      type: 'set'
      key: string
      value: unknown
      ttlMs: number
      only: 'absent' | 'present' | undefined
      as: 'ttl' | 'expiresAt' | 'keep'
      staleMs: number | undefined
      tags: string[] | undefined
    }
  | { type: 'deleteTag' | 'expireTag'; tags: string[] }
  | { type: 'increment'; key: string; by: number; ttlMs: number }
  | { type: 'expire'; key: string; ttlMs: number }
  | { type: 'getMany' | 'hasMany' | 'deleteMany'; keys: string[] }
  | { type: 'setMany'; rows: [string, unknown][]; tags: string[] | undefined }
  | { type: 'keys' | 'deletePattern'; pattern: string }
  | { type: 'entries' | 'deletePrefix'; prefix: string }
  | { type: 'clear' | 'cleanup' | 'size' }
  | { type: 'resize'; maxSize: number | undefined; maxBytes: number | undefined }
  | { type: 'transact'; steps: Step[]; throws: boolean; caught: boolean }
  | { type: 'advance' | 'jump'; ms: number }

const KEY = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'ab', '__proto__', '', '😀', '\ud83d')
const VALUE = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  fc.constantFrom('text', null, true, -0, 2n ** 70n),
  fc.constant({ nested: [1, { deep: 'er' }] }),
)
/** Infinity: no deadline. */
const TTL_MS = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.constant(0), fc.integer({ min: 1, max: 5_000 }))
const STALE_MS = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 5_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, Number.POSITIVE_INFINITY) },
)
const TAGS = fc.array(fc.constantFrom('x', 'y', '\ud83d'), { maxLength: 3 })
const SOME_TAGS = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 2, arbitrary: TAGS.map((tags) => [...new Set(tags)]) },
)
const BY = fc.integer({ min: -5, max: 5 }).map((by) => by + 0) // no -0: 0 + -0 is 0

const CALLS = [
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constantFrom('get', 'getStale', 'peek', 'has', 'ttl', 'delete', 'persist', 'take', 'entry'),
      key: KEY,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('set'),
      key: KEY,
      value: VALUE,
      ttlMs: TTL_MS,
      only: fc.constantFrom(undefined, undefined, undefined, 'absent', 'present'),
      as: fc.constantFrom('ttl', 'expiresAt', 'keep'),
      staleMs: STALE_MS,
      tags: SOME_TAGS,
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constantFrom('deleteTag', 'expireTag', 'expireTag'), tags: TAGS }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('increment'), key: KEY, by: BY, ttlMs: TTL_MS }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('expire'), key: KEY, ttlMs: TTL_MS }) },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('touch'),
      key: KEY,
      ttlMs: fc.oneof(fc.constant(undefined), TTL_MS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('entries', 'deletePrefix'),
      prefix: fc.constantFrom('', 'a', 'ab', '\ud83d'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('getMany', 'hasMany', 'deleteMany'),
      keys: fc.array(KEY, { maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('setMany'),
      rows: fc.array(fc.tuple(KEY, VALUE), { maxLength: 4 }),
      tags: SOME_TAGS,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('keys', 'deletePattern'),
      pattern: fc.constantFrom('*', 'a*', '?', '', '[c-f]'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('resize'),
      maxSize: fc.constantFrom(undefined, 1, 3, 5, 7),
      maxBytes: fc.constantFrom(undefined, undefined, Number.POSITIVE_INFINITY, 20, 60),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('clear', 'cleanup', 'size', 'size') }) },
] as { weight: number; arbitrary: fc.Arbitrary<Step> }[]

const TIME = {
  weight: 3,
  arbitrary: fc.oneof(
    fc.record({ type: fc.constant('advance'), ms: fc.integer({ min: 0, max: 3_000 }) }),
    fc.record({ type: fc.constant('jump'), ms: fc.constantFrom(-31_536_000_000, -2_000, 2_000, 31_536_000_000) }),
  ) as fc.Arbitrary<Step>,
}

const { call: CALL } = fc.letrec<{ call: Step }>((tie) => ({
  call: fc.oneof({ depthSize: 'small', withCrossShrink: true }, ...CALLS, {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('transact'),
      steps: fc.array(tie('call'), { maxLength: 6 }),
      throws: fc.boolean(),
      caught: fc.boolean(),
    }) as fc.Arbitrary<Step>,
  }),
}))

export const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 9, arbitrary: CALL },
  { weight: 1, arbitrary: TIME.arbitrary },
)

function staleOf(staleMs: number | undefined): { stale?: Duration } {
  if (staleMs === undefined) return {}
  return { stale: staleMs === Number.POSITIVE_INFINITY ? staleMs : `${staleMs}ms` }
}

class RolledBack extends Error {}

/**
 * Passes before every call, so that no two deadlines are the same: which of two entries that expire together goes first is not
 * specified. A power of two, so that sums are exact.
 */
const TICK_MS = 2 ** -10

/** Does one step to the cache and to the model, and returns the result of each. */
export function perform(
  step: Step,
  cache: Cache,
  model: Model,
  clock: CountingClock,
): { real: unknown; naive: unknown } {
  switch (step.type) {
    case 'advance':
      // With a cleanup before and after, because timers are late after a jump of the wall clock.
      cache.cleanup()
      model.cleanup()
      clock.advance(`${step.ms}ms`)
      model.nowMs += step.ms
      return { real: cache.cleanup() >= 0, naive: model.cleanup() >= 0 }
    case 'jump':
      clock.jump(step.ms)
      model.nowMs += step.ms
      return { real: undefined, naive: undefined }
    default:
      return call(step, cache, model, clock)
  }
}

function call(step: Step, cache: Cache, model: Model, clock: CountingClock): { real: unknown; naive: unknown } {
  clock.jump(TICK_MS)
  model.nowMs += TICK_MS
  switch (step.type) {
    case 'get':
    case 'peek':
    case 'has':
    case 'ttl':
    case 'delete':
    case 'persist':
    case 'take':
      return { real: cache[step.type](step.key), naive: model[step.type](step.key) }
    case 'getStale':
      return { real: cache.get(step.key, { stale: true }), naive: model.getStale(step.key) }
    case 'deleteTag':
    case 'expireTag':
      return { real: cache[step.type](...step.tags), naive: model[step.type](step.tags) }
    case 'entry': {
      const naive = model.live(step.key)
      if (naive === undefined) return { real: cache.entry(step.key), naive }
      const { value, deadlineMs, freshUntilMs, tags } = naive
      const expected = {
        value,
        ...(deadlineMs === Number.POSITIVE_INFINITY ? {} : { expiresAtMs: deadlineMs }),
        ...(freshUntilMs === Number.POSITIVE_INFINITY ? {} : { freshUntilMs }),
        tags,
      }
      return { real: cache.entry(step.key), naive: expected }
    }
    case 'touch': {
      const { key, ttlMs } = step
      if (ttlMs === undefined) return { real: cache.touch(key), naive: model.touch(key) }
      const ttl = ttlMs === Number.POSITIVE_INFINITY ? ttlMs : (`${ttlMs}ms` as const)
      return { real: cache.touch(key, ttl), naive: model.touch(key) && model.reschedule(key, model.nowMs + ttlMs) }
    }
    case 'entries': {
      const naive = model.keys((key) => key.startsWith(step.prefix)).map((key) => [key, model.entries.get(key)?.value])
      return { real: [...cache.entries({ prefix: step.prefix })], naive }
    }
    case 'deletePrefix':
      return {
        real: cache.deletePrefix(step.prefix),
        naive: model.stored((key) => key.startsWith(step.prefix)).filter((key) => model.delete(key)).length,
      }
    case 'hasMany':
      return { real: cache.hasMany(step.keys), naive: step.keys.map((key) => model.has(key)) }
    case 'set': {
      const { key, value, ttlMs, only, tags } = step
      if (step.as === 'keep') {
        const how = { endsMs: Number.POSITIVE_INFINITY, keeps: true, staleMs: step.staleMs, tags }
        return {
          real: nameOfThrown(() => cache.set(key, value, { ttl: 'keep', only, tags, ...staleOf(step.staleMs) })),
          naive: model.attempt(() => model.set(key, value, how, only)),
        }
      }
      const deadlineMs = model.nowMs + ttlMs
      const staleMs = ttlMs === Number.POSITIVE_INFINITY ? undefined : step.staleMs
      const how = { endsMs: deadlineMs, staleMs, tags }
      const when =
        ttlMs === Number.POSITIVE_INFINITY
          ? {}
          : step.as === 'ttl'
            ? { ttl: `${ttlMs}ms` as const }
            : { expiresAt: deadlineMs }
      const isOver = step.as === 'expiresAt' && ttlMs <= 0
      const naive = isOver ? model.setOver(key, only) : model.attempt(() => model.set(key, value, how, only))
      // Without options, so that it can take the fast path.
      const isPlain = only === undefined && ttlMs === Number.POSITIVE_INFINITY && tags === undefined
      const real = nameOfThrown(() =>
        isPlain ? cache.set(key, value) : cache.set(key, value, { ...when, only, tags, ...staleOf(staleMs) }),
      )
      return { real, naive }
    }
    case 'increment': {
      const { key, by, ttlMs } = step
      const ttl = ttlMs === Number.POSITIVE_INFINITY ? ttlMs : (`${ttlMs}ms` as const)
      return {
        real: nameOfThrown(() => cache.increment(key, by, { ttl })),
        naive: model.attempt(() => model.increment(key, by, model.nowMs + ttlMs)),
      }
    }
    case 'expire': {
      const { key, ttlMs } = step
      const ttl = ttlMs === Number.POSITIVE_INFINITY ? ttlMs : (`${ttlMs}ms` as const)
      return { real: cache.expire(key, ttl), naive: model.reschedule(key, model.nowMs + ttlMs) }
    }
    case 'getMany':
      return { real: cache.getMany(step.keys), naive: step.keys.map((key) => model.get(key)) }
    case 'deleteMany':
      return { real: cache.deleteMany(step.keys), naive: step.keys.filter((key) => model.delete(key)).length }
    case 'setMany':
      return {
        real: nameOfThrown(() => cache.setMany(step.rows, { tags: step.tags })),
        naive: model.attempt(() => {
          for (const [key, value] of step.rows)
            model.set(key, value, { endsMs: Number.POSITIVE_INFINITY, tags: step.tags }, undefined)
          return step.rows.length
        }),
      }
    case 'keys':
      return { real: cache.keys(step.pattern), naive: model.keys(compileGlob(step.pattern)) }
    case 'deletePattern':
      return {
        real: cache.deletePattern(step.pattern),
        naive: model.stored(compileGlob(step.pattern)).filter((key) => model.delete(key)).length,
      }
    case 'clear':
      return { real: cache.clear(), naive: model.clear() }
    case 'cleanup':
      return { real: cache.cleanup(), naive: model.cleanup() }
    case 'resize':
      return { real: cache.resize({ maxSize: step.maxSize, maxBytes: step.maxBytes }), naive: model.resize(step) }
    case 'size':
      return { real: cache.size, naive: model.entries.size }
    case 'transact':
      return transact(step, cache, model, clock)
    default:
      throw new Error(`${step.type} is not a call`)
  }
}

function transact(step: Step & { type: 'transact' }, cache: Cache, model: Model, clock: CountingClock) {
  const remembered = model.remember()
  const real: unknown[] = []
  const naive: unknown[] = []
  try {
    cache.transact(() => {
      for (const inner of step.steps) {
        const results = call(inner, cache, model, clock)
        real.push(results.real)
        naive.push(results.naive)
      }
      if (step.throws) throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
    model.restore(remembered)
    if (!step.caught) throw error
    return { real: [real, 'rolled back'], naive: [naive, 'rolled back'] }
  }
  return { real, naive }
}

/** Whether an error is that of a transaction that was rolled back at the outermost level. */
export function isRolledBack(error: unknown): boolean {
  return error instanceof RolledBack
}

function nameOfThrown<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    return (error as Error).name
  }
}
