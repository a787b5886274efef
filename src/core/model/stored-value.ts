/**
 * A value as the cache holds it. Primitives are held as they are; an object as a copy that belongs to the cache alone, or as the
 * bytes that are also in the journal, so that no caller can change a cached object behind the journal's back.
 */
export type StoredValue = null | boolean | number | string | bigint | EncodedPlain | EncodedValue

/** Plain data as it is decoded (`values/plain/plain-data.ts`). */
export type PlainData = object & { readonly [plain]: true }
declare const plain: unique symbol

/**
 * The bytes of plain data. Few are held as a text of one character for each, which takes less memory; many as bytes, which are
 * outside of V8's heap.
 */
export type PlainBytes = string | Uint8Array

/** Plain data: in bytes until its first use, and then as the cache's own copy. */
export class EncodedPlain {
  /** `undefined` once there is a {@link copy}. */
  bytes: PlainBytes | undefined
  /** The cache's own copy, of which callers get copies. `null`: there is none, but it has been used once. */
  copy: PlainData | null | undefined
  /** The object to share, or to give frozen, if the cache does that: the caller's own, or the one that was decoded first. */
  object: unknown

  constructor(bytes: PlainBytes, object?: unknown) {
    this.bytes = bytes
    this.copy = undefined
    this.object = object
  }
}

/** How the bytes of an {@link EncodedValue} are decoded. Their numbers in the journal: docs/format.md. */
export type Encoding = 'structured' | 'errors' | 'bytes' | 'buffer'

/** Any other object, encoded once when it was set. */
export class EncodedValue {
  readonly encoding: Encoding
  readonly bytes: Uint8Array
  /** The object to share, or to give frozen, if the cache does that: the caller's own, or the one that was decoded first. */
  object: unknown

  constructor(encoding: Encoding, bytes: Uint8Array, object?: unknown) {
    this.encoding = encoding
    this.bytes = bytes
    this.object = object
  }
}
