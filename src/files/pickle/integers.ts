/**
 * Python's int is a number here if it is a safe integer, otherwise a bigint.
 * Source: `decode_long` and `encode_long` in CPython's Lib/pickle.py: little-endian two's complement, as short as possible.
 */

/** The int of little-endian two's complement bytes; 0 if there are no bytes. */
export function decodeLong(bytes: Buffer): number | bigint {
  if (bytes.length === 0) return 0
  if (bytes.length <= 6) return bytes.readIntLE(0, bytes.length)
  if (bytes.length === 8) return narrow(bytes.readBigInt64LE(0))
  const hex = Buffer.from(bytes).reverse().toString('hex')
  return narrow(BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex}`)))
}

/** The shortest bytes of `value` that {@link decodeLong} reads. Takes linear time, because hexadecimal digits are bits. */
export function encodeLong(value: bigint): Buffer {
  // The bits other than the sign; -1 - value has those of a negative value, inverted.
  const digits = (value < 0n ? -1n - value : value).toString(16)
  const bits = 4 * digits.length - Math.clz32(Number.parseInt(digits.charAt(0), 16)) + 28
  const length = Math.floor(bits / 8) + 1
  const hex = BigInt.asUintN(8 * length, value).toString(16)
  return Buffer.from(hex.padStart(2 * length, '0'), 'hex').reverse()
}

/** The int of decimal digits, as Python's `repr` writes them; undefined for any other text. */
export function decodeDecimal(text: string): number | bigint | undefined {
  if (!/^-?[0-9]+$/.test(text)) return undefined
  return text.length <= 15 ? Number(text) + 0 : narrow(BigInt(text))
}

/** The float of a text that Python's `repr` writes; undefined for any other text. */
export function decodeFloat(text: string): number | undefined {
  const special = /^([+-]?)(nan|inf)$/.exec(text)
  if (special) return special[2] === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
  return /^[+-]?[0-9]+(\.[0-9]*)?(e[+-]?[0-9]+)?$/i.test(text) ? Number(text) : undefined
}

function narrow(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}
