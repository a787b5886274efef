/**
 * Messages that no client of ours sends. Arrays of arrays, 40 levels of them that share their parts, stand wherever a number, a name
 * or a text is expected: as a text they would have 2^40 parts, so nothing there may be made a text, a number or a key.
 */
import { serialize } from 'node:v8'
import test, { type ExecutionContext } from 'ava'
import { METHODS } from '../../../../src/cache/arguments/methods.js'
import { OP } from '../../../../src/edges/remote/wire/codes.js'
import { LOAD, type Part } from '../../../../src/edges/remote/wire/protocol.js'
import { STRUCTURED, WITH_ERRORS } from '../../../../src/edges/remote/wire/wire-value.js'
import { connectOver, serve } from '../../../helpers/edges/connected.js'
import { loopTurn } from '../../../helpers/loop-turn.js'
import { openMemory } from '../../../helpers/open-memory.js'

let shared: unknown[] = []
for (let level = 0; level < 40; level++) shared = [shared, shared]

const ID = 1_000_000
const step = (...conditions: unknown[]) => [ID, OP.transact, [[OP.set, ['k', 1], conditions]]]

const MESSAGES: Record<string, unknown> = {
  'the number of a batch': [shared, OP.get, 'k'],
  'an operation': [ID, shared],
  'a repetition': [ID, OP.get, 'k', -1, shared],
  'an operation of a step': [ID, OP.transact, [[shared, ['k', 1]]]],
  'the steps': [ID, OP.transact, shared],
  'a key': [ID, OP.get, shared],
  'the key of a condition': step([shared, true]),
  'whether it exists': step(['n', shared]),
  'a lower bound': step(['n', undefined, false, undefined, shared]),
  'an upper bound': step(['n', undefined, false, undefined, undefined, shared]),
  'something to compare': step(['n', undefined, true, shared]),
  'the name of an extra': [ID, OP.extra, shared, 1],
  'a kind of stream': [ID, OP.subscribe, 7, shared, undefined],
  'a subscription': [ID, OP.subscribe, shared, 'changes', undefined],
  'a ttl': [ID, OP.expire, 'n', shared],
  'an increment': [ID, OP.add, 'n', shared],
  'a pattern': [ID, OP.keys, shared],
  'the class of an error': [ID, OP.notLoaded, 1, [shared, shared, shared], 1],
  'the number of a lease': [ID, OP.loaded, 1, [], shared],
}

async function scene(t: ExecutionContext) {
  const { cache } = await openMemory(t)
  cache.set('n', 1)
  const [, hostile] = serve(cache, { isTakeable: false })
  let lease: unknown
  hostile.onMessage((parts) => {
    for (const part of parts as Part[]) if (part[0] === LOAD) lease = part[4]
  })
  const { client } = connectOver(cache, { isTakeable: false })
  return { cache, client, hostile, lease: () => lease }
}

for (const [what, message] of Object.entries(MESSAGES)) {
  test(`${what}: refused, and the owner and the other clients go on`, async (t) => {
    const { cache, client, hostile } = await scene(t)
    hostile.post(message)
    t.is(await client.increment('n'), 2)
    t.deepEqual(cache.keys(), ['n'])
  })
}

const ERRORS: Record<string, unknown[]> = {
  message: ['Error', shared, 'Error', undefined, {}, false],
  name: ['Error', 'm', shared, undefined, {}, false],
  class: [shared, 'm', 'Error', undefined, {}, false],
  'class of no error': ['constructor', 'm', 'Error', undefined, {}, false],
  code: ['CacheError', 'm', 'CacheError', shared, undefined, false],
  fields: ['Error', 'm', 'Error', undefined, { stack: shared, more: shared }, false],
  place: ['CorruptionError', 'm.', 'CorruptionError', 'CORRUPTION', { file: shared, offset: shared }, false],
  cause: ['Error', 'm', 'Error', undefined, {}, true, [undefined, { value: shared }]],
  'cause that is missing': ['Error', 'm', 'Error', undefined, {}, true, undefined],
  'nothing at all': [],
}

for (const [what, error] of Object.entries(ERRORS)) {
  test(`an error of a loader with such a ${what}: all who wait are refused, the owner goes on`, async (t) => {
    const { client, hostile, lease } = await scene(t)
    const load = [ID, OP.getOrSet, 'k', ...Array.from({ length: METHODS.getOrSet.options.length + 1 })]
    hostile.post(load)
    await loopTurn()
    await loopTurn()
    const waiting = client.getOrSet('k', () => 'never asked')
    await client.get('n')
    hostile.post([ID + 1, OP.notLoaded, ID, error, lease()])
    await t.throwsAsync(waiting)
    t.is(await client.getOrSet('k', () => 'loaded'), 'loaded')
  })
}

/** What a loader returned, as no client of daybook says it: [key, value, ttl in milliseconds, key, …]. */
const ROWS: Record<string, unknown> = {
  'no list': 5,
  nothing: undefined,
  'a ttl that is no number': ['k', 1, Number.NaN],
  'a negative ttl': ['k', 1, -1],
  'a ttl that is a text': ['k', 1, 'soon'],
  'a value that is none': ['k', [1, shared], undefined],
}

