/** Integers up to 2^53 − 1 as 64 bits, without BigInt. */
const TWO_32 = 2 ** 32

export function writeU64(bytes: Buffer, at: number, value: number): void {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new RangeError(`${value} cannot be written as a count.`)
  bytes.writeUInt32LE(value % TWO_32, at)
  bytes.writeUInt32LE(Math.floor(value / TWO_32), at + 4)
}

/** NaN for a larger number, which {@link writeU64} does not write. */
export function readU64(bytes: Buffer, at: number): number {
  const value = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * TWO_32
  return Number.isSafeInteger(value) ? value : Number.NaN
}
