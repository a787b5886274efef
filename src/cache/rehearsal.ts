/**
 * V8 compiles a function when it is first called, which takes far more stack than `reserveStack` reserves. So everything that
 * runs after an append, and everything that undoes a turn, is called once before the first cache is used. Before: `open.ts`.
 */
import type { Observable } from 'rxjs'
import type { EvictionPolicy } from '../core/evolve/eviction/policy.js'
import { FrozenRows } from '../core/evolve/frozen-rows.js'
import type { CacheEvent } from '../core/model/event.js'
import type { SlotCursor } from '../core/model/state.js'
import type { Journal } from '../durable/contract.js'
import { CacheClosedError } from '../errors.js'
import { assemble } from './assembly.js'
import type { Streams } from './streams/streams.js'
import { armedOutside, systemClock } from './system-clock.js'
import { NumberedCommands } from './turns/numbered.js'

const EVENTS: readonly CacheEvent[] = [
  { type: 'set', key: 'a', value: 1, expiresAtMs: 1 },
  { type: 'set', key: 'a', value: 2, expiresAtMs: 2 },
  { type: 'set', key: 'a', value: 2, expiresAtMs: 2 }, // used twice: S3-FIFO moves it to its main queue
  { type: 'set', key: 'b', value: 3, expiresAtMs: 1 },
  { type: 'rescheduled', key: 'a', expiresAtMs: 3 },
  { type: 'limited', maxSize: 9, maxBytes: Number.POSITIVE_INFINITY },
  { type: 'limited', maxSize: 9, maxBytes: 99 },
  { type: 'evicted', key: 'a' },
  { type: 'expired', key: 'b' },
  { type: 'set', key: 'b', value: 3, expiresAtMs: 1 },
  { type: 'evicted', key: 'b' },
  { type: 'set', key: 'b', value: 3, expiresAtMs: 1 }, // comes back: S3-FIFO has remembered its key
  { type: 'set', key: 'c', value: 4, expiresAtMs: Number.POSITIVE_INFINITY },
  { type: 'deleted', key: 'c' },
  { type: 'set', key: 'd', value: 5, expiresAtMs: Number.POSITIVE_INFINITY },
  { type: 'set', key: 'e', value: 6, expiresAtMs: 5, extension: { freshUntilMs: 4, tags: ['x', 'y'] } },
  { type: 'set', key: 'f', value: 7, expiresAtMs: 5, extension: { freshUntilMs: 4, tags: ['x'] } },
  { type: 'rescheduled', key: 'e', expiresAtMs: 6, freshUntilMs: 5 },
  { type: 'set', key: 'e', value: 8, expiresAtMs: 5, extension: { freshUntilMs: 4, tags: ['y'] } },
  { type: 'deleted', key: 'f' },
  { type: 'set', key: 'e', value: 9, expiresAtMs: Number.POSITIVE_INFINITY },
  { type: 'cleared' },
]

const NOTED: CacheEvent = { type: 'set', key: 'a', value: 1, expiresAtMs: 1 }
const ANSWERS = ['', '', new Uint8Array(), true]

const rehearsed = new Set<string>()

/** An eviction policy, or a kind of journal, that no cache uses is not called: V8 compiles calls of one policy to faster code than calls of two. */
export function rehearse(eviction: EvictionPolicy, isSpeculative = false): void {
  const kind = `${eviction} ${isSpeculative}`
  if (rehearsed.has(kind)) return
  rehearsed.add(kind)
  const clock = armedOutside(systemClock)
  const journal = { append: () => 1, appendSet: () => 1, isSpeculative } as unknown as Journal // Turns calls no other method
  const notOpen = () => new CacheClosedError('')
  const warn = () => undefined
  for (const isObserved of [false, true]) {
    const limits = { maxSize: 9, maxBytes: isObserved ? 99 : Number.POSITIVE_INFINITY }
    const parts = assemble({
      clock,
      journal,
      limits,
      eviction,
      entriesMax: undefined,
      isolation: 'copy',
      notOpen,
      warn,
    })
    const { state, streams, expiry, turns, replica, loads } = parts
    if (isObserved) observe(streams)
    const { deliver } = streams
    streams.deliver = () => {
      streams.deliver = deliver
      throw overflow()
    }
    const readers = isObserved ? [new FrozenRows(state), new FrozenRows(state)] : [new FrozenRows(state)] // called as one, or alone
    state.startEvicting()
    state.isOpen = turns.isWritable = true
    turns.set('a', 1, 5, 0)
    turns.set('a', 1, 4, 0)
    turns.increment('a', 1)
    for (let number = 0; number < 10; number++) turns.set(`key ${number}`, number, Number.POSITIVE_INFINITY, 0)
    turns.listener = () => {
      turns.listener = loads.onTurn
      throw overflow()
    }
    turns.run({ type: 'delete', key: 'x', nowMs: 0 })
    const numbered = new NumberedCommands({ state, turns })
    for (const number of [1, 2, 3])
      numbered.run(
        { client: '', number, received: number - 2 },
        () => turns.record([NOTED], 0),
        () => ANSWERS[number],
      )
    const change = () => {
      for (const event of EVENTS) {
        if (event.type === 'evicted') searchAll(state.byEviction())
        turns.record([event], 0)
        turns.listener = loads.onTurn // which removes itself while nothing is loaded
      }
    }
    change()
    try {
      turns.transact(() => {
        change()
        turns.run({ type: 'delete', key: 'x', nowMs: 0 })
        throw isObserved
      })
    } catch {
      // Everything was undone.
    }
    if (isSpeculative) {
      replica.revert()
      turns.set('a', 1, 5, 0)
      replica.commit(1)
    }
    for (const reader of readers) reader.release()
    expiry.stop()
  }
}

/** As `decide` does, before the event of each eviction. */
function searchAll(victims: SlotCursor): void {
  while (victims.next() !== undefined);
}

function observe({ changes$, expirations$, evictions$, removals$ }: Streams<unknown>): void {
  for (const stream of [changes$, expirations$, evictions$, removals$] as Observable<unknown>[]) stream.subscribe()
}

/** As V8 throws it. What was interrupted is then done again on a later tick. */
function overflow(): RangeError {
  return new RangeError('Maximum call stack size exceeded')
}
