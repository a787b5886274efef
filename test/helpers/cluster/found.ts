/** Histories that the simulation has found to go wrong, shortened, each with what was wrong. */
import type { Script } from './script.js'

const CALM = { lost: 0, doubled: 0, stuck: 0, refused: 0 }
const ROOMY = { maxSize: 1_000, snapshotBytes: 1e9, rates: CALM }

/** By what is right since. */
export const FOUND: Readonly<Record<string, Script>> = {
  // A frame of node 0 landed in the place of one of the next leader, whose following frames landed behind that: a hole in the sequences.
  'a frame of an earlier leader that lands in a term ends that term': {
    seed: 261,
    nodes: 4,
    ...ROOMY,
    actions: [
      { afterMs: 0, do: 'isolate', at: 'leader', forMs: 300 },
      {
        afterMs: 200,
        do: 'call',
        at: 2,
        steps: [
          { do: 'increment', key: 'c1', by: 2 },
          { do: 'increment', key: 'c0', by: 3 },
          { do: 'get', key: 'r2' },
        ],
      },
      { afterMs: 410, do: 'call', at: 'leader', steps: [{ do: 'set', key: 't2', value: 8, ttlMs: 1000 }] },
      { afterMs: 0, do: 'call', at: 1, steps: [{ do: 'increment', key: 'c0', by: 9 }] },
      { afterMs: 1, do: 'call', at: 'leader', steps: [{ do: 'set', key: 'r0', value: 10 }] },
      { afterMs: 0, do: 'call', at: 'leader', steps: [{ do: 'clear' }] },
      { afterMs: 410, do: 'call', at: 2, steps: [{ do: 'get', key: 'r1' }] },
      { afterMs: 0, do: 'call', at: 0, steps: [{ do: 'increment', key: 'c0', by: 13 }] },
      { afterMs: 10, do: 'crash', at: 0, forMs: 4000 },
    ],
  },
  // The set that had been refused was decided anew by the next leader, after the transaction that its client had sent later.
  'a command that changed nothing is not decided anew behind a later change of its client': {
    seed: 106,
    nodes: 2,
    ...ROOMY,
    actions: [
      { afterMs: 471, do: 'fault', at: 'leader', what: 'append', fault: 'unanswered', count: 1 },
      { afterMs: 1, do: 'call', at: 1, steps: [{ do: 'set', key: 'r0', value: 3, only: 'present' }] },
      {
        afterMs: 1252,
        do: 'call',
        at: 1,
        steps: [
          { do: 'set', key: 'r1', value: 12 },
          { do: 'set', key: 'r0', value: 13 },
          { do: 'get', key: 'c1' },
        ],
      },
    ],
  },
  // It was forgotten when it had said goodbye, before it had the answers to what it had asked last, which it then asked again.
  'a client that has said goodbye is not forgotten before it has its answers': {
    seed: 215,
    nodes: 3,
    ...ROOMY,
    actions: [
      { afterMs: 500, do: 'fault', at: 'leader', what: 'request', fault: 'lost', count: 1 },
      { afterMs: 0, do: 'call', at: 1, steps: [{ do: 'increment', key: 'c1', by: 38 }] },
      { afterMs: 0, do: 'leave', at: 1, forMs: 5_000 },
      { afterMs: 4_000, do: 'call', at: 2, steps: [{ do: 'increment', key: 'c1', by: 5 }] },
    ],
  },
  // The frames that a leader had sent, and that were not in the log yet, did not keep its time from going back.
  'no frame is older than the one before it, though the clock of its leader is set back': {
    seed: 27,
    nodes: 2,
    ...ROOMY,
    actions: [
      { afterMs: 500, do: 'skew', at: 'leader', ms: 8_000 },
      { afterMs: 100, do: 'call', at: 'leader', steps: [{ do: 'increment', key: 'c0', by: 1 }] },
      { afterMs: 1, do: 'skew', at: 'leader', ms: -8_000 },
      { afterMs: 0, do: 'call', at: 'leader', steps: [{ do: 'increment', key: 'c0', by: 2 }] },
    ],
  },
  // The term's end noted that the client had left, which threw, so that nothing was taken back.
  'a leader that gives up takes back what it had not in the log, whoever has left meanwhile': {
    seed: 20,
    nodes: 4,
    ...ROOMY,
    actions: [
      { afterMs: 1060, do: 'leave', at: 1, forMs: 4000 },
      { afterMs: 0, do: 'fault', at: 'leader', what: 'append', fault: 'late', count: 3 },
      { afterMs: 0, do: 'call', at: 'leader', steps: [{ do: 'set', key: 'r2', value: 29 }] },
      {
        afterMs: 0,
        do: 'call',
        at: 2,
        steps: [
          { do: 'get', key: 'r2' },
          { do: 'set', key: 'r0', value: 35 },
        ],
      },
    ],
  },
  // Asked again, the next leader took for its own answer what the loader had returned to the leader before, and `clear` had overruled.
  'what a loader has returned to a leader that is gone is not stored by the next one': {
    seed: 1,
    nodes: 3,
    ...ROOMY,
    actions: [
      { afterMs: 500, do: 'getOrSet', at: 1, key: 'l0', loadMs: 2_000, ttlMs: 0, staleMs: 0, tags: [] },
      { afterMs: 800, do: 'call', at: 2, steps: [{ do: 'clear' }] },
      { afterMs: 200, do: 'crash', at: 0, forMs: 5_000 },
    ],
  },
  // The log was trimmed for the first time between two questions of a node that opened, which took it for one that has lost its beginning.
  'a node opens while the log is trimmed for the first time': {
    seed: 1,
    nodes: 2,
    ...ROOMY,
    actions: [
      { afterMs: 500, do: 'call', at: 0, steps: [{ do: 'set', key: 'r0', value: 1 }] },
      { afterMs: 0, do: 'crash', at: 1, forMs: 10 },
      { afterMs: 11, do: 'fault', at: 1, what: 'latest', fault: 'answered late', count: 1, byMs: 1_500 },
      { afterMs: 100, do: 'other', at: 0, method: 'compact' },
      { afterMs: 200, do: 'call', at: 0, steps: [{ do: 'set', key: 'r0', value: 2 }] },
      { afterMs: 200, do: 'other', at: 0, method: 'compact' },
    ],
  },
}
