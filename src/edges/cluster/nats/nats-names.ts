/**
 * What the streams, buckets and subjects of a cluster are called. NATS allows few characters in them, and `.`, `*` and `>` mean
 * something in a subject: what is neither a letter, a digit nor a hyphen becomes `_` and two hexadecimal digits for each byte.
 */
/** The one key of the bucket of the pointer. */
export const POINTER = 'pointer'

export class NatsNames {
  /** The stream of the records. */
  readonly stream: string
  /** The subject of every record. */
  readonly records: string
  /** The bucket of the pointer, and of the objects. */
  readonly bucket: string
  readonly #prefix: string

  /** @param inboxPrefix Of the subjects of answers, as the client library has it. */
  constructor(
    readonly name: string,
    readonly inboxPrefix = '_INBOX',
  ) {
    const encoded = encodeName(name)
    this.stream = this.bucket = `daybook-${encoded}`
    this.#prefix = `daybook.${encoded}`
    this.records = `${this.#prefix}.log`
  }

  /** The stream of the pointer. */
  get pointerStream(): string {
    return `KV_${this.bucket}`
  }

  /** The stream of the objects. */
  get objectStream(): string {
    return `OBJ_${this.bucket}`
  }

  /** The subject of the pointer. */
  get pointer(): string {
    return `$KV.${this.bucket}.${POINTER}`
  }

  /** The subject of the message that describes an object. */
  describing(object: string): string {
    return `$O.${this.bucket}.M.${encodeObject(object)}`
  }

  /** The subject of the chunks of an object. */
  chunksOf(object: string): string {
    return this.chunks(encodeObject(object))
  }

  /** The same, by what its description says. */
  chunks(id: string): string {
    return `$O.${this.bucket}.C.${id}`
  }

  /** The object that a message of this subject describes, or is a chunk of. */
  objectOf(subject: string): { readonly name: string; readonly isChunk: boolean } {
    const [kind, encoded = ''] = subject.split('.').slice(-2)
    return { name: Buffer.from(encoded, 'base64url').toString('latin1'), isChunk: kind === 'C' }
  }

  /** Every stream, the one that proves that the others are there last. */
  get streams(): readonly string[] {
    return [this.pointerStream, this.objectStream, this.stream]
  }

  /** A subject of each kind that the client library publishes on. */
  get probes(): readonly string[] {
    return [`$KV.${this.bucket}.-`, `$O.${this.bucket}.C.-`, `$O.${this.bucket}.M.-`, `$JS.FC.${this.stream}.-`]
  }

  /** What the user of a node must be allowed. */
  get permissions(): { readonly publish: readonly string[]; readonly subscribe: readonly string[] } {
    const own = `${this.#prefix}.>`
    const buckets = [`$KV.${this.bucket}.>`, `$O.${this.bucket}.>`]
    const inboxes = `${this.inboxPrefix}.>`
    return { publish: [own, ...buckets, '$JS.API.>', '$JS.FC.>', inboxes], subscribe: [own, inboxes] }
  }

  /** The subject of the messages to an address. */
  addressed(address: string): string {
    return `${this.#prefix}.to.${encodeName(address)}`
  }
}

/** As the client library encodes the name of an object in the subject that describes it. */
export function encodeObject(name: string): string {
  return btoa(name).replaceAll('+', '-').replaceAll('/', '_')
}

function encodeName(name: string): string {
  const escaped = Buffer.from(name).reduce((text, byte) => {
    const char = String.fromCharCode(byte)
    return text + (/[A-Za-z0-9-]/.test(char) ? char : `_${byte.toString(16).padStart(2, '0')}`)
  }, '')
  return escaped === '' ? '_' : escaped
}
