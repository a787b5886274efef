/**
 * Writes one value, however nested, as pickle opcodes. On the writer's path before it: `write-pickle`; after it: `scalars`.
 * Nesting is kept on a stack of its own, so that it cannot overflow JavaScript's.
 *
 * A container gets its memo index before its items are written, as in Python's pickler, so that shared references and cycles
 * are kept: within one value, because the next `encode` starts with an empty memo.
 */
import { types } from 'node:util'
import { describe, ValueError } from '../../errors.js'
import { hasDatetime, writeDatetime } from './datetimes.js'
import type { Frames } from './frames.js'
import { areSurelyDistinct, HashableForms } from './hashable.js'
import { encodeLong } from './integers.js'
import { Level, pathOf } from './levels.js'
import { INTEGER_BYTES_MAX, NESTING_MAX } from './limits.js'
import { opcodes } from './opcodes.js'
import { adviceFor, nameOf } from './refused-values.js'
import { writeBytes, writeLong, writeNumber, writeText } from './scalars.js'

export class Encoder {
  readonly #frames: Frames
  readonly #memo = new Map<object, number>()
  #memoized = 0
  #forms: HashableForms | undefined
  #path: Level[] = []
  #name = ''
  /** Memo indices of `datetime.datetime` and `datetime.timezone.utc`, which all values share. */
  #datetimeClass: number | undefined
  #utc: number | undefined

  constructor(frames: Frames) {
    this.#frames = frames
  }

  /** @param name what `value` is called in errors */
  encode(value: unknown, name: string): void {
    this.#name = name
    this.#path = []
    if (this.#memo.size > 0) this.#memo.clear()
    this.#forms = undefined
    try {
      this.#write(value)
      for (let level = this.#path.at(-1); level; level = this.#path.at(-1)) this.#advance(level)
    } catch (error) {
      if (error instanceof ValueError) throw error
      // A getter that throws, or a limit of V8.
      throw this.#refusal(`it could not be read (${String(error)})`, 'Store plain data', error)
    }
  }

  /** Writes the next item of the innermost container, or leaves it. */
  #advance(level: Level): void {
    if (level.leftInBatch === 0) {
      if (level.closing !== undefined) this.#frames.op(level.closing)
      if (level.done === level.size) {
        this.#path.pop()
        return
      }
      if (level.openBatch()) this.#frames.op(opcodes.MARK)
    }
    level.leftInBatch--
    this.#writeItem(level, level.done++)
    this.#frames.opcodeEnds()
  }

  #writeItem({ source }: Level, index: number): void {
    switch (source.kind) {
      case 'list':
        if (!(index in source.list)) throw this.#refusal('it is a hole, which a list cannot have', 'Store null')
        this.#write(source.list[index] ?? null) // None for undefined
        break
      case 'object': {
        const [key, value] = source.entries[index]!
        writeText(this.#frames, key)
        this.#write(value)
        break
      }
      case 'map': {
        const pair = source.pairs.next()
        if (pair.done) throw this.#refusal('it is a Map that changed while it was written', 'Try again')
        source.at = pair.value[0]
        this.#writeKey(pair.value[0])
        this.#write(pair.value[1])
        break
      }
      case 'set': {
        const item = source.items.next()
        if (item.done) throw this.#refusal('it is a Set that changed while it was written', 'Try again')
        this.#writeKey(item.value)
      }
    }
  }

  #write(value: unknown): void {
    if (typeof value === 'string') writeText(this.#frames, value)
    else if (typeof value === 'number') writeNumber(this.#frames, value)
    else if (typeof value === 'boolean') this.#frames.op(value ? opcodes.NEWTRUE : opcodes.NEWFALSE)
    else if (typeof value === 'bigint') this.#writeBigint(value)
    else if (value === null) this.#frames.op(opcodes.NONE)
    else if (typeof value === 'object') this.#writeObject(value)
    else throw this.#refusal(`it is ${value === undefined ? value : `a ${typeof value}`}`, adviceFor(value))
  }

  #writeBigint(value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
      writeNumber(this.#frames, Number(value))
      return
    }
    const bytes = encodeLong(value)
    if (bytes.length > INTEGER_BYTES_MAX) {
      throw this.#refusal(
        `it is a bigint of ${bytes.length} bytes; the limit is ${INTEGER_BYTES_MAX}`,
        'Store its parts',
      )
    }
    writeLong(this.#frames, bytes)
  }

  #writeObject(value: object): void {
    const known = this.#memo.get(value)
    if (known !== undefined) this.#get(known)
    else if (types.isProxy(value)) throw this.#refusal('it is a Proxy', adviceFor(value))
    else if (Array.isArray(value)) this.#enterList(value)
    else if (isPlain(value)) {
      const entries = Object.entries(value).filter(([, member]) => member !== undefined)
      this.#enter(value, opcodes.EMPTY_DICT, new Level({ kind: 'object', entries }, entries.length))
    } else if (types.isMap(value)) {
      this.#checkKeys(value.keys())
      this.#enter(value, opcodes.EMPTY_DICT, mapLevel(value))
    } else if (types.isSet(value)) {
      this.#checkKeys(value.values())
      this.#enter(value, opcodes.EMPTY_SET, new Level({ kind: 'set', items: value.values() }, value.size))
    } else this.#writeLeaf(value)
  }

