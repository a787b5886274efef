/**
 * An order of use in bytes: ranks from 0 to count − 1, each once, least recently used first. Neighbours that are also neighbours in
 * the order of births are written as a run, others one by one. So a few reads take a few bytes, and any order at most three bytes
 * an entry (and a few).
 *
 *   use-order = count { run | some }     varint count
 *   run       = length rank              varint 2 × length; the first rank, which the others follow
 *   some      = length { rank }          varint 2 × length + 1
 *
 * A rank has 1, 2 or 3 bytes: as many as count − 1 needs.
 */
import { ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { ByteWriter } from '../../values/bytes/byte-writer.js'

const RUN_MIN = 3
const COUNT_MAX = 2 ** 24

const widthFor = (count: number) => (count <= 2 ** 8 ? 1 : count <= 2 ** 16 ? 2 : 3)

export function encodeUseOrder(ranks: Uint32Array): Uint8Array {
  const { length: count } = ranks
  const width = widthFor(count)
  const writer = new ByteWriter(64)
  const put = (rank: number) => {
    writer.length = writer.bytes.writeUIntLE(rank, writer.length, width)
  }
  const putSome = (from: number, to: number) => {
    if (from === to) return
    writer.reserve(5 + (to - from) * width)
    writer.putVarint(2 * (to - from) + 1)
    for (let at = from; at < to; at++) put(ranks[at] as number)
  }
  writer.putVarint(count)
  let single = 0
  for (let at = 0; at < count; ) {
    let end = at + 1
    while (end < count && ranks[end] === (ranks[end - 1] as number) + 1) end++
    if (end - at >= RUN_MIN) {
      putSome(single, at)
      writer.reserve(5 + width)
      writer.putVarint(2 * (end - at))
      put(ranks[at] as number)
      single = end
    }
    at = end
  }
  putSome(single, count)
  return writer.bytes.subarray(0, writer.length)
}

/** The order of births of `count` entries, which is a single run, without a list of their ranks. */
export function encodeOrderOfBirths(count: number): Uint8Array {
  const writer = new ByteWriter(16)
  writer.putVarint(count)
  if (count > 0) {
    writer.putVarint(2 * count)
    writer.length = writer.bytes.writeUIntLE(0, writer.length, widthFor(count))
  }
  return writer.bytes.subarray(0, writer.length)
}

/** @throws MalformedBytesError unless the bytes are an order of use. */
export function decodeUseOrder(bytes: Uint8Array): Uint32Array {
  const reader = new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  const count = countOf(reader)
  const width = widthFor(count)
  const ranks = new Uint32Array(count)
  const isTaken = new Uint8Array(count)
  let at = 0
  const take = (rank: number) => {
    if (at >= count || rank >= count || isTaken[rank] === 1)
      throw new MalformedBytesError('an order of use is impossible')
    isTaken[rank] = 1
    ranks[at++] = rank
  }
  while (reader.at < reader.end) {
    const head = reader.varint()
    const length = head >>> 1
    if ((head & 1) === 0) {
      const first = reader.unsigned(width)
      for (let next = 0; next < length; next++) take(first + next)
    } else for (let next = 0; next < length; next++) take(reader.unsigned(width))
  }
  if (at !== count) throw new MalformedBytesError('an order of use is incomplete')
  return ranks
}

/** How many entries an order of use is of. */
export function useOrderCount(bytes: Uint8Array): number {
  return countOf(new ByteReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length))
}

function countOf(reader: ByteReader): number {
  const count = reader.varint()
  if (count > COUNT_MAX) throw new MalformedBytesError(`an order of use of ${count} entries`)
  return count
}
