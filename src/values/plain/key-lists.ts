/** The lists of keys of objects that are decoded. Those met lately are kept: most objects have the keys of an earlier one. */
import { ByteReader } from '../bytes/byte-reader.js'
import { KEY_LENGTH_MAX, SHAPE_KEYS_MAX } from './shapes.js'

/** Beyond this, all are forgotten. */
const LISTS_MAX = 1_000
/** Longer ones are not kept. */
const LIST_BYTES_MAX = SHAPE_KEYS_MAX * KEY_LENGTH_MAX
const RECENT = 512

/** The keys of an encoded shape. */
export class KeyList {
  readonly keys: readonly string[]
  /** Its bytes, as latin1. */
  readonly name: string
  /** Those of the parts that were objects, the last time: most often they are the same again, and need not be kept twice. */
  lastBranches: readonly string[] = []

  constructor(keys: readonly string[], name: string) {
    this.keys = keys
    this.name = name
  }
}

const lists = new Map<string, KeyList>()
/** Those met lately, by {@link recentPlace}: most lists are found without hashing their bytes. */
const recent: (KeyList | undefined)[] = new Array(RECENT).fill(undefined)

export function keysIn(reader: ByteReader): KeyList {
  const start = reader.at
  const length = reader.varint()
  const place = recentPlace(reader, length)
  const found = recent[place]
  if (found !== undefined && found.name.length === length && reader.skipIfNext(found.name)) return found
  reader.at = start
  const list = find(reader.view())
  if (length <= LIST_BYTES_MAX) recent[place] = list
  return list
}

/** By its length and its last characters, in which lists of one length differ most often. */
function recentPlace({ bytes, at, end }: ByteReader, length: number): number {
  const last = at + length - 1
  if (length < 3 || last >= end) return 0
  return (
    (length + (bytes[last] as number) * 3 + (bytes[last - 1] as number) * 31 + (bytes[last - 2] as number) * 67) %
    RECENT
  )
}

function find(bytes: Buffer): KeyList {
  const name = bytes.latin1Slice(0, bytes.length)
  if (bytes.length > LIST_BYTES_MAX) return new KeyList(keysOf(bytes), name)
  let list = lists.get(name)
  if (list === undefined) {
    list = new KeyList(keysOf(bytes), name)
    if (lists.size >= LISTS_MAX) lists.clear()
    lists.set(name, list)
  }
  return list
}

function keysOf(bytes: Buffer): readonly string[] {
  const reader = new ByteReader(bytes, 0, bytes.length)
  const keys: string[] = []
  while (reader.at < reader.end) keys.push(internalized(reader.text(reader.byte())))
  return keys
}

/** The text as V8 has it in property names, so that it need not look it up at each use. */
function internalized(key: string): string {
  return Object.keys({ __proto__: null, [key]: 0 })[0] as string
}