  #writeLeaf(value: object): void {
    if (types.isDate(value)) this.#writeDate(value)
    else if (types.isUint8Array(value)) writeBytes(this.#frames, value)
    else if (types.isArrayBuffer(value)) writeBytes(this.#frames, new Uint8Array(value))
    else throw this.#refusal(`it is an instance of ${nameOf(value)}`, adviceFor(value))
    this.#memoize(value)
  }

  #enterList(list: readonly unknown[]): void {
    if (Object.keys(list).length > list.length) {
      throw this.#refusal('it is an array with properties besides its items', 'Store an object that holds both')
    }
    this.#enter(list, opcodes.EMPTY_LIST, new Level({ kind: 'list', list }, list.length))
  }

  #enter(container: object, opcode: number, level: Level): void {
    if (this.#path.length >= NESTING_MAX) {
      throw this.#refusal(`it is nested deeper than ${NESTING_MAX} levels`, 'Store it flatter')
    }
    this.#frames.op(opcode)
    this.#memoize(container)
    this.#path.push(level)
  }

  /** Refuses keys of a Map and items of a Set that Python cannot hash, or that are equal to Python, so that it would keep one. */
  #checkKeys(keys: Iterable<unknown>): void {
    const all = [...keys]
    if (areSurelyDistinct(all)) return
    this.#forms ??= new HashableForms()
    const forms = new Set<string>()
    for (const key of all) {
      // Inside the container, which is one level below those on the path.
      const form = this.#forms.of(key, this.#path.length + 2)
      if (form === undefined) {
        throw this.#refusal(
          `it has ${describe(key)} as a key or item, but Python can only hash str, int, float, bool, None, bytes, datetime, and tuples and frozensets of them, none of them huge`,
          'Use other keys, or an array of pairs',
        )
      }
      if (forms.has(form)) {
        throw this.#refusal(
          `two of its keys or items (${describe(key)} is one of them) are equal to Python, which would keep only one`,
          'Use keys of one kind',
        )
      }
      forms.add(form)
    }
  }

  /** Writes a key that {@link #checkKeys} has accepted. An array becomes a tuple, a Set a frozenset; neither is memoized. */
  #writeKey(key: unknown): void {
    const frames = this.#frames
    if (Array.isArray(key) || types.isSet(key)) {
      frames.op(opcodes.MARK)
      for (const part of key) this.#writeKey(part)
      frames.op(Array.isArray(key) ? opcodes.TUPLE : opcodes.FROZENSET)
    } else if (types.isDate(key)) this.#writeDate(key)
    else if (types.isUint8Array(key)) writeBytes(frames, key)
    else this.#write(key)
  }

  /** `datetime.datetime(state, datetime.timezone.utc)`. */
  #writeDate(date: Date): void {
    const ms = date.getTime()
    if (!hasDatetime(ms)) {
      const what = Number.isNaN(ms) ? 'it is an invalid Date' : "it is a Date outside Python's years 1 to 9999"
      throw this.#refusal(what, 'Store its milliseconds')
    }
    const frames = this.#frames
    this.#datetimeClass = this.#once(this.#datetimeClass, () => this.#writeGlobal('datetime', 'datetime'))
    const at = frames.reserve(12)
    frames.bytes[at] = opcodes.SHORT_BINBYTES
    frames.bytes[at + 1] = 10
    writeDatetime(ms, frames.bytes, at + 2)
    this.#utc = this.#once(this.#utc, () => this.#writeUtc())
    frames.op(opcodes.TUPLE2)
    frames.op(opcodes.REDUCE)
  }

  /** `datetime.timezone(datetime.timedelta(0, 0, 0))`, which Python reads as `datetime.timezone.utc`. */
  #writeUtc(): void {
    this.#writeGlobal('datetime', 'timezone')
    this.#writeGlobal('datetime', 'timedelta')
    for (let i = 0; i < 3; i++) writeNumber(this.#frames, 0)
    for (const code of [opcodes.TUPLE3, opcodes.REDUCE, opcodes.TUPLE1, opcodes.REDUCE]) this.#frames.op(code)
  }

  #writeGlobal(module: string, name: string): void {
    writeText(this.#frames, module)
    writeText(this.#frames, name)
    this.#frames.op(opcodes.STACK_GLOBAL)
  }

  /** Fetches from the memo, or writes and memoizes. Returns the index. */
  #once(index: number | undefined, write: () => void): number {
    if (index !== undefined) {
      this.#get(index)
      return index
    }
    write()
    this.#frames.op(opcodes.MEMOIZE)
    return this.#memoized++
  }

  #memoize(value: object): void {
    this.#frames.op(opcodes.MEMOIZE)
    this.#memo.set(value, this.#memoized++)
  }

  #get(index: number): void {
    const at = this.#frames.reserve(index <= 0xff ? 2 : 5)
    this.#frames.bytes[at] = index <= 0xff ? opcodes.BINGET : opcodes.LONG_BINGET
    if (index <= 0xff) this.#frames.bytes[at + 1] = index
    else this.#frames.bytes.writeUInt32LE(index, at + 1)
  }

  #refusal(what: string, advice: string, cause?: unknown): ValueError {
    return new ValueError(`Cannot write ${this.#name}${pathOf(this.#path)} to a Python pickle: ${what}`, {
      consequence: 'No file was written.',
      advice: `${advice}, or save in daybook's own format.`,
      cause,
    })
  }
}

/** The pairs of a Map whose values are not undefined. */
function mapLevel(map: ReadonlyMap<unknown, unknown>): Level {
  let size = 0
  for (const value of map.values()) if (value !== undefined) size++
  const pairs = size === map.size ? map.entries() : [...map].filter(([, value]) => value !== undefined).values()
  return new Level({ kind: 'map', pairs }, size)
}

/** An object literal, also without a prototype or from another realm. */
function isPlain(value: object): value is Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf')
}
