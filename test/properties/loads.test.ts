/**
 * For any sequence of calls of `getOrSet` and `getOrSetMany`, here and through a line, with loaders that end in any order and way,
 * and with changes, time and closing in between, the cache does what a naive model does: one load per key that is not overruled,
 * the same results, nothing that was overruled before a call, every promise settled, and in the end no timer and no load left.
 */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { type Cache, memoryJournal, openCache } from '../../src/index.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { connectOver } from '../helpers/edges/connected.js'
import { loopTurn } from '../helpers/loop-turn.js'
import { type Call, LoadsModel, type Options, type Outcome, type Run } from '../helpers/properties/loads-model.js'
import { holds } from '../helpers/property.js'
import { temporaryDirectory } from '../helpers/temporary-directory.js'

const KEYS = ['a', 'b', 'c'] as const
const TAGS = ['s', 't'] as const

const key = fc.constantFrom(...KEYS)
const tag = fc.constantFrom(...TAGS)
const tags = fc.subarray([...TAGS])
const option = <T>(...values: T[]) => fc.constantFrom(undefined, undefined, ...values)

const OPTIONS: fc.Arbitrary<Options> = fc.record({
  ttl: fc.constantFrom(2, 4, 8),
  isTtlByValue: fc.boolean(),
  stale: option(2, 5),
  tags,
  timeout: option(1, 2, 3),
  hardTimeout: option(1, 2, 5),
  refresh: option(0.25, 0.5, 1),
})

const STEP = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant('ask' as const), side: fc.nat(1), key, options: OPTIONS }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('askMany' as const),
      side: fc.nat(1),
      keys: fc.array(key, { maxLength: 4 }),
      options: OPTIONS,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('end' as const),
      which: fc.nat(5),
      how: fc.constantFrom('value', 'value', 'value', 'partly', 'unstored', 'unstorable', 'error' as const),
    }),
  },
  { weight: 5, arbitrary: fc.record({ type: fc.constant('tick' as const), seconds: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('set' as const),
      key,
      ttl: fc.constantFrom(2, 4),
      stale: option(3),
      tags,
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('delete' as const, 'expire' as const), key }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('deleteTag' as const, 'expireTag' as const), tag }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('clear' as const, 'load' as const) }) },
)

type Step = typeof STEP extends fc.Arbitrary<infer S> ? S : never

interface Running {
  run: Run
  keys: readonly string[]
  signal: AbortSignal
  resolve: (values: ReadonlyMap<string, unknown>) => void
  reject: (error: Error) => void
}

/** The timers that loads have armed with this clock and that are armed still. */
function timersOfLoads(clock: CountingClock): ReadonlySet<unknown> {
  const armed = new Set<unknown>()
  const { setTimeout, clearTimeout } = clock
  clock.setTimeout = (callback, delayMs) => {
    const timer = setTimeout(() => {
      armed.delete(timer)
      callback()
    }, delayMs)
    if (/cache[\\/]loads[\\/]/.test(new Error('who arms it').stack ?? '')) armed.add(timer)
    return timer
  }
  clock.clearTimeout = (timer) => {
    armed.delete(timer)
    clearTimeout(timer)
  }
  return armed
}

class Trial {
  readonly model = new LoadsModel()
  readonly clock = new CountingClock()
  readonly #cache: Cache
  readonly #sides: Pick<Cache, 'getOrSet' | 'getOrSetMany'>[]
  readonly #emptyFile: string
  /** Loaders that were called and have not been matched with the model yet. */
  readonly #called: Omit<Running, 'run'>[] = []
  readonly #running: Running[] = []
  readonly #started: Pick<Running, 'run' | 'signal'>[] = []
  readonly #asked: { call: Call; outcome: Outcome | undefined }[] = []
  readonly #unstorable = new Set<unknown>()
  readonly #unstored = new Set<unknown>()
  #values = 0
  #warnings = 0

  constructor(cache: Cache, clock: CountingClock, emptyFile: string) {
    this.#cache = cache
    this.clock = clock
    this.#emptyFile = emptyFile
    this.#sides = [cache, connectOver(cache, { isTakeable: false }).client]
    cache.lifecycle$.subscribe(({ warning }) => {
      if (warning !== undefined) this.#warnings++
    })
  }

