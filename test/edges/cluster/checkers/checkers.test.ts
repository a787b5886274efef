/** Each checker of a cluster's history refuses the histories that break its promise, and accepts the sound one that they differ from. */
import test from 'ava'
import type { Call, LoggedEvent, Sample, Step, Stream, Written } from '../../../helpers/cluster/checkers/history.js'
import { violations } from '../../../helpers/cluster/checkers/judge.js'
import { notLoaded } from '../../../helpers/cluster/checkers/loads.js'
import { notOnce } from '../../../helpers/cluster/checkers/once.js'
import { impossibleEvents } from '../../../helpers/cluster/checkers/replay.js'
import { differentStates } from '../../../helpers/cluster/checkers/states.js'
import { brokenStreams } from '../../../helpers/cluster/checkers/streams.js'
import { brokenTerms } from '../../../helpers/cluster/checkers/terms.js'

const NEVER = Number.POSITIVE_INFINITY
const set = (key: string, value: number, expiresAtMs = NEVER): LoggedEvent => ({ type: 'set', key, value, expiresAtMs })
const removed = (type: 'deleted' | 'expired' | 'evicted', key: string): LoggedEvent => ({ type, key })
const record = (position: number, over: Partial<Written>): Written => ({
  position,
  kind: 'frame',
  epoch: 1,
  node: 'a',
  isVoid: false,
  firstSequence: 1,
  timeMs: position * 10,
  events: [],
  notes: [],
  ...over,
})

/** Sound: two terms, a counter `n`, a register `r`, an entry with a deadline, and a frame without events. */
const LOG: readonly Written[] = [
  record(1, { kind: 'begin', epoch: 0 }),
  record(2, { kind: 'term' }),
  record(3, { events: [set('r', 11), set('n', 12)] }),
  record(4, { firstSequence: 3, events: [set('n', 25), set('t', 14, 45)] }),
  record(5, { firstSequence: 5 }),
  record(6, { kind: 'term', epoch: 2, node: 'b' }),
  record(7, { epoch: 2, node: 'b', firstSequence: 5, events: [removed('expired', 't'), removed('deleted', 'r')] }),
  record(8, { kind: 'resign', epoch: 2, node: 'b' }),
]
const logWith = (position: number, over: Partial<Written>) =>
  LOG.map((one) => (one.position === position ? { ...one, ...over } : one))

const COUNTERS = new Set(['n'])
const call = (client: string, steps: Step[], results?: unknown[], logAtReturn?: number): Call => ({
  client,
  steps,
  invokedAt: 0,
  returnedAt: results === undefined ? NEVER : 1,
  ...(results && { results }),
  ...(logAtReturn !== undefined && { logAtReturn }),
})
const setR: Step = { do: 'set', key: 'r', value: 11 }
const add12: Step = { do: 'increment', key: 'n', by: 12 }
const add13: Step = { do: 'increment', key: 'n', by: 13 }
const setT: Step = { do: 'set', key: 't', value: 14 }
const CALLS: readonly Call[] = [
  call('x', [setR, add12], [true, 12], 3),
  call('y', [add13], [25], 4),
  call('y', [setT]),
  call('y', [{ do: 'set', key: 'u', value: 15, only: 'present' }], [false], 4),
  call('z', [{ do: 'increment', key: 'n', by: 99 }]),
]
const onceWith = (at: number, other: Call) => notOnce(CALLS.with(at, other), LOG, COUNTERS)

const STREAM: Stream = {
  node: 'c',
  after: 2,
  items: [
    { type: 'set', sequence: 3, key: 'n', value: 25 },
    { type: 'set', sequence: 4, key: 't', value: 14, expiresAtMs: 45 },
    { type: 'expired', sequence: 5, key: 't' },
    { type: 'deleted', sequence: 6, key: 'r' },
  ],
}
const streamOf = (...items: Stream['items']) => brokenStreams([{ ...STREAM, items }], LOG)
const [third, fourth, fifth, sixth] = STREAM.items as [
  Stream['items'][0],
  Stream['items'][0],
  Stream['items'][0],
  Stream['items'][0],
]

