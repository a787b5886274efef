/** The answers that clients may still ask for are part of the state: after any history, recovery has exactly those of the live state. */
import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import { assemble } from '../../src/cache/assembly.js'
import { NumberedCommands } from '../../src/cache/turns/numbered.js'
import { FrozenRows } from '../../src/core/evolve/frozen-rows.js'
import { NEW_LIMITS } from '../../src/core/model/limits.js'
import { type Answer, DONE } from '../../src/core/model/note.js'
import { receiverFor } from '../../src/durable/history/replayed-state.js'
import { FileJournal } from '../../src/durable/journal/file-journal.js'
import { MemoryStorage } from '../../src/durable/storage/memory.js'
import { CacheClosedError } from '../../src/errors.js'
import { session } from '../../src/testing/conformance/recording.js'
import { ManualClock } from '../../src/testing.js'
import { holds } from '../helpers/property.js'

const CLIENTS = ['00000000000000aa', '00000000000000bb', '00000000000000cc']

const ANSWER = fc.oneof(
  fc.constantFrom<Answer>(undefined, null, true, false, DONE),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string(),
  fc.string().map((text) => text.repeat(3_000)),
  fc.uint8Array({ maxLength: 40 }),
)

const STEP = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      client: fc.constantFrom(...CLIENTS),
      /** How many of its answers the client has received since. */
      receives: fc.nat(3),
      changes: fc.boolean(),
      throws: fc.boolean(),
      answer: ANSWER,
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('one' as const),
      client: fc.constantFrom(...CLIENTS),
      receives: fc.nat(3),
      key: fc.constantFrom('number', 'text', 'timed'),
      call: fc.constantFrom('set' as const, 'increment' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('forget' as const), client: fc.constantFrom(...CLIENTS) }) },
  {
    weight: 1,
    arbitrary: fc.record({ type: fc.constantFrom('clear' as const, 'compact' as const, 'reopen' as const) }),
  },
)

async function opened(journal: FileJournal) {
  const clock = new ManualClock()
  const notOpen = () => new CacheClosedError('not open')
  const parts = assemble({
    clock,
    journal,
    limits: NEW_LIMITS,
    entriesMax: undefined,
    isolation: 'copy',
    eviction: 'lru',
    notOpen,
    warn: () => undefined,
  })
  const { state, turns } = parts
  const receiver = receiverFor(state, () => undefined)
  await journal.open({ ...session({ clock, counters: state.counters }), receiver })
  state.isOpen = turns.isWritable = true
  return { state, turns, numbered: new NumberedCommands({ state, turns }) }
}

test('recovered answers equal live ones', async (t) => {
  const property = fc.asyncProperty(fc.array(STEP, { maxLength: 40, size: 'max' }), async (steps) => {
    const journal = new FileJournal(new MemoryStorage(), 'memory')
    const numbers = new Map(CLIENTS.map((client) => [client, { next: 1, received: 0 }]))
    let { state, turns, numbered } = await opened(journal)
    for (const step of [...steps, { type: 'reopen' as const }]) {
      if (step.type === 'answer') {
        const { client, receives, changes, throws, answer } = step
        const of = numbers.get(client) as { next: number; received: number }
        of.received = Math.min(of.next - 1, of.received + receives)
        const run = () => {
          if (changes)
            turns.record([{ type: 'set', key: client, value: of.next, expiresAtMs: Number.POSITIVE_INFINITY }], 0)
          if (throws) throw new Error('undo this')
        }
        const before = state.answers.notes()
        try {
          numbered.run({ client, number: of.next, received: of.received }, run, () => answer)
        } catch {}
        const kept = state.answers.find(client, of.next)
        if (changes && !throws) assert.deepEqual(kept, { answer })
        else assert.deepEqual(state.answers.notes(), before)
        of.next++
      } else if (step.type === 'one') {
        const { client, receives, key, call } = step
        const of = numbers.get(client) as { next: number; received: number }
        of.received = Math.min(of.next - 1, of.received + receives)
        const before = state.answers.notes()
        const value = key === 'text' ? 'a' : 1
        const expiresAtMs = key === 'timed' ? 5 : Number.POSITIVE_INFINITY
        const run = () =>
          call === 'set'
            ? turns.set(key, value, expiresAtMs, 0) ||
              turns.run({ type: 'set', key, value, expiresAtMs, only: undefined, nowMs: 0 })
            : (turns.increment(key, 2) ?? turns.run({ type: 'increment', key, by: 2, expiresAtMs, nowMs: 0 }))
        let answer: Answer
        try {
          answer = numbered.runOne({ client, number: of.next, received: of.received }, run, () =>
            assert.fail(),
          ) as Answer
        } catch {}
        assert.equal(turns.note, undefined)
        if (answer === undefined) assert.deepEqual(state.answers.notes(), before)
        else assert.deepEqual(state.answers.find(client, of.next), { answer })
        of.next++
      } else if (step.type === 'forget') numbered.forget(step.client)
      else if (step.type === 'clear') turns.record([{ type: 'cleared' }], 0)
      else if (step.type === 'compact') {
        const { signal } = new AbortController()
        await journal.compact({ freeze: () => new FrozenRows(state, true), progress: () => undefined, signal })
      } else {
        turns.record([{ type: 'set', key: 'last', value: 1, expiresAtMs: Number.POSITIVE_INFINITY }], 0)
        const live = state.answers.notes()
        const held = CLIENTS.map((client) => state.answers.bytesFor(client))
        await journal.close()
        ;({ state, turns, numbered } = await opened(journal))
        assert.deepEqual(new Map(grouped(state.answers.notes())), new Map(grouped(live)))
        assert.deepEqual(
          CLIENTS.map((client) => state.answers.bytesFor(client)),
          held,
        )
      }
    }
    await journal.close()
  })
  await holds(t, property, 150)
})

test('rows that do not become a snapshot hold no answers', async (t) => {
  const { state, turns, numbered } = await opened(new FileJournal(new MemoryStorage(), 'memory'))
  const set = () => turns.record([{ type: 'set', key: 'a', value: 1, expiresAtMs: Number.POSITIVE_INFINITY }], 0)
  numbered.run({ client: CLIENTS[0] as string, number: 1, received: 0 }, set, () => true)
  t.is(new FrozenRows(state).notes.length, 0)
  t.is(new FrozenRows(state, true).notes.length, 1)
})

/** The order of clients among each other means nothing. */
function grouped(notes: { client: string }[]): [string, unknown[]][] {
  return CLIENTS.map((client) => [client, notes.filter((note) => note.client === client)])
}
