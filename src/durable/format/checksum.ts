import { crc32 } from 'node:zlib'

/** CRC-32 (IEEE 802.3, as in gzip) of `bytes`, continued from `start`. Detects every damage of up to 32 bits in a row. */
export function checksum(bytes: Uint8Array, start = 0): number {
  return crc32(bytes, start)
}
