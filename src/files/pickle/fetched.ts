/**
 * Finds the memo indices that a pickle fetches, by skipping through its opcodes before it is read. Python's pickler memoizes
 * every container and every str but fetches few of them. The others need not be kept, so that the entries of a large file
 * become garbage as soon as they have been handed over.
 *
 * It stops at the first malformed opcode, which reading then reports.
 */
import { Cursor } from './cursor.js'
import { LINE_BYTES_MAX } from './limits.js'
import { type OpcodeName, opcodes } from './opcodes.js'
import { Slice } from './slices.js'

/** An opcode's argument: a number of bytes, one or two lines, or a length of 1, 4 or 8 bytes followed by that many bytes. */
type Argument = number | 'line' | 'two lines' | 'length1' | 'length4' | 'length8'

const argumentsByName: Partial<Record<OpcodeName, Argument>> = {
  PUT: 'line',
  BINPUT: 1,
  LONG_BINPUT: 4,
  PROTO: 1,
  FRAME: 8,
  INT: 'line',
  BININT: 4,
  BININT1: 1,
  BININT2: 2,
  LONG: 'line',
  LONG1: 'length1',
  LONG4: 'length4',
  FLOAT: 'line',
  BINFLOAT: 8,
  STRING: 'line',
  BINSTRING: 'length4',
  SHORT_BINSTRING: 'length1',
  UNICODE: 'line',
  BINUNICODE: 'length4',
  SHORT_BINUNICODE: 'length1',
  BINUNICODE8: 'length8',
  BINBYTES: 'length4',
  SHORT_BINBYTES: 'length1',
  BINBYTES8: 'length8',
  BYTEARRAY8: 'length8',
  GLOBAL: 'two lines',
  INST: 'two lines',
  EXT1: 1,
  EXT2: 2,
  EXT4: 4,
  PERSID: 'line',
}

const argumentOf: readonly Argument[] = Array.from({ length: 256 }, (_, code) => {
  const found = Object.entries(opcodes).find(([, known]) => known === code)
  return (found && argumentsByName[found[0] as OpcodeName]) ?? 0
})

/** Returns the indices. Yields its position in bytes between slices. */
export function* fetchedIndices(bytes: Uint8Array): Generator<number, IndexSet, void> {
  const cursor = new Cursor(bytes)
  const fetched = new IndexSet()
  const slice = new Slice()
  try {
    while (cursor.left > 0) {
      if (slice.isOver()) {
        yield cursor.offset
        slice.begin()
      }
      const code = cursor.uint1()
      if (code === opcodes.STOP) break
      if (code === opcodes.BINGET) fetched.add(cursor.uint1())
      else if (code === opcodes.LONG_BINGET) addWithin(fetched, cursor.uint4(), bytes)
      else if (code === opcodes.GET) addWithin(fetched, Number(cursor.line(LINE_BYTES_MAX).toString('latin1')), bytes)
      else stepOver(cursor, argumentOf[code]!)
    }
  } catch {
    // Malformed here: reading refuses it with a better message.
  }
  return fetched
}

/** No file memoizes more values than it has bytes; the indices of Python 2's old picklers start a little above 0. */
export function isIndexWithin(index: number, bytes: Uint8Array): boolean {
  return index <= bytes.length + 0xff
}

function addWithin(fetched: IndexSet, index: number, bytes: Uint8Array): void {
  if (Number.isSafeInteger(index) && index >= 0 && isIndexWithin(index, bytes)) fetched.add(index)
}

function stepOver(cursor: Cursor, argument: Argument): void {
  switch (argument) {
    case 'length1':
      cursor.skip(cursor.uint1())
      return
    case 'length4':
      cursor.skip(cursor.uint4())
      return
    case 'length8':
      cursor.skip(cursor.uint8())
      return
    case 'two lines':
      cursor.line()
      cursor.line()
      return
    case 'line':
      cursor.line()
      return
    default:
      if (argument > 0) cursor.skip(argument)
  }
}

/** A set of non-negative integers, with a bit for each. */
export class IndexSet {
  #bits = new Uint8Array(1_024)

  has(index: number): boolean {
    return ((this.#bits[index >>> 3] ?? 0) & (1 << (index & 7))) !== 0
  }

  add(index: number): void {
    const place = index >>> 3
    if (place >= this.#bits.length) {
      const grown = new Uint8Array(2 * place + 1)
      grown.set(this.#bits)
      this.#bits = grown
    }
    this.#bits[place]! |= 1 << (index & 7)
  }
}
