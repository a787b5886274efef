/**
 * What each opcode does to the machine. On the reader's path before it: `machine`; after it: `settle`. The table's type makes
 * it complete: an opcode without an action does not compile. Those that would call, build or fetch something are refused by name.
 *
 * Source: the `doc` of each opcode in CPython's Lib/pickletools.py.
 */
import { isAscii } from 'node:buffer'
import { AllowedName, lookUp, quoted } from './allow-list.js'
import { decodeDecimal, decodeFloat, decodeLong } from './integers.js'
import { cost, INTEGER_BYTES_MAX, INTEGER_DIGITS_MAX, LINE_BYTES_MAX, TEXT_BYTES_MAX } from './limits.js'
import type { Machine } from './machine.js'
import { type OpcodeName, opcodes, PROTOCOL_MAX } from './opcodes.js'
import { decodeRawUnicodeEscape, decodeStringLiteral } from './text.js'

type Action = (machine: Machine) => void

const actionsByName: Record<OpcodeName, Action> = {
  MARK: (machine) => machine.mark(),
  STOP: (machine) => machine.stop(),
  POP: (machine) => machine.discard(),
  POP_MARK: (machine) => void machine.takeToMark(),
  DUP: (machine) => machine.duplicate(),
  PUT: (machine) => machine.put(memoIndex(machine)),
  BINPUT: (machine) => machine.put(machine.cursor.uint1()),
  LONG_BINPUT: (machine) => machine.put(machine.cursor.uint4()),
  MEMOIZE: (machine) => machine.memoize(),
  GET: (machine) => machine.get(memoIndex(machine)),
  BINGET: (machine) => machine.get(machine.cursor.uint1()),
  LONG_BINGET: (machine) => machine.get(machine.cursor.uint4()),
  PROTO(machine) {
    const protocol = machine.cursor.uint1()
    if (protocol > PROTOCOL_MAX) throw machine.refusal(`protocol ${protocol}; the newest known is ${PROTOCOL_MAX}`)
  },
  FRAME(machine) {
    const length = machine.cursor.uint8()
    if (length > machine.cursor.left) {
      throw machine.refusal(`a frame of ${length} bytes with ${machine.cursor.left} left: it is truncated or damaged`)
    }
  },

  NONE: (machine) => machine.push(null),
  NEWTRUE: (machine) => machine.push(true),
  NEWFALSE: (machine) => machine.push(false),
  INT(machine) {
    const text = numberLine(machine)
    machine.push(text === '00' ? false : text === '01' ? true : decimal(machine, text))
  },
  BININT: (machine) => machine.push(machine.cursor.int4()),
  BININT1: (machine) => machine.push(machine.cursor.uint1()),
  BININT2: (machine) => machine.push(machine.cursor.uint2()),
  LONG(machine) {
    const text = numberLine(machine)
    machine.push(decimal(machine, text.endsWith('L') ? text.slice(0, -1) : text))
  },
  LONG1: (machine) => pushLong(machine, machine.cursor.uint1()),
  LONG4: (machine) => pushLong(machine, machine.cursor.length4()),
  FLOAT(machine) {
    const text = machine.cursor.line(LINE_BYTES_MAX).toString('latin1')
    const float = decodeFloat(text)
    if (float === undefined) throw machine.refusal(`${quoted(text)} is not a float`)
    pushFloat(machine, float)
  },
  BINFLOAT: (machine) => pushFloat(machine, machine.cursor.float8()),

  STRING(machine) {
    const bytes = decodeStringLiteral(textLine(machine))
    if (!bytes) throw machine.refusal('an 8-bit str that is not quoted or escaped as Python does')
    pushEightBit(machine, bytes)
  },
  BINSTRING: (machine) => pushEightBit(machine, machine.cursor.take(machine.cursor.length4())),
  SHORT_BINSTRING: (machine) => pushEightBit(machine, machine.cursor.take(machine.cursor.uint1())),
  UNICODE: (machine) => pushText(machine, decodeRawUnicodeEscape(textLine(machine))),
  BINUNICODE: (machine) => pushUtf8(machine, machine.cursor.uint4()),
  SHORT_BINUNICODE: (machine) => pushUtf8(machine, machine.cursor.uint1()),
  BINUNICODE8: (machine) => pushUtf8(machine, machine.cursor.uint8()),
  BINBYTES: (machine) => pushBytes(machine, machine.cursor.uint4()),
  SHORT_BINBYTES: (machine) => pushBytes(machine, machine.cursor.uint1()),
  BINBYTES8: (machine) => pushBytes(machine, machine.cursor.uint8()),
  BYTEARRAY8: (machine) => pushBytes(machine, machine.cursor.uint8()),
  NEXT_BUFFER: refused('it needs a buffer that is kept outside the file (pickle protocol 5)'),
  READONLY_BUFFER: refused('it needs a buffer that is kept outside the file (pickle protocol 5)'),

  EMPTY_LIST(machine) {
    machine.allowance.take(cost.list, machine.at)
    machine.push([])
  },
  APPEND(machine) {
    const item = machine.pop()
    machine.containers.append(machine.top(), [item], 0, 1, machine.at)
  },
  APPENDS(machine) {
    const { start, end } = machine.takeToMark()
    machine.containers.append(machine.top(), machine.stack, start, end, machine.at)
  },
  LIST: (machine) => pushTuple(machine, machine.popToMark()),
  EMPTY_TUPLE: (machine) => pushTuple(machine, []),
  TUPLE: (machine) => pushTuple(machine, machine.popToMark()),
  TUPLE1: (machine) => pushTuple(machine, [machine.pop()]),
  TUPLE2(machine) {
    const second = machine.pop()
    pushTuple(machine, [machine.pop(), second])
  },
  TUPLE3(machine) {
    const third = machine.pop()
    const second = machine.pop()
    pushTuple(machine, [machine.pop(), second, third])
  },
  EMPTY_DICT: (machine) => machine.push(machine.newDict()),
  DICT(machine) {
    const { start, end } = machine.takeToMark()
    machine.push(machine.containers.setPairs(machine.newDict(), machine.stack, start, end, machine.at))
  },
  SETITEM(machine) {
    const value = machine.pop()
    setPairs(machine, [machine.pop(), value], 0, 2)
  },
  SETITEMS(machine) {
    const { start, end } = machine.takeToMark()
    setPairs(machine, machine.stack, start, end)
  },
  EMPTY_SET: (machine) => pushSet(machine, 0, 0),
  ADDITEMS(machine) {
    const { start, end } = machine.takeToMark()
    machine.containers.addAll(machine.top(), machine.stack, start, end, machine.at)
  },
  FROZENSET(machine) {
    const { start, end } = machine.takeToMark()
    pushSet(machine, start, end)
  },

  GLOBAL(machine) {
    const module = nameLine(machine)
    pushName(machine, module, nameLine(machine))
  },
  STACK_GLOBAL(machine) {
    const name = machine.pop()
    const module = machine.pop()
    if (typeof module !== 'string' || typeof name !== 'string') throw machine.refusal('a class whose name is not a str')
    pushName(machine, module, name)
  },
  REDUCE(machine) {
    const args = machine.pop()
    const callee = machine.pop()
    if (!(callee instanceof AllowedName)) throw machine.refusal('a call of something that is not a function')
    if (!Array.isArray(args)) throw machine.refusal(`a call of ${callee.name} without a tuple of arguments`)
    machine.push(callee.call(args, machine))
  },
  BUILD: refused('it sets attributes of an object (BUILD), but only plain data is loaded'),
  INST(machine) {
    const name = `${nameLine(machine)}.${nameLine(machine)}`
    throw machine.refusal(`it creates an instance of ${quoted(name)} (INST), but only plain data is loaded`)
  },
  OBJ: refused('it creates an instance of a class (OBJ), but only plain data is loaded'),
  NEWOBJ: refused('it creates an instance of a class (NEWOBJ), but only plain data is loaded'),
  NEWOBJ_EX: refused('it creates an instance of a class (NEWOBJ_EX), but only plain data is loaded'),
  EXT1: (machine) => refuseExtension(machine, machine.cursor.uint1()),
  EXT2: (machine) => refuseExtension(machine, machine.cursor.uint2()),
  EXT4: (machine) => refuseExtension(machine, machine.cursor.int4()),
  PERSID(machine) {
    throw machine.refusal(`it refers to the object ${quoted(nameLine(machine))} outside the file (PERSID)`)
  },
  BINPERSID: refused('it refers to an object outside the file (BINPERSID)'),
}

