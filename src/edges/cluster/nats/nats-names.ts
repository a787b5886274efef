/**
 * What the streams, buckets and subjects of a cluster are called. NATS allows few characters in them, and `.`, `*` and `>` mean
 * something in a subject: what is neither a letter, a digit nor a hyphen becomes `_` and two hexadecimal digits for each byte.
 */
export class NatsNames {
  /** The stream of the records. */
  readonly stream: string
  /** The subject of every record. */
  readonly records: string
  /** The bucket of the pointer, and of the objects. */
  readonly bucket: string
  readonly #prefix: string

  constructor(readonly name: string) {
    const encoded = encodeName(name)
    this.stream = this.bucket = `daybook-${encoded}`
    this.#prefix = `daybook.${encoded}`
    this.records = `${this.#prefix}.log`
  }

  /** Every stream, the one that proves that the others are there last. */
  get streams(): readonly string[] {
    return [`KV_${this.bucket}`, `OBJ_${this.bucket}`, this.stream]
  }

  /** The subject of the messages to an address. */
  addressed(address: string): string {
    return `${this.#prefix}.to.${encodeName(address)}`
  }
}

function encodeName(name: string): string {
  const escaped = Buffer.from(name).reduce((text, byte) => {
    const char = String.fromCharCode(byte)
    return text + (/[A-Za-z0-9-]/.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`)
  }, '')
  return escaped === '' ? '_' : escaped
}
