/**
 * The faults that a cluster has to pass, each as a script with what comes of it. Every history is judged as the random ones are
 * (simulation.test.ts): linearizable, each acknowledged change once, one leader a term, equal states, whole streams.
 */
import test, { type ExecutionContext } from 'ava'
import type { Step, Written } from '../../helpers/cluster/checkers/history.js'
import type { Action, Place, Script } from '../../helpers/cluster/script.js'
import { type Outcome, play } from '../../helpers/cluster/simulation.js'

const CALM = { lost: 0, doubled: 0, stuck: 0, slow: 0, refused: 0 }

/** An action and how long after the one before it. Node 0 leads at first. */
type Act = Action extends infer A ? (A extends { afterMs: number } ? Omit<A, 'afterMs'> : never) : never
const after = (afterMs: number, action: Act): Action => ({ ...action, afterMs }) as Action
const call = (at: Place, ...steps: Step[]): Act => ({ do: 'call', at, steps })
const add = (by: number): Step => ({ do: 'increment', key: 'c0', by })
const set = (value: number, key = 'r0'): Step => ({ do: 'set', key, value })
const stop = (at: Place, forMs: number): Act => ({ do: 'stop', at, forMs })
const crash = (at: Place, forMs: number): Act => ({ do: 'crash', at, forMs })
const isolate = (at: Place, forMs: number): Act => ({ do: 'isolate', at, forMs })
const compact = (at: Place): Act => ({ do: 'other', at, method: 'compact' })
/** Its next append never arrives. */
const lost = (at: Place): Act => ({ do: 'fault', at, what: 'append', fault: 'lost', count: 1 })
const sample = (at: Place): Act => ({ do: 'sample', at })

async function passes(t: ExecutionContext, actions: Action[], over: Partial<Script> = {}): Promise<Outcome> {
  const script = { seed: 1, nodes: 3, maxSize: 1_000, snapshotBytes: 1e9, rates: CALM, actions, ...over }
  const outcome = await play(script)
  t.deepEqual(outcome.violations, [])
  return outcome
}

const results = ({ calls }: Outcome) => calls.map(({ results }) => results?.[0])
const terms = (log: readonly Written[]) =>
  log.filter(({ kind }) => kind === 'term').map(({ epoch, node }) => `${epoch} ${node[3]}`)

// ── a leader that is stopped ──

test('a leader that was stopped past the election takes back what it had not in the log; its calls are answered once', async (t) => {
  const outcome = await passes(t, [
    after(500, call(0, add(1))),
    after(100, lost(0)),
    after(0, call(0, add(2))),
    after(0, stop(0, 4_000)),
    after(3_000, call(1, add(4))),
    after(2_100, sample(0)),
  ])
  t.deepEqual(results(outcome), [1, 7, 5])
  t.is(terms(outcome.log).length, 2)
})

// ── terms ──

test('of two candidates one leads, and the other follows: its late record is refused', async (t) => {
  const { log, calls } = await passes(t, [
    after(500, call(1, add(1))),
    after(0, { do: 'fault', at: 1, what: 'append', fault: 'late', count: 1, byMs: 3_000 }),
    after(0, { do: 'fault', at: 2, what: 'append', fault: 'late', count: 1, byMs: 1_000 }),
    after(100, crash(0, 6_000)),
    after(50, call(1, add(2))),
    after(0, call(2, add(4))),
  ])
  t.deepEqual(terms(log), ['1 0', '2 2'])
  t.true(calls.every(({ results }) => results !== undefined))
})

test('a node that is deposed and elected again does not hear late acknowledgements of its first term', async (t) => {
  const outcome = await passes(
    t,
    [
      after(500, { do: 'fault', at: 0, what: 'append', fault: 'answered late', count: 1, byMs: 4_800 }),
      after(0, call(0, add(1))),
      after(2_500, call(0, add(2))),
      after(300, crash(1, 10_000)),
      after(1_500, { do: 'fault', at: 0, what: 'append', fault: 'lost', count: 1 }),
      after(0, call(0, add(4))),
    ],
    { nodes: 2 },
  )
  t.deepEqual(terms(outcome.log).slice(0, 3), ['1 0', '2 1', '3 0'])
  t.deepEqual(results(outcome), [1, 3, 7])
})