  async take(given: Step): Promise<void> {
    let step = given
    const { model } = this
    const cache = this.#cache
    model.step++
    switch (step.type) {
      case 'ask':
        await this.#ask(step.side, [step.key], false, step.options)
        break
      case 'askMany':
        // A client with a ttl of its own learns what is due with the answer, and reloads that with another call of the loader.
        if (step.side === 1 && step.options.isTtlByValue)
          step = { ...step, options: { ...step.options, refresh: undefined } }
        await this.#ask(step.side, step.keys, true, step.options)
        break
      case 'end':
        this.#end(step.which, step.how)
        break
      case 'tick':
        for (let second = 0; second < step.seconds; second++) {
          this.clock.advance(1)
          await settled()
          model.tick()
        }
        break
      case 'set': {
        const { ttl, stale } = step
        const value = ++this.#values
        cache.set(step.key, value, { ttl, stale, tags: step.tags })
        model.set(step.key, value, ttl, stale, step.tags)
        break
      }
      case 'delete':
        cache.delete(step.key)
        model.delete(step.key)
        break
      case 'expire':
        cache.expire(step.key, 3)
        model.expire(step.key, 3)
        break
      case 'deleteTag':
      case 'expireTag':
        cache.cleanup() // an expired entry is there until its timer fires, with its tags
        cache[step.type](step.tag)
        model[step.type](step.tag)
        break
      case 'clear':
        cache.clear()
        model.clear()
        break
      case 'load':
        assert.ok((await cache.load(this.#emptyFile)).ok)
        model.clear()
    }
    await settled()
    this.#compare()
  }

  async #ask(side: number, keys: readonly string[], isMany: boolean, options: Options): Promise<void> {
    const { call, run } = this.model.ask(side, keys, isMany, options)
    const { ttl, isTtlByValue, refresh, timeout, hardTimeout } = options
    const given = {
      ttl: isTtlByValue ? (value: unknown) => (this.#unstored.has(value) ? 0 : ttl) : ttl,
      stale: options.stale,
      tags: options.tags,
      refresh,
      timeout,
      hardTimeout,
    }
    const loader = (missing: readonly string[], signal: AbortSignal) =>
      new Promise<ReadonlyMap<string, unknown>>((resolve, reject) =>
        this.#called.push({ keys: missing, signal, resolve, reject }),
      )
    const cache = this.#sides[side] as Cache
    const asked: { call: Call; outcome: Outcome | undefined } = { call, outcome: undefined }
    this.#asked.push(asked)
    const promise = isMany
      ? cache.getOrSetMany(keys, (missing, { signal }) => loader(missing, signal), given)
      : cache.getOrSet(keys[0] as string, async (only, { signal }) => (await loader([only], signal)).get(only), given)
    promise.then(
      (value) => {
        asked.outcome = { value }
      },
      (error: unknown) => {
        asked.outcome = { error }
      },
    )
    await settled()
    // One call of the loader, for exactly the keys that nobody loads.
    const [called, ...more] = this.#called.splice(0)
    assert.deepEqual(more, [])
    assert.deepEqual(called?.keys, run?.keys)
    if (called === undefined || run === undefined) return
    this.#running.push({ ...called, run })
    this.#started.push({ run, signal: called.signal })
  }

  #end(which: number, how: string): void {
    if (this.#running.length === 0) return
    const [running] = this.#running.splice(which % this.#running.length, 1) as [Running]
    const { run, keys, resolve, reject } = running
    if (how === 'error') {
      const error = new Error(`error ${++this.#values}`)
      reject(error)
      this.model.fail(run, error)
      return
    }
    const values = new Map<string, unknown>()
    for (const [index, each] of keys.entries()) {
      if (how === 'partly' && index % 2 === 0) continue
      const value = how === 'unstorable' ? Symbol(++this.#values) : ++this.#values
      values.set(each, value)
      if (how === 'unstorable') this.#unstorable.add(value)
      if (how === 'unstored' && run.loads[index]?.options.isTtlByValue === true) this.#unstored.add(value)
    }
    resolve(values)
    this.model.finish(run, values, this.#unstorable, this.#unstored)
  }

  async close(): Promise<void> {
    await this.#cache.close()
    this.model.close()
    await settled()
    await settled()
    this.#compare()
  }

  #compare(): void {
    for (const { call, outcome } of this.#asked)
      assert.deepEqual(shown(outcome), shown(call.outcome), `of step ${call.step}`)
    this.compareSignals()
    assert.equal(this.#warnings, this.model.warnings, 'warnings')
    if (this.#cache.lifecycle$ === undefined || this.isClosed) return
    for (const each of KEYS) {
      assert.equal(this.#cache.peek(each), this.model.live(each)?.value, each)
      const there = this.model.live(each) ?? this.model.stale(each)
      assert.equal(this.#cache.get(each, { stale: true }), there?.value, `${each}, even stale`)
    }
  }

  /** Only what no call can get any more is aborted, whether or not the cache has been closed since. */
  compareSignals(): void {
    for (const { run, signal } of this.#started) assert.equal(signal.aborted, run.isAborted, 'aborted')
  }

  isClosed = false

  /** Ends every loader, so that every call ends. */
  async endAll(how: string): Promise<void> {
    while (this.#running.length > 0) {
      this.model.step++
      this.#end(0, how)
      await settled()
      this.#compare()
    }
    for (const { outcome } of this.#asked) assert.notEqual(outcome, undefined)
    assert.deepEqual(this.model.running, [])
  }
}

/** An error as the model knows it: one of the cache by its code, one of a loader by its message. */
function shown(outcome: Outcome | undefined): unknown {
  if (outcome === undefined || !('error' in outcome)) return outcome
  const { code, message } = outcome.error as { code?: string; message?: string }
  return code ?? message
}

/** Long enough for a question of the owner and the client's answer to it. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await loopTurn()
}

for (const ending of ['closed', 'value', 'error', 'unstorable'] as const) {
  test(`getOrSet and getOrSetMany do what a naive model does; in the end: ${ending}`, async (t) => {
    const emptyFile = `${temporaryDirectory(t)}/empty.daybook`
    const empty = await openCache({ journal: memoryJournal() })
    await empty.save(emptyFile)
    await empty.close()
    const property = fc.asyncProperty(fc.array(STEP, { maxLength: 40, size: 'max' }), async (steps) => {
      const clock = new CountingClock()
      const armed = timersOfLoads(clock)
      const cache = await openCache({ journal: memoryJournal(), clock, cleanupInterval: 0, fsync: 'never' })
      try {
        const trial = new Trial(cache, clock, emptyFile)
        for (const step of steps) await trial.take(step)
        if (ending === 'closed') {
          trial.isClosed = true
          await trial.close()
          assert.equal(armed.size, 0, 'timers are left')
          return
        }
        await trial.endAll(ending)
        assert.equal(armed.size, 0, 'timers are left')
        await cache.close()
        trial.compareSignals() // no load is left that closing could abort
      } finally {
        await cache.close()
      }
    })
    await holds(t, property, 30)
  })
}
