/**
 * Reads pickles of protocols 0 to 5 without executing anything: plain data and the short list of `allow-list.ts`.
 *
 * file → `cursor` → `fetched`, then `machine` and its `actions` (with `texts`, `containers`, `allow-list`) → `settle` →
 * `cache-document`
 *
 * | Python | here |
 * |---|---|
 * | None, bool, str | null, boolean, string |
 * | int | number if it is a safe integer, else bigint |
 * | float | number, with nan, inf and −0.0 |
 * | list, tuple | array |
 * | dict, OrderedDict | object if all keys are str (`__proto__` is an own property), else Map |
 * | set, frozenset | Set |
 * | bytes, bytearray; Python 2's str if it isn't ASCII | Uint8Array |
 * | datetime.datetime | Date: one without a timezone is taken as UTC; microseconds are cut off |
 *
 * Shared references and cycles are kept. Anything else is refused by name, with a `ValueError`. Every value that is returned
 * can be structured-cloned.
 */
import { ValueError } from '../../errors.js'
import { actions } from './actions.js'
import {
  type CacheDocument,
  type CacheStats,
  checkedEntry,
  DOCUMENT_LEVELS,
  ENTRY_LEVELS,
  type Entry,
  entriesIn,
  pairsOf,
  statsOf,
} from './cache-document.js'
import { Cursor } from './cursor.js'
import { fetchedIndices } from './fetched.js'
import { Allowance, NESTING_MAX, VALUE_TEXT_MAX } from './limits.js'
import { type EntriesDict, Machine } from './machine.js'
import { refusal } from './refusal.js'
import { Settling } from './settle.js'
import { atOnce, Slice } from './slices.js'

/** The value of a pickle. @throws ValueError that says what is wrong, and where. */
export function readPickle(bytes: Uint8Array): unknown {
  return atOnce(guarded(value(bytes)))
}

/**
 * Reads a cache's document, as written by `write-pickle` or by a Python cache. Passes each entry to `receive` as soon as it is
 * complete, in the file's order, without keeping it; a key that occurs twice is passed twice. Returns the counters: only then
 * was the whole file sound, and until then nothing that was received may take effect. Yields its position, in bytes of the
 * file, between slices.
 *
 * @throws ValueError that says what is wrong, and where; if `receive` throws another error, that is its cause.
 */
export function receiveCachePickle(
  bytes: Uint8Array,
  receive: (entry: Entry) => void,
): Generator<number, CacheStats, void> {
  return guarded(entries(bytes, receive))
}

/** All entries of {@link receiveCachePickle} at once. */
export function readCachePickle(bytes: Uint8Array): CacheDocument {
  const found = new Map<string, Entry>()
  const stats = atOnce(receiveCachePickle(bytes, (entry) => void found.set(entry[0], entry)))
  return { entries: { [Symbol.iterator]: () => found.values() }, entryCount: found.size, stats }
}

function* value(bytes: Uint8Array): Generator<number, unknown, void> {
  const machine = yield* run(bytes)
  const bounds = { nestingMax: NESTING_MAX, textMax: Number.POSITIVE_INFINITY }
  return yield* new Settling(machine.containers).settle(machine.value, bounds, machine.at)
}

function* entries(bytes: Uint8Array, receive: (entry: Entry) => void): Generator<number, CacheStats, void> {
  let count = 0
  const take = (key: unknown, entry: unknown, { containers, at }: Machine) => {
    const bounds = { nestingMax: NESTING_MAX + ENTRY_LEVELS, textMax: VALUE_TEXT_MAX, without: containers.handedOver }
    const settled = isFlat(entry) ? entry : atOnce(new Settling(containers).settle(entry, bounds, at))
    receive(checkedEntry(key, settled))
    count++
  }
  const machine = yield* run(bytes, { key: 'entries', receive: take })
  const { containers, at } = machine
  const document = containers.fetch(machine.value)
  const found = containers.fetch(entriesIn(document))
  if (found !== undefined && found !== containers.handedOver) {
    // The entries were not recognized before everything was read: for example, the document was created after them.
    if (count > 0) throw machine.refusal('it has several dicts that could be the entries of a cache')
    const slice = new Slice()
    for (const [key, entry] of pairsOf(found)) {
      take(key, entry, machine)
      if (slice.isOver()) {
        yield at
        slice.begin()
      }
    }
  }
  const bounds = { nestingMax: NESTING_MAX + DOCUMENT_LEVELS, textMax: Number.POSITIVE_INFINITY }
  return statsOf(yield* new Settling(containers).settle(document, bounds, at))
}

/** Whether value and deadline contain nothing else, as in most entries, so that there is nothing to settle. */
function isFlat(entry: unknown): boolean {
  return Array.isArray(entry) && entry.length === 2 && typeof entry[0] !== 'object' && typeof entry[1] !== 'object'
}

/** Runs the pickle to its end. */
function* run(bytes: Uint8Array, entriesDict?: EntriesDict): Generator<number, Machine, void> {
  const walk = fetchedIndices(bytes)
  let step = walk.next()
  for (; !step.done; step = walk.next()) yield step.value / 2
  const fetched = step.value
  const cursor = new Cursor(bytes)
  const machine = new Machine(cursor, new Allowance(bytes.length), fetched, entriesDict)
  const slice = new Slice()
  while (!machine.isDone) {
    machine.at = cursor.offset
    if (cursor.left === 0) throw refusal('it ends without a STOP: it is empty, truncated or damaged', cursor.offset)
    const code = cursor.uint1()
    const action = actions[code]
    if (!action) throw refusal(`the opcode 0x${code.toString(16).padStart(2, '0')} is not one of pickle's`, machine.at)
    action(machine)
    if (slice.isOver()) {
      yield (bytes.length + cursor.offset) / 2
      slice.begin()
    }
  }
  return machine
}

/** Reaching a limit of V8 is a refusal, too. */
function* guarded<T>(work: Generator<number, T, void>): Generator<number, T, void> {
  try {
    return yield* work
  } catch (error) {
    if (error instanceof ValueError) throw error
    throw new ValueError(`Cannot load this pickle: ${String(error)}`, {
      consequence: 'Nothing in it was executed, and nothing was changed.',
      advice: 'Split the file.',
      cause: error,
    })
  }
}