// ── appends ──

for (const [what, fault, byMs] of [
  ['is stored, and times out', 'unanswered', undefined],
  ['is stored after its leader has given up', 'late', 5_500],
  ['is stored late, behind the record of the next term', 'late', 2_500],
  ['is never stored', 'lost', undefined],
  ['arrives twice', 'doubled', undefined],
  ['is refused', 'refused', undefined],
] as const) {
  test(`an append that ${what}: its commands take effect once`, async (t) => {
    const outcome = await passes(t, [
      after(500, call(0, add(1))),
      after(100, { do: 'fault', at: 0, what: 'append', fault, count: 1, ...(byMs && { byMs }) }),
      after(0, call(0, add(2))),
      after(0, call(1, add(4))),
      after(10, call(0, add(8), set(16))),
      after(7_000, call(2, add(32))),
    ])
    t.true(outcome.calls.every(({ results }) => results !== undefined))
    t.is(results(outcome).at(-1), 47)
  })
}

// ── answers ──

test('the leader dies between the commit and its answer: the next one gives the same answer', async (t) => {
  const outcome = await passes(t, [
    after(500, call(1, add(1))),
    after(6, isolate(1, 1_000)),
    after(300, crash(0, 5_000)),
    after(2_500, call(2, add(2))),
  ])
  t.deepEqual(results(outcome), [1, 3])
  const [first] = outcome.log.filter(({ events }) => events.length > 0)
  t.is(first?.epoch, 1, 'the change was in the log before the leader died')
})

test('a leader that a snapshot has brought gives the answers that are in it', async (t) => {
  const outcome = await passes(t, [
    after(500, call(1, add(1))),
    after(6, isolate(1, 3_000)),
    after(50, compact(0)),
    after(300, crash(2, 50)), // the node that comes in its place leads next
    after(600, lost(1)),
    after(0, crash(0, 8_000)),
    after(6_000, call(2, add(2))),
  ])
  t.deepEqual(results(outcome), [1, 3])
  t.deepEqual(terms(outcome.log), ['1 0', '2 3'])
})

test('a change whose answer may have been forgotten is not made again', async (t) => {
  const outcome = await passes(
    t,
    [
      after(500, call(1, add(1))),
      after(6, stop(1, 700_000)),
      after(690_000, call(0, add(2))),
      after(20_000, call(1, add(4))),
    ],
    { nodes: 2 },
  )
  t.deepEqual(results(outcome).slice(1), [3, 7])
})

// ── snapshots ──

test('a node behind a trim forgets everything, reads the snapshot, and tells one resynced change', async (t) => {
  const writes = (from: number) =>
    Array.from({ length: 5 }, (_, at) => after(20, call(0, set(from + at), add(from + 50 + at))))
  const { streams, calls } = await passes(t, [
    after(500, call(2, set(1))),
    after(100, { do: 'cut', at: 2, forMs: 3_000 }),
    ...writes(100),
    after(100, compact(1)),
    ...writes(200),
    after(100, compact(1)),
    ...writes(300),
    after(4_000, call(2, set(2))),
    after(0, call(2, { do: 'get', key: 'r0' })),
  ])
  const resynced = streams.map(({ items }) => items.filter(({ type }) => type === 'resynced').length)
  t.deepEqual(resynced, [0, 0, 1, 0])
  t.deepEqual(calls.at(-1)?.results, [2])
})

for (const [what, faults] of [
  ['before its object is there', ['write']],
  ['after its object, before the pointer', ['point']],
  ['after the pointer, before the trim', ['trim']],
  ['after the trim', []],
] as const) {
  test(`a node that crashes ${what} leaves a snapshot and the log behind it: a new node has everything`, async (t) => {
    const { calls } = await passes(t, [
      after(500, call(0, set(1), add(2))),
      after(100, compact(1)),
      after(300, call(0, set(3), add(4))),
      after(100, compact(1)),
      after(300, call(0, set(5), add(6))),
      ...faults.map((fault) => after(0, { do: 'fault', at: 1, what: fault, fault: 'lost', count: 1 })),
      after(0, compact(1)),
      after(500, crash(1, 100)),
      after(500, crash(2, 100)),
      after(500, crash(0, 100)),
      after(3_000, call(1, { do: 'get', key: 'r0' }, { do: 'get', key: 'c0' })),
    ])
    t.deepEqual(calls.at(-1)?.results, [5, 12])
  })
}

