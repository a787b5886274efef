/**
 * Writes values that contain no others: int, float, str, bytes. On the writer's path before it: `encoder`; after it: `frames`.
 */
import { ValueError } from '../../errors.js'
import type { Frames } from './frames.js'
import { TEXT_BYTES_MAX } from './limits.js'
import { opcodes } from './opcodes.js'
import { encodeUtf8 } from './text.js'

/** Longer str and bytes are written between frames instead of being copied into one. */
const LARGE_BYTES = 2 ** 16

/** UTF-8 takes at most three bytes for each unit of a string, so the length of a text of up to 85 units fits in one byte. */
const SHORT_TEXT_UNITS = 85

/** A safe integer is written as an int; any other number, including −0, as a float. */
export function writeNumber(frames: Frames, value: number): void {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    writeFloat(frames, value)
  } else if (value >= 0 && value <= 0xff) {
    const at = frames.reserve(2)
    frames.bytes[at] = opcodes.BININT1
    frames.bytes[at + 1] = value
  } else if (value >= 0 && value <= 0xffff) {
    const at = frames.reserve(3)
    frames.bytes[at] = opcodes.BININT2
    frames.bytes.writeUInt16LE(value, at + 1)
  } else if (value === (value | 0)) {
    const at = frames.reserve(5)
    frames.bytes[at] = opcodes.BININT
    frames.bytes.writeInt32LE(value, at + 1)
  } else {
    // The upper half has at most 22 bits with its sign: one, two or three bytes more.
    const upper = Math.floor(value / 2 ** 32)
    const length = upper === (upper << 24) >> 24 ? 5 : upper === (upper << 16) >> 16 ? 6 : 7
    const at = frames.reserve(2 + length)
    frames.bytes[at] = opcodes.LONG1
    frames.bytes[at + 1] = length
    frames.bytes.writeUInt32LE(value >>> 0, at + 2)
    frames.bytes.writeIntLE(upper, at + 6, length - 4)
  }
}

export function writeFloat(frames: Frames, value: number): void {
  const at = frames.reserve(9)
  frames.bytes[at] = opcodes.BINFLOAT
  frames.bytes.writeDoubleBE(value, at + 1)
}

/** An int of any size: `bytes` are its little-endian two's complement. */
export function writeLong(frames: Frames, bytes: Buffer): void {
  if (bytes.length <= 0xff) {
    writeBody(frames, shortHeader(opcodes.LONG1, bytes.length), bytes.length, copyOf(bytes))
  } else {
    writeBody(frames, header4(opcodes.LONG4, bytes.length), bytes.length, copyOf(bytes))
  }
}

export function writeText(frames: Frames, text: string): void {
  if (text.length <= SHORT_TEXT_UNITS) {
    writeShortText(frames, text)
    return
  }
  const length = Buffer.byteLength(text)
  if (length > TEXT_BYTES_MAX) {
    throw new ValueError(`Cannot write a text of ${length} bytes to a Python pickle: it could not be read back`, {
      consequence: 'No file was written.',
      advice: 'Store it in parts.',
    })
  }
  const header = length <= 0xff ? shortHeader(opcodes.SHORT_BINUNICODE, length) : header4(opcodes.BINUNICODE, length)
  writeBody(frames, header, length, (target, at) => encodeUtf8(text, target, at))
}

/** Most texts are short and ASCII: then copying the characters is faster than calling Node. */
function writeShortText(frames: Frames, text: string): void {
  const units = text.length
  const at = frames.reserve(2 + units)
  const { bytes } = frames
  bytes[at] = opcodes.SHORT_BINUNICODE
  bytes[at + 1] = units
  let ascii = 0
  for (; ascii < units; ascii++) {
    const unit = text.charCodeAt(ascii)
    if (unit >= 0x80) break
    bytes[at + 2 + ascii] = unit
  }
  if (ascii === units) return
  const length = Buffer.byteLength(text)
  frames.reserve(length - units)
  // Reserving may have moved the text to another slab; it still ends where the reservation ends.
  const start = frames.reserve(0) - length
  frames.bytes[start - 1] = length
  encodeUtf8(text, frames.bytes, start)
}

export function writeBytes(frames: Frames, data: Uint8Array): void {
  const { length } = data
  const header =
    length <= 0xff
      ? shortHeader(opcodes.SHORT_BINBYTES, length)
      : length < 2 ** 32
        ? header4(opcodes.BINBYTES, length)
        : header8(opcodes.BINBYTES8, length)
  writeBody(frames, header, length, copyOf(data))
}

function writeBody(
  frames: Frames,
  header: Uint8Array,
  length: number,
  write: (target: Buffer, at: number) => void,
): void {
  if (length >= LARGE_BYTES) {
    frames.unframed(header, length, write)
    return
  }
  const at = frames.reserve(header.length + length)
  frames.bytes.set(header, at)
  write(frames.bytes, at + header.length)
}

function copyOf(data: Uint8Array): (target: Buffer, at: number) => void {
  return (target, at) => target.set(data, at)
}

function shortHeader(code: number, length: number): Uint8Array {
  return Uint8Array.of(code, length)
}

function header4(code: number, length: number): Uint8Array {
  const header = Buffer.alloc(5)
  header[0] = code
  header.writeUInt32LE(length, 1)
  return header
}

function header8(code: number, length: number): Uint8Array {
  const header = Buffer.alloc(9)
  header[0] = code
  header.writeBigUInt64LE(BigInt(length), 1)
  return header
}