for (const [what, rows] of Object.entries(ROWS)) {
  test(`${what} from a loader: all who wait are refused, nothing is stored, the owner goes on`, async (t) => {
    const { client, hostile, lease } = await scene(t)
    hostile.post([ID, OP.getOrSet, 'k', ...Array.from({ length: METHODS.getOrSet.options.length + 1 })])
    await loopTurn()
    await loopTurn()
    const waiting = client.getOrSet('k', () => 'never asked')
    await client.get('n')
    hostile.post([ID + 1, OP.loaded, ID, rows, lease()])
    await t.throwsAsync(waiting)
    t.false(await client.has('k'))
    t.is(await client.getOrSet('k', () => 'loaded'), 'loaded')
  })
}

test('an error that contains itself as its cause is refused', async (t) => {
  const { client, hostile, lease } = await scene(t)
  const error: unknown[] = ['Error', 'm', 'Error', undefined, {}, true]
  error.push(error)
  hostile.post([ID, OP.getOrSet, 'k', ...Array.from({ length: METHODS.getOrSet.options.length + 1 })])
  await loopTurn()
  await loopTurn()
  const waiting = client.getOrSet('k', () => 'never asked')
  await client.get('n')
  hostile.post([ID + 1, OP.notLoaded, ID, error, lease()])
  await t.throwsAsync(waiting, { code: 'INTERNAL' })
})

test('what a loader throws reaches its caller, also if it is an array of shared parts or of itself', async (t) => {
  const { client } = await scene(t)
  const itself: unknown[] = []
  itself.push(itself)
  for (const thrown of [shared, itself]) {
    const caught: unknown = await client
      .getOrSet('k', () => {
        throw thrown
      })
      .catch((error: unknown) => error)
    t.true(Array.isArray(caught))
    t.is((caught as unknown[])[0] === caught, thrown === itself)
  }
})

test('conditions compare values of shared parts, each part once', async (t) => {
  const { client } = await scene(t)
  await client.set('shared', shared)
  t.deepEqual(await client.transact([{ type: 'require', key: 'shared', equals: structuredClone(shared) }]), [true])
  const other = [shared, [shared]]
  await t.throwsAsync(client.transact([{ type: 'require', key: 'shared', equals: other }]), {
    code: 'CONDITION_FAILED',
  })
})

test('deadlines, counts and values that are none are refused, and nothing is changed', async (t) => {
  const { cache, client, hostile } = await scene(t)
  const journaled = cache.stats().journal.sequence
  const none = Array.from({ length: 4 })
  const bytes = (...values: number[]) => [STRUCTURED, Uint8Array.from(values)]
  for (const message of [
    ...[Number.NaN, -1, Number.NEGATIVE_INFINITY, 1e300, 2n, '5 parsecs'].flatMap((odd) => [
      [ID, OP.expire, 'n', odd],
      [ID, OP.set, 'k', 1, odd, undefined, undefined],
      [ID, OP.add, 'n', odd === -1 ? Number.NaN : odd === 1e300 ? Infinity : odd],
    ]),
    [ID, OP.set, 'k', 1, undefined, Number.NaN, undefined],
    [ID, OP.set, 'k', 1, undefined, Number.NEGATIVE_INFINITY, undefined],
    [ID, OP.set, 'k', 1, undefined, undefined, 'sometimes'],
    [ID, OP.put, 'k', bytes(0xff, 0x0f, 0x6f, 0x22)],
    [ID, OP.put, 'k', bytes(0xff, 0x0f, 0x5f)],
    [ID, OP.put, 'k', bytes()],
    [ID, OP.put, 'k', undefined],
    [ID, OP.put, 'k', [STRUCTURED]],
    [ID, OP.put, 'k', [19, new Uint8Array(1)]],
    [ID, OP.put, 'k', { a: 1 }],
    [ID, OP.put, 'k', [STRUCTURED, new Uint8Array(serialize(undefined))]],
    ...[1, [], [1], [1, 2], [1, [{}]], [1, [{ error: {} }]]].map((pair) => [
      ID,
      OP.put,
      'k',
      [WITH_ERRORS, new Uint8Array(serialize(pair))],
    ]),
    [ID, OP.setMany, ['k', 1, 'lonely'], ...none],
    [ID, OP.setMany, 5, ...none],
    [
      ID,
      OP.transact,
      [
        [OP.set, ['k', 1]],
        [OP.set, [5, 1]],
      ],
    ],
    [ID, OP.transact, [[OP.compact, []]]],
    [
      ID,
      OP.transact,
      [
        [OP.set, ['k', 1]],
        [undefined, [], [['n', false]]],
      ],
    ],
  ])
    hostile.post(message)
  t.is(await client.get('n'), 1)
  t.deepEqual(cache.keys(), ['n'])
  t.is(cache.stats().journal.sequence, journaled)
  t.is(cache.ttl('n'), Number.POSITIVE_INFINITY)
})
