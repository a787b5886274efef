/**
 * The lines of a file of any size, starting at an offset. A line that does not fit into one piece is measured first and then
 * read into a buffer of its size, so that it is never in memory twice; one that is too long for a value is only measured.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs'

const PIECE_BYTES = 1024 * 1024
const NEWLINE = 0x0a

export interface Line {
  /** Without the newline. `undefined`: longer than `lineBytesMax`. Valid until the next line is read. */
  bytes: Buffer | undefined
  /** Bytes, including the newline if there is one. */
  length: number
  /** Where the next line starts. */
  end: number
}

export function* readLines(
  path: string,
  start: number,
  lineBytesMax: number,
  pieceBytes = PIECE_BYTES,
): Generator<Line, void, undefined> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const piece = Buffer.allocUnsafeSlow(pieceBytes)
  try {
    let offset = start
    for (;;) {
      const filled = readAt(descriptor, piece, offset)
      if (filled === 0) return
      const isLast = filled < piece.length
      let at = 0
      for (
        let newline = piece.indexOf(NEWLINE, 0);
        newline !== -1 && newline < filled;
        newline = piece.indexOf(NEWLINE, at)
      ) {
        yield { bytes: piece.subarray(at, newline), length: newline + 1 - at, end: offset + newline + 1 }
        at = newline + 1
      }
      if (isLast) {
        if (at < filled) yield { bytes: piece.subarray(at, filled), length: filled - at, end: offset + filled }
        return
      }
      offset += at
      if (at === 0) {
        const line = readLongLine(descriptor, piece, offset, lineBytesMax)
        yield line
        offset = line.end
      }
    }
  } finally {
    closeSync(descriptor)
  }
}

function readLongLine(descriptor: number, piece: Buffer, start: number, lineBytesMax: number): Line {
  const { length, hasNewline } = measure(descriptor, piece, start)
  const end = start + length + (hasNewline ? 1 : 0)
  if (length > lineBytesMax) return { bytes: undefined, length: end - start, end }
  const bytes = Buffer.allocUnsafeSlow(length)
  return { bytes: bytes.subarray(0, readAt(descriptor, bytes, start)), length: end - start, end }
}

function measure(descriptor: number, piece: Buffer, start: number): { length: number; hasNewline: boolean } {
  for (let offset = start; ; ) {
    const filled = readAt(descriptor, piece, offset)
    const newline = piece.subarray(0, filled).indexOf(NEWLINE)
    if (newline !== -1) return { length: offset + newline - start, hasNewline: true }
    offset += filled
    if (filled < piece.length) return { length: offset - start, hasNewline: false }
  }
}

/** Fills `target` from an offset in the file; returns how many bytes were read. */
function readAt(descriptor: number, target: Buffer, offset: number): number {
  let done = 0
  while (done < target.length) {
    const read = readSync(descriptor, target, done, target.length - done, offset + done)
    if (read === 0) break
    done += read
  }
  return done
}
