/**
 * Python's text encodings, where Node's differ. A Python str may hold lone surrogates, as a JavaScript string may; pickle
 * writes them with the error handler 'surrogatepass': three bytes each, which UTF-8 proper forbids and Node replaces.
 * Sources: CPython's Objects/unicodeobject.c (utf-8, raw-unicode-escape) and Objects/bytesobject.c (the bytes escapes).
 */
import { isAscii, isUtf8 } from 'node:buffer'

const BACKSLASH = 0x5c

/** Decodes UTF-8 with 'surrogatepass'; undefined for other bytes. */
export function decodeUtf8(bytes: Buffer): string | undefined {
  if (isAscii(bytes)) return bytes.toString('latin1')
  if (isUtf8(bytes)) return bytes.toString('utf8')
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; ) {
    const point = pointAt(bytes, at)
    if (point < 0) return undefined
    at += utf8Length(point)
    length = appendPoint(units, length, point)
  }
  return fromUnits(units, length)
}

/** The code point at `at`, which may be a surrogate; -1 if the bytes there are not the shortest form of one. */
function pointAt(bytes: Buffer, at: number): number {
  const first = bytes[at]!
  if (first < 0x80) return first
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  let point = first & (0x7f >> length)
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i]
    if (next === undefined || (next & 0xc0) !== 0x80) return -1
    point = (point << 6) | (next & 0x3f)
  }
  // The length check also refuses bytes that are never first (0x80 to 0xc1, 0xf8 and above).
  return first >= 0xc2 && first < 0xf8 && point <= 0x10ffff && utf8Length(point) === length ? point : -1
}

function utf8Length(point: number): number {
  return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4
}

/** Writes `text` as UTF-8 with 'surrogatepass', which takes `Buffer.byteLength(text)` bytes. */
export function encodeUtf8(text: string, target: Buffer, at: number): void {
  if (!/\p{Surrogate}/u.test(text)) {
    target.write(text, at, 'utf8')
    return
  }
  for (let i = 0; i < text.length; i++) {
    const point = text.codePointAt(i)!
    if (point > 0xffff) i++
    const length = utf8Length(point)
    for (let byte = length - 1, rest = point; byte > 0; byte--, rest >>= 6) target[at + byte] = 0x80 | (rest & 0x3f)
    target[at] = length === 1 ? point : ((0xf00 >> length) & 0xff) | (point >> (6 * (length - 1)))
    at += length
  }
}

/** The line of a UNICODE opcode: latin1 with \uXXXX and \UXXXXXXXX; other backslashes are literal. */
export function decodeRawUnicodeEscape(line: Buffer): string | undefined {
  if (line.indexOf(BACKSLASH) < 0) return line.toString('latin1')
  const units = new Uint16Array(line.length)
  let length = 0
  for (let at = 0; at < line.length; at++) {
    const byte = line[at]!
    const letter = byte === BACKSLASH ? line[at + 1] : undefined
    if (letter === 0x75 || letter === 0x55) {
      const digits = letter === 0x75 ? 4 : 8
      const point = hexAt(line, at + 2, digits)
      if (point < 0 || point > 0x10ffff) return undefined
      length = appendPoint(units, length, point)
      at += 1 + digits
    } else {
      units[length++] = byte
      // Two backslashes are two characters: the second one starts no escape.
      if (letter !== undefined) units[length++] = line[++at]!
    }
  }
  return fromUnits(units, length)
}

const ESCAPES = new Map<number, number>([
  [0x5c, 0x5c], // \\
  [0x27, 0x27], // \'
  [0x22, 0x22], // \"
  [0x61, 7], // \a
  [0x62, 8], // \b
  [0x66, 12], // \f
  [0x6e, 10], // \n
  [0x72, 13], // \r
  [0x74, 9], // \t
  [0x76, 11], // \v
])

/** The line of a STRING opcode: the quoted literal that Python 2's `repr` writes for an 8-bit str. */
export function decodeStringLiteral(line: Buffer): Uint8Array | undefined {
  const end = line.length - 1
  if (end < 1 || line[0] !== line[end] || (line[0] !== 0x27 && line[0] !== 0x22)) return undefined
  const bytes = new Uint8Array(end - 1)
  let length = 0
  for (let at = 1; at < end; at++) {
    const byte = line[at]!
    if (byte !== BACKSLASH) {
      bytes[length++] = byte
      continue
    }
    if (++at >= end) return undefined
    const letter = line[at]!
    const plain = ESCAPES.get(letter)
    if (plain !== undefined) bytes[length++] = plain
    else if (letter === 0x78) {
      const value = hexAt(line, at + 1, 2)
      if (value < 0 || at + 2 >= end) return undefined
      bytes[length++] = value
      at += 2
    } else if (letter >= 0x30 && letter <= 0x37) {
      let value = letter - 0x30
      for (let more = 0; more < 2 && line[at + 1]! >= 0x30 && line[at + 1]! <= 0x37; more++) {
        value = value * 8 + line[++at]! - 0x30
      }
      bytes[length++] = value
    } else {
      bytes[length++] = BACKSLASH
      bytes[length++] = letter
    }
  }
  return bytes.slice(0, length)
}

/** The number in `digits` hexadecimal digits at `at`; -1 if one of them is something else. */
function hexAt(line: Buffer, at: number, digits: number): number {
  const text = line.toString('latin1', at, at + digits)
  return text.length === digits && /^[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : -1
}

function appendPoint(units: Uint16Array, length: number, point: number): number {
  if (point <= 0xffff) {
    units[length] = point
    return length + 1
  }
  units[length] = 0xd7c0 + (point >> 10)
  units[length + 1] = 0xdc00 + (point & 0x3ff)
  return length + 2
}

/** Node decodes only little-endian UTF-16, so on a big-endian machine the units are swapped first. */
function fromUnits(units: Uint16Array, length: number): string {
  const bytes = Buffer.from(units.buffer, 0, 2 * length)
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] === 0) bytes.swap16()
  return bytes.toString('utf16le')
}
