/**
 * A value as the cache holds it. Immutable values are held as they are; everything else as the bytes that are also in the
 * journal, so that no caller can change a cached object behind the journal's back.
 */
export type StoredValue = null | boolean | number | string | bigint | EncodedValue

/** How the bytes of an {@link EncodedValue} are decoded. Their numbers in the journal: docs/format.md. */
export type Encoding = 'structured' | 'errors' | 'bytes' | 'buffer'

/** An object, encoded once when it was set. */
export class EncodedValue {
  readonly encoding: Encoding
  readonly bytes: Uint8Array
  /** With `isolation: 'share'`: the caller's own object; after a recovery `undefined` until it is first decoded. */
  shared: unknown

  constructor(encoding: Encoding, bytes: Uint8Array, shared?: unknown) {
    this.encoding = encoding
    this.bytes = bytes
    this.shared = shared
  }
}
