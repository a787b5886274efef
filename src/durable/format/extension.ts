/**
 * The extension of a `set` or `rescheduled` event: parts, each of them its kind, the number of its bytes, and the bytes. Written by
 * `encode-event.ts`, read by `decode-event.ts`.
 */
import { type Extension, extensionOf, NO_TAGS } from '../../core/model/extension.js'
import { type ByteReader, MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { ByteWriter } from '../../values/bytes/byte-writer.js'
import { PART } from './format.js'
import { NewerFormatError } from './newer-format.js'

/** Holds an extension, whose length comes first, until that is known. */
let parts: ByteWriter | undefined
let texts: ByteWriter | undefined

export function encodeExtension(writer: ByteWriter, { freshUntilMs, tags }: Extension): void {
  parts ??= new ByteWriter(256)
  parts.clear()
  if (freshUntilMs !== Number.POSITIVE_INFINITY) {
    if (!(freshUntilMs > Number.NEGATIVE_INFINITY))
      throw new RangeError(`An entry cannot become stale at ${freshUntilMs}.`) // the reader refuses it
    parts.reserve(10)
    parts.putByte(PART.freshUntil)
    parts.putVarint(8)
    parts.putDouble(freshUntilMs)
  }
  if (tags.length > 0) {
    texts ??= new ByteWriter(256)
    texts.clear()
    for (const tag of tags) {
      texts.reserve(1)
      const at = texts.length++
      const encoding = texts.putText(tag) // may move texts.bytes
      texts.bytes[at] = encoding
    }
    parts.reserve(1)
    parts.putByte(PART.tags)
    parts.putBytes(texts.bytes.subarray(0, texts.length))
  }
  writer.putBytes(parts.bytes.subarray(0, parts.length))
}

/** @throws NewerFormatError for a part of a kind that is not known; MalformedBytesError for one that no daybook writes. */
export function decodeExtension(reader: ByteReader, type: 'set' | 'rescheduled'): Extension | undefined {
  const end = endOf(reader)
  let freshUntilMs = Number.POSITIVE_INFINITY
  let tags = NO_TAGS
  while (reader.at < end) {
    const kind = reader.byte()
    if (kind !== PART.freshUntil && (kind !== PART.tags || type !== 'set'))
      throw new NewerFormatError(`an extension of kind ${kind} of an event of type "${type}"`)
    const endOfPart = endOf(reader)
    if (kind === PART.freshUntil) freshUntilMs = takeFreshUntil(reader)
    else tags = takeTags(reader, endOfPart)
    if (reader.at !== endOfPart) throw new MalformedBytesError('a part of an extension has another length')
  }
  if (reader.at !== end) throw new MalformedBytesError('an extension has another length')
  return extensionOf(freshUntilMs, tags)
}

/** Where what begins with a length ends. */
function endOf(reader: ByteReader): number {
  const length = reader.varint()
  if (length > reader.end - reader.at) throw new MalformedBytesError('a length points past the end of the payload')
  return reader.at + length
}

function takeFreshUntil(reader: ByteReader): number {
  const freshUntilMs = reader.double()
  if (!Number.isFinite(freshUntilMs)) throw new MalformedBytesError(`an entry becomes stale at ${freshUntilMs}`)
  return freshUntilMs
}

function takeTags(reader: ByteReader, end: number): string[] {
  const tags: string[] = []
  while (reader.at < end) tags.push(reader.text(reader.byte()))
  if (new Set(tags).size !== tags.length) throw new MalformedBytesError('an entry has a tag twice')
  return tags
}
