/** Values arrive from a worker as bytes. They are stored or refused exactly as `storeValue` would store or refuse the value. */
import { serialize } from 'node:v8'
import test from 'ava'
import fc from 'fast-check'
import type { EncodedValue } from '../../../../src/core/model/stored-value.js'
import { OP } from '../../../../src/edges/remote/wire/codes.js'
import { ANSWERS } from '../../../../src/edges/remote/wire/protocol.js'
import { BUFFER, BYTES, STRUCTURED, toStored } from '../../../../src/edges/remote/wire/wire-value.js'
import { connect } from '../../../../src/edges/threads/threads.js'
import { ValueError } from '../../../../src/index.js'
import { adoptEncoded, restoreValue, storeValue } from '../../../../src/values/encode.js'
import { openMemory } from '../../../helpers/open-memory.js'
import { runs } from '../../../helpers/runs.js'

/** Own bytes, as they come out of a port. */
const own = (bytes: Uint8Array) => Uint8Array.from(bytes)

function outcome(make: () => unknown): unknown {
  try {
    return restoreValue(make() as EncodedValue, 'copy')
  } catch (error) {
    return error
  }
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = level % 2 ? [value] : { value }
  return value
}

const VALUES: readonly unknown[] = [
  { a: [1, { b: new Date(5) }], c: new Map([[{ k: 1 }, new Set([1n])]]) },
  {
    floats: new Float64Array([1.5, -0]),
    view: new DataView(new ArrayBuffer(3)),
    bytes: new Uint8Array(70_000).fill(7),
  },
  Object.assign(new Array(3), { 0: 1, 2: 3 }), // a hole is not undefined
  { text: 'a _ in a text' },
  new Error('kept', { cause: new TypeError('deep') }),
  nested(1_000),
  nested(1_001),
  nested(50_000),
  { a: undefined },
  [new Map([['k', undefined]])],
  new Set([[undefined]]),
  new Error('e', { cause: undefined }),
  Object.assign(new Boolean(false), {}),
  JSON.parse('{"__proto__": {"x": 1}}'),
]

for (const [index, value] of VALUES.entries()) {
  test(`bytes are accepted or refused as their value is (${index})`, (t) => {
    let bytes: Uint8Array
    try {
      bytes = own(serialize(value))
    } catch {
      t.throws(() => storeValue(value, 'copy'), { instanceOf: ValueError }) // too deep to be written
      return
    }
    const direct = outcome(() => storeValue(value, 'copy'))
    const adopted = outcome(() => adoptEncoded('structured', bytes))
    if (direct instanceof ValueError) t.true(adopted instanceof ValueError, String(adopted))
    else t.deepEqual(adopted, direct)
  })
}

test('a primitive that arrives as bytes is stored as a primitive', (t) => {
  for (const value of [null, true, -0, 1.5, 10n, 'ü\ud800'])
    t.is(adoptEncoded('structured', own(serialize(value))), value)
  t.throws(() => adoptEncoded('structured', own(serialize(undefined))), { instanceOf: ValueError })
})

test('damaged bytes are either a readable value or a ValueError', (t) => {
  const sound = VALUES.slice(0, 5).map((value) => own(serialize(value)))
  let accepted = 0
  let refused = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: sound.length - 1 }),
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
      fc.nat(),
      (which, damages, cut) => {
        const bytes = (sound[which] as Uint8Array).slice()
        for (const [place, byte] of damages) bytes[place % Math.min(200, bytes.length)] = byte
        const end = cut % 3 === 0 ? cut % bytes.length : bytes.length
        const given = bytes.slice(0, end)
        let stored: EncodedValue
        try {
          stored = adoptEncoded('structured', given) as EncodedValue
        } catch (error) {
          if (!(error instanceof ValueError)) throw error
          refused++
          return
        }
        accepted++
        t.not(restoreValue(stored, 'copy'), undefined)
        if (typeof stored === 'object' && stored !== null) restoreValue(stored, 'copy') // a second time
      },
    ),
    { numRuns: runs(3_000) },
  )
  t.true(accepted > 0 && refused > 0, `${accepted} accepted, ${refused} refused`)
})

test('random bytes are a ValueError', (t) => {
  for (const bytes of [
    [],
    [255],
    [255, 15],
    [255, 99, 111],
    [1, 2, 3],
    [255, 15, 65, 255, 255, 255, 255, 15],
    [255, 15, 92, 1],
  ])
    t.throws(() => adoptEncoded('structured', Uint8Array.from(bytes)), {
      instanceOf: ValueError,
      message: /Nothing was changed/,
    })
})

test('shared memory is refused, and part of a larger buffer is copied', (t) => {
  for (const tag of [STRUCTURED, BYTES, BUFFER]) {
    const shared = new Uint8Array(new SharedArrayBuffer(16))
    shared.set(serialize([1]))
    t.throws(() => toStored([tag, shared]), { instanceOf: ValueError })
    const large = new ArrayBuffer(100_000)
    const encoded = serialize(new Map([[1, 2]]))
    const part = new Uint8Array(large, 5, encoded.length)
    part.set(encoded)
    const stored = toStored([tag, part]) as EncodedValue
    t.is(stored.bytes.buffer.byteLength, encoded.length)
  }
})

test('a value is refused in the answer to its own request: the rest of the batch is done', async (t) => {
  const { cache } = await openMemory(t)
  const port = cache.share()
  const answers = new Promise<unknown[][]>((resolve) => {
    port.on('message', (parts: unknown[][]) => {
      if (parts[0]?.[0] === ANSWERS) resolve(parts)
    })
  })
  const bad = [STRUCTURED, own(serialize({ a: 1 })).slice(0, 4)]
  const good = [STRUCTURED, own(serialize({ a: 1 }))]
  port.postMessage([
    1,
    OP.put,
    'a',
    1,
    OP.put,
    'b',
    bad,
    OP.put,
    'c',
    good,
    OP.put,
    'd',
    [STRUCTURED, new Uint8Array(9)],
  ])
  const [part] = await answers
  const [, , first, second, third, fourth] = part as unknown[]
  t.deepEqual([first, third], [true, true])
  t.deepEqual([(second as unknown[])[1], (fourth as unknown[])[1]], ['ValueError', 'ValueError'])
  t.deepEqual(cache.keys(), ['a', 'c'])
  t.deepEqual(cache.get('c'), { a: 1 })
  const client = await connect(cache.share())
  t.is(await client.increment('a'), 2)
})