const sample = (sequence: number, nowMs: number, entries: Record<string, number>): Sample => ({
  node: 'c',
  position: LOG.findLast(({ kind, firstSequence }) => kind === 'frame' && firstSequence <= sequence)?.position ?? 0,
  sequence,
  nowMs,
  entries: new Map(Object.entries(entries)),
})
const SAMPLES = [
  sample(2, 0, { r: 11, n: 12 }),
  sample(4, 40, { r: 11, n: 25, t: 14 }),
  sample(4, 45, { r: 11, n: 25 }),
]

test('a sound history is accepted', (t) => {
  t.deepEqual(violations({ calls: CALLS, log: LOG, counters: COUNTERS, streams: [STREAM], samples: SAMPLES }), [])
  t.deepEqual(brokenTerms(LOG), [])
  t.deepEqual(impossibleEvents(LOG), [])
  t.deepEqual(notOnce(CALLS, LOG, COUNTERS), [])
  t.deepEqual(brokenStreams([STREAM], LOG), [])
  t.deepEqual(differentStates(SAMPLES, LOG), [])
})

/** A stale window and tags; and a file that replaces everything. */
const LIFE: LoggedEvent = {
  type: 'set',
  key: 's',
  value: 31,
  expiresAtMs: 90,
  extension: { freshUntilMs: 40, tags: ['x', 'y'] },
}
const FILE: LoggedEvent = {
  type: 'loaded',
  file: 'f',
  checksum: 0,
  entries: 1,
  rows: [['r', { value: 41, expiresAtMs: NEVER }]],
}
const LONGER = [
  ...LOG.slice(0, 3),
  record(4, { firstSequence: 3, events: [LIFE] }),
  record(5, { firstSequence: 4, events: [{ type: 'rescheduled', key: 's', expiresAtMs: 90, freshUntilMs: 30 }] }),
  record(6, { firstSequence: 5, events: [FILE] }),
]
const sampleOf = (sequence: number, nowMs: number, over: Partial<Sample>): string[] =>
  differentStates([{ ...sample(sequence, nowMs, { r: 11, n: 12 }), position: sequence + 1, ...over }], LONGER)
const BOTH = new Map<string, unknown>([
  ['r', 11],
  ['n', 12],
])
const NO_S = new Map<string, unknown>([...BOTH, ['s', undefined]])
const ALL = new Map<string, unknown>([...BOTH, ['s', 31]])
const load41: Step = { do: 'load', rows: { r: 41 } }
const onceOf = (...last: Call[]) => notOnce([CALLS[0] as Call, ...last], LONGER, COUNTERS)
const [ofS] = [{ type: 'set', sequence: 3, key: 's', value: 31, expiresAtMs: 90, freshUntilMs: 40, tags: ['x', 'y'] }]
const toldOf = (over: Partial<Stream['items'][0]>) =>
  brokenStreams([{ node: 'c', after: 2, items: [{ ...(ofS as Stream['items'][0]), ...over }] }], LONGER)

/** The value 51 of the key `l` is loaded in term 1, and there from record 4 to record 6. */
const LOADED = new Map([
  [51, { key: 'l', epoch: 1 }],
  [52, { key: 'm', epoch: 1 }],
])
const LOADS = [
  ...LOG.slice(0, 3),
  record(4, { firstSequence: 3, events: [set('l', 51)] }),
  record(5, { firstSequence: 4 }),
  record(6, { firstSequence: 4, events: [FILE] }),
]
const loadOf = (logAtCall: number, logAtReturn: number, value = 51) =>
  notLoaded([{ client: 'x', key: 'l', logAtCall, logAtReturn, value }], LOADS, LOADED)

