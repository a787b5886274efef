/**
 * A file of keys and values, and nothing else: no checksums, no order, no deadlines. `node map-file.mjs FILE KIND` reads it into a
 * Map and reports to its parent. An entry is the key's length in a byte, the key, and a whole number in four bytes, or the
 * value's length in a byte and its text.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { keyOf, valuesOf } from './workload.mjs'

const PORTION = 1_000

export function writeMapFile(path, kind, entries) {
  const file = openSync(path, 'w')
  for (let first = 0; first < entries; first += PORTION)
    writeSync(
      file,
      Buffer.concat(valuesOf(kind, PORTION, first).flatMap((value, index) => [...parts(keyOf(first + index), value)])),
    )
  closeSync(file)
}

function* parts(key, value) {
  yield sized(key)
  if (typeof value === 'string') yield sized(value)
  else {
    const number = Buffer.alloc(4)
    number.writeInt32LE(value)
    yield number
  }
}

const sized = (text) => Buffer.from(String.fromCharCode(text.length) + text, 'latin1')

function readMapFile(path, kind) {
  const bytes = readFileSync(path)
  const map = new Map()
  const isText = kind !== 'small int'
  for (let at = 0; at < bytes.length; ) {
    const keyEnd = at + 1 + bytes[at]
    const key = bytes.latin1Slice(at + 1, keyEnd)
    if (isText) {
      at = keyEnd + 1 + bytes[keyEnd]
      map.set(key, bytes.latin1Slice(keyEnd + 1, at))
    } else {
      at = keyEnd + 4
      map.set(key, bytes.readInt32LE(keyEnd))
    }
  }
  return map
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [path, kind] = process.argv.slice(2)
  const startMs = performance.now()
  const map = readMapFile(path, kind)
  process.send({ durationMs: performance.now() - startMs, size: map.size })
  process.disconnect()
}