/** The action of each opcode, by its byte; undefined for other bytes. */
export const actions: readonly (Action | undefined)[] = Array.from({ length: 256 }, (_, code) => {
  const found = Object.entries(opcodes).find(([, known]) => known === code)
  return found && actionsByName[found[0] as OpcodeName]
})

function refused(what: string): Action {
  return (machine) => {
    throw machine.refusal(what)
  }
}

function refuseExtension(machine: Machine, code: number): never {
  throw machine.refusal(`it refers to the class with the extension code ${code}, but only plain data is loaded`)
}

function numberLine(machine: Machine): string {
  return machine.cursor.line(INTEGER_DIGITS_MAX + 2).toString('latin1')
}

function nameLine(machine: Machine): string {
  return machine.cursor.line(LINE_BYTES_MAX).toString('utf8')
}

function memoIndex(machine: Machine): number {
  const text = machine.cursor.line(LINE_BYTES_MAX).toString('latin1')
  if (!/^[0-9]{1,10}$/.test(text)) throw machine.refusal(`${quoted(text)} is not a memo index`)
  return Number(text)
}

function decimal(machine: Machine, text: string): number | bigint {
  const value = decodeDecimal(text)
  if (value === undefined) throw machine.refusal(`${quoted(text)} is not an int`)
  machine.allowance.take(cost.integer + text.length / 2, machine.at)
  return value
}