test('sound histories with stale entries, tags, files and loaders are accepted', (t) => {
  t.deepEqual(impossibleEvents(LONGER), [])
  t.deepEqual(sampleOf(3, 39, { entries: ALL, evenStale: ALL, tags: new Map([['s', ['y', 'x']]]) }), [])
  t.deepEqual(sampleOf(3, 40, { entries: BOTH, evenStale: ALL }), [])
  t.deepEqual(sampleOf(3, 90, { entries: BOTH, evenStale: NO_S }), [])
  t.deepEqual(sampleOf(3, 10, { latestMs: 90, entries: BOTH, evenStale: NO_S }), [])
  t.deepEqual(sampleOf(5, 0, { entries: new Map([['r', 41]]), evenStale: new Map([['r', 41]]) }), [])
  t.deepEqual(onceOf(call('z', [load41], [true], 6), call('z', [{ do: 'set', key: 's', value: 31 }])), [])
  t.deepEqual(toldOf({}), [])
  t.deepEqual([...loadOf(3, 4), ...loadOf(5, 9), ...loadOf(3, NEVER)], [])
  t.deepEqual(notLoaded([{ client: 'x', key: 'm', logAtCall: 3, value: 52, logAtReturn: 4 }], LOADS, LOADED), [])
})

const REFUSED: Record<string, { found: string[]; as: RegExp }> = {
  'a stale entry that is shown as a fresh one': {
    found: sampleOf(3, 45, { entries: ALL, evenStale: ALL }),
    as: /shows s 5 ms too long/,
  },
  'an expired entry that is shown to who accepts it stale': {
    found: sampleOf(3, 91, { entries: BOTH, evenStale: ALL }),
    as: /shows s 1 ms too long/,
  },
  'a stale entry that is missing': {
    found: sampleOf(3, 45, { entries: BOTH, evenStale: NO_S }),
    as: /lacks s for who/,
  },
  'a fresh time that is not that of the log': {
    found: sampleOf(4, 35, { entries: ALL, evenStale: ALL }),
    as: /shows s 5 ms too long/,
  },
  'other tags than in the log': {
    found: sampleOf(3, 0, { entries: ALL, tags: new Map([['s', ['x']]]) }),
    as: /s has the tags x, and x,y in the log/,
  },
  'an entry that is there after a file was loaded': {
    found: sampleOf(5, 0, { entries: ALL }),
    as: /has n, which the log has not/,
  },
  'a loaded entry with another value': { found: sampleOf(5, 0, { entries: BOTH }), as: /r is 11, and 41 in the log/ },
  'a stream without a tag': { found: toldOf({ tags: ['x'] }), as: /3 is .* and was told as/ },
  'a stream with another fresh time': { found: toldOf({ freshUntilMs: 41 }), as: /3 is .* and was told as/ },
  'a file that was loaded, and is not in the log': {
    found: onceOf(call('z', [{ do: 'load', rows: { r: 42 } }], [true], 6)),
    as: /load 42 was acknowledged, and is not in the log/,
  },
  'a file that was not loaded, and is in the log': {
    found: onceOf(call('z', [load41], [false], 6)),
    as: /load 41 was refused, and is in the log/,
  },
  'a file in the log twice': {
    found: notOnce([call('z', [load41])], [...LONGER, record(7, { firstSequence: 6, events: [FILE] })], COUNTERS),
    as: /41 is in the log twice: 6 and 7/,
  },
  'a getOrSet that returns what was gone before it': { found: loadOf(6, 9), as: /which was there until 6/ },
  'a getOrSet that returns what is stored later': { found: loadOf(2, 3), as: /which is at 4, when the log ended at 3/ },
  'a getOrSet that returns what nobody has loaded': { found: loadOf(3, 4, 53), as: /no loader of that key/ },
  'a getOrSet that returns what was loaded for another key': { found: loadOf(3, 4, 52), as: /no loader of that key/ },
  'a loaded value that is stored twice': {
    found: notLoaded([], [...LOADS, record(7, { firstSequence: 5, events: [set('l', 51)] })], LOADED),
    as: /51, which was loaded once, is in the log twice/,
  },
  'a loaded value that is stored under another key': {
    found: notLoaded([], [...LOADS, record(7, { firstSequence: 5, events: [set('l', 52)] })], LOADED),
    as: /52 was loaded for another key than l/,
  },
  'a loaded value that the next leader stores': {
    found: notLoaded([], [...LOADS, record(7, { epoch: 2, firstSequence: 5, events: [set('m', 52)] })], LOADED),
    as: /52 was loaded in term 1, and stored in term 2/,
  },

  'a frame of a leader whose term is over': {
    found: brokenTerms(logWith(7, { epoch: 1, node: 'a' })),
    as: /a writes in term 1, during term 2 of b/,
  },
  'a frame of another node in the term': {
    found: brokenTerms(logWith(5, { node: 'b' })),
    as: /b writes in term 1, during term 1 of a/,
  },
  'the same term twice': { found: brokenTerms(logWith(6, { epoch: 1 })), as: /term 1 of b begins after term 1 of a/ },
  'an older term': { found: brokenTerms(logWith(6, { epoch: 0 })), as: /term 0 of b begins after term 1 of a/ },
  'a frame after the leader has resigned': {
    found: brokenTerms([...LOG, record(9, { epoch: 2, node: 'b' })]),
    as: /b writes in term 2, which it has ended/,
  },
  'a frame before any term': {
    found: brokenTerms(LOG.toSpliced(1, 1).map((one, at) => ({ ...one, position: at + 1 }))),
    as: /during term undefined/,
  },
  'a position that is missing': { found: brokenTerms(LOG.toSpliced(4, 1)), as: /record 6: is behind record 4/ },
  'a log that begins twice': { found: brokenTerms(logWith(5, { kind: 'begin' })), as: /begins a second time/ },

  'a hole in the sequences': {
    found: impossibleEvents(logWith(7, { firstSequence: 6 })),
    as: /sequence 6 instead of 5/,
  },
  'a sequence given twice': {
    found: impossibleEvents(logWith(7, { firstSequence: 4 })),
    as: /sequence 4 instead of 5/,
  },
  'an entry that expires early by the clock of its leader': {
    found: impossibleEvents(logWith(4, { events: [set('n', 25), set('t', 14, 75)] })),
    as: /expired t 5 ms early/,
  },
  'time that goes back': { found: impossibleEvents(logWith(7, { timeMs: 49 })), as: /was written at 49, before/ },
  'a removal of what is not there': {
    found: impossibleEvents(logWith(3, { events: [set('s', 11), set('n', 12)] })),
    as: /deleted r, which was not there/,
  },

  'an acknowledged set that is not in the log': {
    found: onceWith(0, call('x', [{ ...setR, value: 16 }], [true])),
    as: /set 16 was acknowledged, and is not in the log/,
  },
  'an acknowledged increment that is not in the log': {
    found: onceWith(4, call('z', [{ do: 'increment', key: 'n', by: 99 }], [124])),
    as: /increment 99 was acknowledged, and is not/,
  },
  'an increment with another result than the one in the log': {
    found: onceWith(1, call('y', [add13], [13])),
    as: /increment 13 was answered 13, and is 25 in the log/,
  },
  'a change that nobody asked for': { found: onceWith(1, call('y', [])), as: /13 is in the log, and nobody asked/ },
  'a set in the log twice': {
    found: notOnce(CALLS, [...LOG, record(9, { firstSequence: 7, events: [set('r', 11)] })], COUNTERS),
    as: /11 is in the log twice: 3 and 9/,
  },
  'an increment in the log twice': {
    found: notOnce(CALLS, [...LOG, record(9, { firstSequence: 7, events: [set('n', 38)] })], COUNTERS),
    as: /13 is in the log twice: 4 and 9/,
  },
  'a refused change that is in the log': {
    found: onceWith(2, call('y', [{ ...setT, only: 'absent' }], [false])),
    as: /set 14 was refused, and is in the log/,
  },
  'an answer before its change is in the log': {
    found: onceWith(1, call('y', [add13], [25], 3)),
    as: /increment 13 was acknowledged when the log ended at 3, and is at 4/,
  },
  'half a transaction': {
    found: onceWith(0, call('x', [setR, add12, { do: 'increment', key: 'n', by: 17 }])),
    as: /the steps of one call are apart: in records 3, /,
  },
  'a transaction in two records': {
    found: notOnce([call('x', [setR, add12, add13]), ...CALLS.slice(2)], LOG, COUNTERS),
    as: /the steps of one call are apart: in records 3, 4/,
  },
  'the changes of a client the other way round': {
    found: notOnce([...CALLS.slice(1, 2), call('y', [setR, add12], [true, 12]), ...CALLS.slice(2)], LOG, COUNTERS),
    as: /y: 11 \(sequence 1\) took effect before 13 \(3\)/,
  },
  'a numbered command in the log twice': {
    found: notOnce(
      CALLS,
      [3, 5].reduce<readonly Written[]>(
        (log, at) =>
          log.map((one) =>
            one.position === at
              ? { ...one, notes: [{ type: 'answered', client: 'c', number: 4, received: 0, answer: true }] }
              : one,
          ),
        LOG,
      ),
      COUNTERS,
    ),
    as: /command 4 of c took effect twice: in records 3 and 5/,
  },

  'a hole in changes$': { found: streamOf(third, fifth), as: /5 was told after 3/ },
  'a change that is told twice': { found: streamOf(third, third), as: /3 was told after 3/ },
  'a stream that begins late': { found: streamOf(fourth), as: /4 was told after 2/ },
  'changes in another order': { found: streamOf(fourth, third), as: /4 was told after 2/ },
  'a change that is not in the log': {
    found: streamOf(third, fourth, fifth, sixth, { ...sixth, sequence: 7 }),
    as: /7 \(deleted\) was told, and is not/,
  },
  'another change than in the log': {
    found: streamOf({ ...third, value: 13 }),
    as: /3 is .* in the log, and was told as/,
  },
  'another deadline than in the log': {
    found: streamOf(third, { ...fourth, expiresAtMs: 46 }),
    as: /4 is .* and was told as/,
  },
  'a gap after what was resynced': {
    found: streamOf({ type: 'resynced', sequence: 4 }, sixth),
    as: /6 was told after 4/,
  },
  'a stream that is resynced backwards': {
    found: streamOf(third, fourth, { type: 'resynced', sequence: 3 }, fourth),
    as: /resynced to 3 after 4/,
  },

  'an entry with another value': {
    found: differentStates([sample(2, 0, { r: 11, n: 13 })], LOG),
    as: /n is 13, and 12/,
  },
  'an entry that is missing': { found: differentStates([sample(2, 0, { n: 12 })], LOG), as: /at sequence 2: lacks r/ },
  'an entry that expires early': { found: differentStates([sample(4, 44, { r: 11, n: 25 })], LOG), as: /lacks t/ },
  'an entry of a later sequence': {
    found: differentStates([sample(1, 0, { r: 11, n: 12 })], LOG),
    as: /has n, which the log has not/,
  },
}

for (const [what, { found, as }] of Object.entries(REFUSED))
  test(`refused: ${what}`, (t) => t.regex(found.join('\n'), as))

test('what a deposed leader wrote counts for nothing, and only that', (t) => {
  const late = { kind: 'frame', epoch: 1, node: 'a', isVoid: true } as const
  t.deepEqual(brokenTerms([...LOG, record(9, late)]), [])
  t.regex(
    brokenTerms(logWith(5, { isVoid: true })).join('\n'),
    /counts for nothing, although term 1 of a had not ended/,
  )
})

test('a stream may leave out what was resynced', (t) => {
  t.deepEqual(streamOf(third, { type: 'resynced', sequence: 5 }, sixth), [])
})
