/** A value of each kind that has a form of its own in files. `node dist/test/helpers/values/golden.js` prints their bytes. */
import { pathToFileURL } from 'node:url'
import { encodeSet } from '../../../src/durable/format/encode-event.js'
import { ByteWriter } from '../../../src/values/bytes/byte-writer.js'
import { storeValue } from '../../../src/values/encode.js'

/** What V8 writes of some may change with it: these are only read. */
export const WRITTEN_BY_V8 = ['structured', 'error']

export function goldenValues(): Record<string, unknown> {
  const shared = { n: 1 }
  const all = new AggregateError([1, 'two'], 'all')
  const error = Object.assign(new TypeError('message', { cause: all }), { code: 'E_CODE' })
  Object.defineProperty(error, 'name', { value: 'OwnError' })
  error.stack = 'OwnError: message\n    at a place'
  all.stack = 'AggregateError: all'
  return {
    primitives: [null, undefined, true, false, 0, -0, 1.5, Number.NaN, 2 ** 31, 2n ** 70n, 'text', 'é', '\ud800'],
    rows: [
      { id: 1, name: 'Ada', at: new Date(0) },
      { id: 2, name: undefined, at: new Date(Number.NaN) },
    ],
    dictionary: Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`key${n}`, { n }])),
    keys: JSON.parse('{"__proto__": 1, "2": 2, "1": 1, "": 3, "\\ud800": 4, "é": 5}'),
    Date: new Date(1_700_000_000_000),
    structured: new Map<unknown, unknown>([[shared, new Set([shared, undefined])]]),
    error: { error },
    bytes: new Uint8Array([1, 2]),
    buffer: Buffer.from('buffer'),
  }
}

/** A `set` event with an empty key. */
export function goldenBytes(value: unknown): string {
  const writer = new ByteWriter(1_024)
  encodeSet(writer, '', storeValue(value, 'copy'), Number.POSITIVE_INFINITY)
  return writer.bytes.toString('hex', 0, writer.length)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const bytes = Object.entries(goldenValues()).map(([name, value]) => [name, goldenBytes(value)])
  console.log(JSON.stringify(Object.fromEntries(bytes), undefined, 2))
}
