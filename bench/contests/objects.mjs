/**
 * Objects, by how caller and cache share them: as copies beside those that clone, and `'share'` and `'freeze'` beside those that
 * keep a reference. Neither daybook nor lru-cache is in a case twice: two instances of one class would share its inline caches.
 */
import { CALLS_MOST, contest, SHIFTS } from '../harness/contest.mjs'
import { inArrays, inShapes, JSON_LIKE, ROW_KINDS, SHAPES } from '../harness/objects.mjs'
import { scaled } from '../harness/smoke.mjs'
import { accesses, fewer, keysOf, valuesOf } from '../harness/workload.mjs'
import { CLONING, IN_MEMORY, OWN, PROMISED, STORES } from '../peers/peers.mjs'

const [, share, copy, freeze] = OWN
const GROUPS = {
  'as copies': [copy, ...CLONING.slice(0, 1)],
  'as copies, all': [copy, ...CLONING, ...PROMISED, ...STORES],
  frozen: [freeze, ...IN_MEMORY],
  'frozen, lru-cache': [freeze, ...IN_MEMORY.slice(0, 1)],
  'by reference': [share, ...IN_MEMORY],
  'by reference, lru-cache': [share, ...IN_MEMORY.slice(0, 1)],
}
const ENTRIES = 10_000

/** A first read after each `set`, which has to decode the object. */
const NAMES = { setGet: 'set and get' }

const ALL_SHAPES = SHAPES.at(-1)
const both = (group, kind) => ['get', 'set'].map((call) => ({ call, group, kind }))
/** The object that JSON can hold comes in all arrangements, the others in one and in many shapes. */
const arrangements = (kind) =>
  kind === JSON_LIKE
    ? [...SHAPES.map((shapes) => inShapes(kind, shapes)), inArrays(kind)]
    : [kind, inShapes(kind, ALL_SHAPES), inArrays(kind)]

export const objects = {
  name: 'objects',
  title: 'objects',
  cases: ({ isQuick }) =>
    isQuick
      ? [
          ...[...ROW_KINDS, inShapes(JSON_LIKE, ALL_SHAPES)].flatMap((kind) => both('as copies', kind)),
          { call: 'get', group: 'frozen, lru-cache', kind: JSON_LIKE },
          { call: 'get', group: 'by reference, lru-cache', kind: JSON_LIKE },
        ]
      : [
          ...ROW_KINDS.flatMap(arrangements).flatMap((kind) =>
            both(kind === JSON_LIKE ? 'as copies, all' : 'as copies', kind),
          ),
          { call: 'setGet', group: 'as copies', kind: JSON_LIKE },
          ...both('frozen', JSON_LIKE),
          ...both('by reference', JSON_LIKE),
        ],
  async run({ call, group, kind }, { rounds, isQuick, directory }) {
    const entries = fewer(kind, scaled(ENTRIES) * 5)
    // A reference is handed out in nanoseconds, and a round must take some milliseconds.
    const isReference = call === 'get' && !group.startsWith('as copies')
    const perRound = isReference ? CALLS_MOST : Math.ceil(fewer(kind, CALLS_MOST) / (isQuick ? 4 : 1))
    return contest({
      about: {
        topic: 'objects',
        case: `${NAMES[call] ?? call}, ${group.split(',')[0]}`,
        keys: fewer(kind, ENTRIES * 5),
        kind,
      },
      peers: GROUPS[group],
      call,
      fill: { keys: keysOf(entries), values: valuesOf(kind, entries) },
      keys: accesses(Math.max(entries, perRound), entries),
      values: call === 'get' ? new Array(perRound + SHIFTS).fill(0) : valuesOf(kind, perRound + SHIFTS),
      size: entries,
      kind,
      rounds,
      directory,
    })
  },
}
