/** A node that leads and loses its place again and again has, at every commit, what a node that only follows has. */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import type { EvictionPolicy } from '../../src/core/evolve/eviction/policy.js'
import { type Cache, type Change, openCache } from '../../src/index.js'
import { CountingClock } from '../helpers/counting-clock.js'
import { perform, STEP, type Step } from '../helpers/properties/commands.js'
import { Model } from '../helpers/properties/model.js'
import { holds } from '../helpers/property.js'
import { frozen, SpeculativeJournal } from '../helpers/speculative-journal.js'

const TURNS = fc.array(
  fc.oneof(
    { weight: 10, arbitrary: STEP },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constant('commit' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('depose' as const), key: fc.constantFrom('a', 'b', 'new') }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('revert' as const) }) },
  ),
  { maxLength: 60, size: 'max' },
)

async function open(journal: SpeculativeJournal, clock: CountingClock, eviction: EvictionPolicy, isObserved = true) {
  const cache = await openCache({ journal, clock, eviction, maxSize: 7 })
  const changes: Change[] = []
  if (isObserved) cache.changes$.subscribe((change) => changes.push(change))
  return { cache, changes, journal }
}

/** What every node has, whatever it has read. */
function shared(journal: SpeculativeJournal) {
  const { counters, ...rest } = frozen(journal.replica)
  const { hits: _, misses: __, ...others } = counters
  return { ...rest, counters: others }
}

for (const eviction of ['lru', 's3-fifo'] as const) {
  for (const isObserved of [true, false]) {
    test(`what was taken back was never done: ${eviction}, ${isObserved ? 'with' : 'without'} subscribers`, (t) =>
      holds(
        t,
        fc.asyncProperty(TURNS, async (turns) => {
          const clock = new CountingClock()
          const { cache, changes, journal } = await open(new SpeculativeJournal(), clock, eviction, isObserved)
          const follower = await open(new SpeculativeJournal(false), clock, eviction)
          const model = new Model(clock.now(), { maxSize: 7, maxBytes: undefined })
          const tell = () => {
            const events = journal.events.slice(follower.journal.committed, journal.committed)
            if (events.length > 0) follower.journal.receive(events)
          }
          for (const turn of [...turns, { type: 'commit' as const, part: 1 }]) {
            if (turn.type === 'commit') {
              const ends = journal.ends.filter((end) => end > journal.committed)
              const end = ends[Math.ceil(turn.part * ends.length) - 1]
              if (end !== undefined) journal.commit(end)
              tell()
            } else if (turn.type === 'depose') {
              journal.depose()
              const { key } = turn
              journal.receive([{ type: 'set', key, value: 1, expiresAtMs: Number.POSITIVE_INFINITY }])
              tell()
              journal.lead()
            } else if (turn.type === 'revert') journal.revert()
            else attempt(turn, cache, model, clock)
            assert.deepEqual(shared(journal), shared(follower.journal))
          }
          if (isObserved) assert.deepEqual(changes, follower.changes)
          await cache.close()
          await follower.cache.close()
        }),
        60,
      ))
  }
}

function attempt(step: Step, cache: Cache, model: Model, clock: CountingClock): void {
  try {
    perform(step, cache, model, clock)
  } catch {
    // A transaction that was rolled back.
  }
}
