/**
 * Reads pickles of protocols 0 to 5 without executing anything: plain data and the short list of `allow-list.ts`.
 *
 * file → `cursor` → `machine` and its `actions` (with `texts`, `containers`, `allow-list`) → `settle` → `cache-document`
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
 * Shared references and cycles are kept. Whatever else the file holds is refused by name, always as a `ValueError`.
 * Everything that is returned can be structured-cloned.
 */
import { ValueError } from '../errors.js'
import { actions } from './actions.js'
import { type CacheDocument, cacheDocument, DOCUMENT_LEVELS } from './cache-document.js'
import { Cursor } from './cursor.js'
import { Allowance, NESTING_MAX } from './limits.js'
import { Machine } from './machine.js'
import { refusal } from './refusal.js'
import { settle } from './settle.js'

/** The value of a pickle. Throws a `ValueError` that names what was found, and where, if it cannot be had. */
export function readPickle(bytes: Uint8Array): unknown {
  return guarded(() => read(bytes, NESTING_MAX))
}

/**
 * A cache's document, as {@link writePickle} or a Python cache wrote it. All of it is checked before this returns: what
 * `entries` yields cannot fail any more.
 */
export function readCachePickle(bytes: Uint8Array): CacheDocument {
  return guarded(() => cacheDocument(read(bytes, NESTING_MAX + DOCUMENT_LEVELS, 'entries')))
}

function read(bytes: Uint8Array, nestingMax: number, keyOfMap?: string): unknown {
  const cursor = new Cursor(bytes)
  const machine = new Machine(cursor, new Allowance(bytes.length), keyOfMap)
  while (machine.result === undefined) {
    machine.at = cursor.offset
    if (cursor.left === 0) throw refusal('it ends without a STOP: it is empty, truncated or damaged', cursor.offset)
    const code = cursor.uint1()
    const action = actions[code]
    if (!action) throw refusal(`the opcode 0x${code.toString(16).padStart(2, '0')} is not one of pickle's`, machine.at)
    action(machine)
  }
  const { moved, shared } = machine.containers
  return settle({ value: machine.result.value, moved, shared, nestingMax, at: machine.at })
}

/** A limit of V8's that was met before one of ours is a refusal too. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof ValueError) throw error
    throw new ValueError(`Cannot load this pickle: ${String(error)}. Nothing was executed and nothing was changed.`, {
      cause: error,
    })
  }
}