test('two nodes that compact at once leave one snapshot that counts', async (t) => {
  const { calls } = await passes(t, [
    after(500, call(0, set(1), add(2))),
    after(100, compact(1)),
    after(0, compact(2)),
    after(0, compact(0)),
    after(500, call(0, set(3), add(4))),
    after(100, compact(2)),
    after(0, compact(1)),
    after(500, crash(2, 100)),
    after(2_000, call(2, { do: 'get', key: 'r0' }, { do: 'get', key: 'c0' })),
  ])
  t.deepEqual(calls.at(-1)?.results, [3, 6])
})

// ── clocks ──

test('clocks 20 s apart: an entry expires by the clock of the leader that says so, never early, and no time goes back', async (t) => {
  const mortal = (value: number): Step => ({ do: 'set', key: 't0', value, ttlMs: 2_000 })
  const { log } = await passes(t, [
    after(500, { do: 'skew', at: 0, ms: 10_000 }),
    after(0, { do: 'skew', at: 1, ms: -10_000 }),
    after(0, { do: 'skew', at: 2, ms: -10_000 }),
    after(100, call(1, mortal(1))),
    after(500, sample(2)),
    after(0, crash(0, 40_000)),
    after(2_500, call(2, mortal(2))),
    after(100, sample(1)),
    after(25_000, call(1, { do: 'get', key: 'r0' })),
  ])
  const expired = log.flatMap(({ events }) => events.filter(({ type }) => type === 'expired'))
  t.is(expired.length, 1)
  t.is(terms(log).length, 2)
})

// ── what is taken back ──

const FULL = [1, 2, 3].map((value) => after(10, call(0, set(value, `r${value - 1}`))))
for (const [what, act] of [
  ['a clear', call(0, { do: 'clear' })],
  ['a transaction', call(0, set(10), add(20), { do: 'delete', key: 'r1' })],
  ['an eviction', call(0, set(10, 'r3'))],
  ['an expiry', { do: 'other', at: 0, method: 'cleanup' }],
  ['a new deadline', { do: 'other', at: 0, method: 'touch', key: 't0', ttlMs: 60_000 }],
  ['a use', { do: 'other', at: 0, method: 'use', key: 'r0' }],
  ['a change of limits', { do: 'other', at: 0, method: 'resize', maxSize: 2 }],
] as const satisfies [string, Act][]) {
  test(`${what} that is taken back was never done`, async (t) => {
    const { log } = await passes(
      t,
      [
        after(500, call(0, { do: 'set', key: 't0', value: 9, ttlMs: 1_000 })),
        ...FULL,
        after(900, lost(0)),
        after(0, act),
        after(0, stop(0, 3_000)),
        after(2_000, call(1, add(30))),
        after(1_100, sample(0)),
        after(3_000, sample(0)),
        after(500, call(0, add(40))),
      ],
      { maxSize: 4 },
    )
    t.is(
      log.filter(({ epoch }) => epoch === 1).flatMap(({ events }) => events).length,
      4,
      'nothing of it is in the log',
    )
    t.is(terms(log).length, 2)
  })
}

// ── a flood ──

test('20,000 calls that wait on a follower while the leader changes are answered in order, and asked again without a storm', async (t) => {
  const count = 20_000
  const calls = Array.from({ length: count }, (_, at) => after(0, call(1, add(at + 1))))
  const outcome = await passes(t, [after(500, call(1, set(0))), ...calls, after(20, crash(0, 3_000))])
  const sums = Array.from({ length: count }, (_, at) => ((at + 1) * (at + 2)) / 2)
  t.deepEqual(results(outcome).slice(1), sums)
  t.true((outcome.sent.get(`${outcome.calls[0]?.client} request`) ?? 0) < 1_000)
})