function pushLong(machine: Machine, length: number): void {
  if (length > INTEGER_BYTES_MAX) throw machine.refusal(`an int of ${length} bytes; the limit is ${INTEGER_BYTES_MAX}`)
  machine.allowance.take(cost.integer + length, machine.at)
  machine.push(decodeLong(machine.cursor.take(length)))
}

function pushFloat(machine: Machine, float: number): void {
  machine.allowance.take(cost.float, machine.at)
  machine.push(float)
}

/** A line of text, which takes up to two bytes a character in memory. */
function textLine(machine: Machine): Buffer {
  const line = machine.cursor.line(TEXT_BYTES_MAX)
  machine.allowance.take(cost.text + 2 * line.length, machine.at)
  return line
}

function pushUtf8(machine: Machine, length: number): void {
  const start = machine.cursor.skip(length)
  if (length > TEXT_BYTES_MAX) throw machine.refusal(`a str of ${length} bytes; the limit is ${TEXT_BYTES_MAX}`)
  pushText(machine, machine.texts.decode(start, start + length, machine.at))
}

function pushText(machine: Machine, text: string | undefined): void {
  if (text === undefined) throw machine.refusal('a str that is not encoded as Python does')
  machine.push(text)
}

/** Python 2's str: text if it is ASCII, which is how Python 3 reads it; otherwise bytes. */
function pushEightBit(machine: Machine, bytes: Uint8Array): void {
  if (!isAscii(bytes)) {
    machine.push(machine.copyBytes(bytes))
    return
  }
  machine.allowance.take(cost.text + bytes.length, machine.at)
  machine.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
}

function pushBytes(machine: Machine, length: number): void {
  machine.push(machine.copyBytes(machine.cursor.take(length)))
}

/** Pushes an array that is complete. */
function pushTuple(machine: Machine, items: unknown[]): void {
  machine.allowance.take(cost.tuple + cost.slot * items.length, machine.at)
  machine.push(items)
}

function pushSet(machine: Machine, start: number, end: number): void {
  machine.allowance.take(cost.set, machine.at)
  const set = new Set()
  machine.containers.addAll(set, machine.stack, start, end, machine.at)
  machine.push(set)
}

/** Fills the dict on top of the stack, which may become a Map. */
function setPairs(machine: Machine, from: readonly unknown[], start: number, end: number): void {
  const dict = machine.top()
  const now = machine.containers.setPairs(dict, from, start, end, machine.at)
  if (now !== dict) machine.replaceTop(now)
}

function pushName(machine: Machine, module: string, name: string): void {
  machine.allowance.take(cost.object, machine.at)
  machine.push(lookUp(module, name, machine.at))
}
