/**
 * Writes a cache as a Python pickle (protocol 4), which `pickle.load` reads without daybook:
 *
 *     {'entries': {key: (value, expires_at)}, 'stats': {'hits': …, 'misses': …, 'evictions': …}}
 *
 * `expires_at` is a float of epoch seconds, as `time.time()` returns it, or None.
 *
 * | here | Python |
 * |---|---|
 * | null, boolean, string (lone surrogates too) | None, bool, str |
 * | safe integer, bigint | int |
 * | any other number: 0.5, 1e300, −0, NaN, Infinity | float |
 * | array | list |
 * | undefined as an item of an array | None |
 * | plain object: its own enumerable string keys, `__proto__` too, except those whose values are undefined | dict |
 * | Map | dict, without the keys whose values are undefined; its keys must be hashable and distinct to Python, arrays in them are tuples, Sets frozensets |
 * | Set | set; its items as a Map's keys |
 * | Uint8Array, Buffer, ArrayBuffer | bytes |
 * | Date | datetime.datetime with tzinfo=datetime.timezone.utc |
 *
 * Everything else is refused by name with a `ValueError`: holes, undefined anywhere else, functions, symbols, class instances, RegExp,
 * Error, other typed arrays (a list or bytes would lose their type), boxed primitives, Proxies, invalid Dates.
 *
 * values → `encoder` → `scalars` → `frames` → chunks
 */
import { describe, ValueError } from '../../errors.js'
import { Encoder } from './encoder.js'
import { Frames } from './frames.js'
import { BATCH_ITEMS } from './levels.js'
import { opcodes } from './opcodes.js'
import { writeFloat, writeNumber, writeText } from './scalars.js'

export interface PickleDocument {
  /** Not needed, because a pickled dict does not contain its length. */
  readonly count?: number
  /** With distinct keys; deadlines in epoch milliseconds, undefined for none. */
  readonly entries: Iterable<readonly [key: string, value: unknown, expiresAtMs: number | undefined]>
  readonly stats: { readonly hits: number; readonly misses: number; readonly evictions: number }
}

/**
 * Yields the pickle in chunks, each to be written after the one before. Takes entries one at a time; a chunk has at most a
 * thousand entries, or 64 KiB, or one larger value.
 * @throws ValueError that names the entry, if a value has no Python form. What was written so far must be discarded.
 */
export function* writePickle(document: PickleDocument): Generator<Uint8Array, void, void> {
  const frames = new Frames()
  const encoder = new Encoder(frames)
  frames.op(opcodes.EMPTY_DICT)
  frames.op(opcodes.MARK)
  writeText(frames, 'entries')
  frames.op(opcodes.EMPTY_DICT)
  let inBatch = 0
  for (const [key, value, expiresAtMs] of document.entries) {
    if (inBatch === 0) frames.op(opcodes.MARK)
    writeText(frames, key)
    encoder.encode(value, `the value of ${describe(key)}`)
    writeDeadline(frames, key, expiresAtMs)
    frames.op(opcodes.TUPLE2)
    if (++inBatch === BATCH_ITEMS) {
      frames.op(opcodes.SETITEMS)
      inBatch = 0
      yield* frames.take()
    } else {
      frames.opcodeEnds()
      yield* frames.takeWhole()
    }
  }
  if (inBatch > 0) frames.op(opcodes.SETITEMS)
  writeText(frames, 'stats')
  frames.op(opcodes.EMPTY_DICT)
  frames.op(opcodes.MARK)
  const { hits, misses, evictions } = document.stats
  for (const [name, counter] of Object.entries({ hits, misses, evictions })) {
    writeText(frames, name)
    writeNumber(frames, counter)
  }
  for (const code of [opcodes.SETITEMS, opcodes.SETITEMS, opcodes.STOP]) frames.op(code)
  yield* frames.take()
}

/** One value as a pickle of its own. */
export function pickleValue(value: unknown): Uint8Array {
  const frames = new Frames()
  new Encoder(frames).encode(value, 'the value')
  frames.op(opcodes.STOP)
  return new Uint8Array(Buffer.concat(frames.take()))
}

/** In epoch seconds. A deadline at infinity is none. */
function writeDeadline(frames: Frames, key: string, expiresAtMs: number | undefined): void {
  if (Number.isNaN(expiresAtMs)) {
    throw new ValueError(`Cannot write the deadline of ${describe(key)} to a Python pickle: it is NaN`, {
      consequence: 'No file was written.',
      advice: 'Set the entry again.',
    })
  }
  if (expiresAtMs === undefined || expiresAtMs === Infinity) frames.op(opcodes.NONE)
  else writeFloat(frames, expiresAtMs / 1000)
}
