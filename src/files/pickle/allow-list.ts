/**
 * Every name that a pickle may call, and what the call returns. Names are looked up in this table and nowhere else, so that
 * a file can never execute anything.
 *
 * Sources: the `__reduce__` of each type in CPython, and Lib/_compat_pickle.py for Python 2's module names.
 */
import { DATETIME_BYTES, offsetOf, readDatetime } from './datetimes.js'
import { cost } from './limits.js'
import type { Machine } from './machine.js'
import { refusal } from './refusal.js'

/** Exists only while reading: a name that was looked up, or part of a datetime. The value must not contain any. */
abstract class ReadingOnly {
  /** For messages. */
  readonly name: string
  /** Byte offset of its opcode. */
  readonly at: number
  constructor(name: string, at: number) {
    this.name = name
    this.at = at
  }
}

type Call = (args: readonly unknown[], machine: Machine) => unknown

/** A function or class of the list below. */
export class AllowedName extends ReadingOnly {
  readonly call: Call
  constructor(name: string, at: number, call: Call) {
    super(name, at)
    this.call = call
  }
}

class Timedelta extends ReadingOnly {
  /** Undefined for a day or more, which no timezone has. */
  readonly us: number | undefined
  constructor(at: number, us: number | undefined) {
    super('a datetime.timedelta', at)
    this.us = us
  }
}

class Timezone extends ReadingOnly {
  readonly offsetUs: number
  constructor(at: number, offsetUs: number) {
    super('a datetime.timezone', at)
    this.offsetUs = offsetUs
  }
}

export function isReadingOnly(value: object): value is ReadingOnly {
  return value instanceof ReadingOnly
}

const set: Call = (args, machine) => {
  const items = args.length === 0 ? [] : args[0]
  if (args.length > 1 || !Array.isArray(items)) throw badArguments('set', machine)
  machine.allowance.take(cost.set, machine.at)
  const made = new Set()
  machine.containers.addAll(made, items, 0, items.length, machine.at)
  return made
}

/** Python 3 writes an empty bytes object to protocols 0 to 2 as a call of `bytes`, which Python 2 knows as `str`. */
const bytes: Call = (args, machine) => {
  if (args.length > 0) throw badArguments('bytes', machine)
  return machine.copyBytes(new Uint8Array(0))
}

const bytearray: Call = (args, machine) => {
  const [source, ...encoding] = args
  if (source === undefined || typeof source === 'string') {
    return source === undefined ? bytes(args, machine) : encode([source, ...encoding], machine)
  }
  if (!(source instanceof Uint8Array) || encoding.length > 0) throw badArguments('bytearray', machine)
  return machine.copyBytes(source)
}

/** How Python 3 writes bytes to protocols 0 to 2: as text, to be encoded as latin1. */
const encode: Call = (args, machine) => {
  const [text, encoding] = args
  if (args.length !== 2 || typeof text !== 'string' || (encoding !== 'latin1' && encoding !== 'latin-1')) {
    throw badArguments('_codecs.encode (only a str and latin1 are accepted)', machine)
  }
  if (/[^\0-\xff]/.test(text)) throw refusal('a text to be encoded as latin1, but with other characters', machine.at)
  return machine.copyBytes(Buffer.from(text, 'latin1'))
}

/** Python 3 fills the dict afterwards; Python 2 passes a list of pairs. */
const orderedDict: Call = (args, machine) => {
  const pairs = args.length === 0 ? [] : args[0]
  if (args.length > 1 || !Array.isArray(pairs)) throw badArguments('OrderedDict', machine)
  const isPair = (pair: unknown): pair is unknown[] => Array.isArray(pair) && pair.length === 2
  if (!pairs.every(isPair)) throw badArguments('OrderedDict', machine)
  let dict = machine.newDict()
  for (const pair of pairs) dict = machine.containers.setPairs(dict, pair, 0, 2, machine.at)
  return dict
}

const timedelta: Call = (args, machine) => {
  const [days = 0, seconds = 0, microseconds = 0] = args
  if (typeof days !== 'number' || typeof seconds !== 'number' || typeof microseconds !== 'number' || args.length > 3) {
    throw badArguments('datetime.timedelta', machine)
  }
  machine.allowance.take(cost.object, machine.at)
  return new Timedelta(machine.at, offsetOf(days, seconds, microseconds))
}

/** A second argument is the timezone's name, which a Date cannot keep. */
const timezone: Call = (args, machine) => {
  const [offset, name] = args
  const named = args.length === 1 || (args.length === 2 && typeof name === 'string')
  if (!named || !(offset instanceof Timedelta) || offset.us === undefined)
    throw badArguments('datetime.timezone', machine)
  machine.allowance.take(cost.object, machine.at)
  return new Timezone(machine.at, offset.us)
}

const datetime: Call = (args, machine) => {
  const [state, zone = null] = args
  // Python 2's state is an 8-bit str, which is read as text if it is ASCII; Python 3 may have kept it as latin1 text.
  const bytes = typeof state === 'string' ? Buffer.from(state.slice(0, DATETIME_BYTES + 1), 'latin1') : state
  const isState = bytes instanceof Uint8Array && bytes.length === DATETIME_BYTES && args.length <= 2
  if (!isState || (zone !== null && !(zone instanceof Timezone))) throw badArguments('datetime.datetime', machine)
  machine.allowance.take(cost.date, machine.at)
  const date = readDatetime(bytes, zone === null ? 0 : zone.offsetUs)
  if (!date) throw refusal('a datetime that does not exist', machine.at)
  return date
}

const calls: ReadonlyMap<string, Call> = new Map([
  ...['builtins', '__builtin__'].flatMap((module): [string, Call][] => [
    [`${module}.set`, set],
    [`${module}.frozenset`, set],
    [`${module}.bytes`, bytes],
    [`${module}.bytearray`, bytearray],
  ]),
  ['_codecs.encode', encode],
  ['collections.OrderedDict', orderedDict],
  ['datetime.datetime', datetime],
  ['datetime.timedelta', timedelta],
  ['datetime.timezone', timezone],
])

/** Plain data in Python that has no JavaScript form: it gets an error of its own. */
const formless = new Set(['builtins.complex', '__builtin__.complex'])

/** The function or class that the pickle names at byte `at`. */
export function lookUp(module: string, name: string, at: number): AllowedName {
  const full = `${module}.${name}`
  // Each listed name has one dot, so it can be split in one way only, and dotted names (`datetime.now`) do not match.
  const call = calls.get(full)
  if (call) return new AllowedName(full, at, call)
  if (formless.has(full)) throw refusal('a complex number, which has no JavaScript form', at)
  throw refusal(`it refers to ${quoted(full)}, but only plain data is loaded, never a function or a class`, at)
}

/** A name from a file, safe to print. */
export function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name)
}

function badArguments(name: string, machine: Machine): Error {
  return refusal(`arguments that Python does not write for ${name}`, machine.at)
}
