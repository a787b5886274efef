/**
 * A value as the cache holds it. What JavaScript cannot change from outside is held as it is; everything else is held as
 * the bytes that the journal also gets, so that no caller can change a cached object behind the journal's back.
 */
export type StoredValue = null | boolean | number | string | bigint | EncodedValue

/** How the bytes of an {@link EncodedValue} are to be read. The numbers stand in the journal: docs/format.md. */
export type Encoding = 'structured' | 'bytes' | 'buffer'

/** An object, encoded once when it was set. */
export class EncodedValue {
  readonly encoding: Encoding
  readonly bytes: Uint8Array
  /** With `isolation: 'share'`: the caller's own object. `undefined` until it is first decoded after a recovery. */
  shared: unknown

  constructor(encoding: Encoding, bytes: Uint8Array, shared?: unknown) {
    this.encoding = encoding
    this.bytes = bytes
    this.shared = shared
  }
}
