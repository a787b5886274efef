import assert from 'node:assert/strict'
import test from 'ava'
import fc from 'fast-check'
import {
  decodeUseOrder,
  encodeOrderOfBirths,
  encodeUseOrder,
  useOrderCount,
} from '../../../src/durable/format/use-order.js'
import { MalformedBytesError } from '../../../src/values/bytes/byte-reader.js'
import { holds } from '../../helpers/property.js'
import { Random } from '../../helpers/random.js'

const upTo = (count: number) => Uint32Array.from({ length: count }, (_, at) => at)

test('any order comes back', (t) =>
  holds(
    t,
    fc.property(
      fc.integer({ min: 0, max: 400 }).chain((count) => fc.shuffledSubarray([...upTo(count)], { minLength: count })),
      fc.integer({ min: 0, max: 400 }),
      (shuffled, inOrder) => {
        // With long runs, too: only some of it is shuffled.
        const ranks = Uint32Array.from([...shuffled, ...upTo(inOrder).map((rank) => rank + shuffled.length)])
        const bytes = encodeUseOrder(ranks)
        assert.deepEqual(decodeUseOrder(bytes), ranks)
        assert.equal(useOrderCount(bytes), ranks.length)
      },
    ),
    500,
  ))

for (const count of [256, 257, 65_536, 65_537]) {
  test(`an order of ${count} entries comes back, and takes at most three bytes an entry`, (t) => {
    const random = new Random(count)
    const ranks = upTo(count).sort(() => random.below(2) - 0.5)
    const bytes = encodeUseOrder(ranks)
    t.true(bytes.length <= 3 * count + 8, `${bytes.length}`)
    t.deepEqual(decodeUseOrder(bytes), ranks)
  })
}

test('no pattern of runs takes more than three bytes an entry', (t) => {
  const count = 70_000
  for (const period of [2, 3, 4, 5, 7, 64]) {
    // Runs of this length, each before the one that precedes it.
    const ranks = upTo(count).map((_, at) => {
      const run = Math.floor(at / period)
      return (
        Math.min(count, (Math.ceil(count / period) - run) * period) -
        Math.min(period, count - run * period) +
        (at % period)
      )
    })
    t.true(encodeUseOrder(ranks).length <= 3 * count + 8, `runs of ${period}`)
  }
})

test('the order of births takes a few bytes, and so does one with a few reads', (t) => {
  const ranks = [...upTo(1_000_000)]
  t.true(encodeUseOrder(Uint32Array.from(ranks)).length < 16)
  const [read] = ranks.splice(500_000, 1)
  t.true(encodeUseOrder(Uint32Array.from([...ranks, read as number])).length < 32)
})

test('the order of births of any number of entries can be written without a list of it', (t) => {
  for (const count of [0, 1, 2, 3, 256, 257, 65_536, 65_537, 1_000_000]) {
    const bytes = encodeOrderOfBirths(count)
    t.deepEqual(decodeUseOrder(bytes), upTo(count))
    t.true(bytes.length <= 12)
  }
})

test('bytes that are no order are malformed', (t) => {
  for (const bytes of [
    [],
    [1], // incomplete
    [2, 5, 0], // cut short
    [2, 5, 0, 0], // a rank twice
    [2, 5, 0, 2], // a rank that there is not
    [2, 5, 0, 1, 3, 0], // too many
    [2, 8, 0], // a run beyond the end
    [0xff, 0xff, 0xff, 0xff, 0x0f], // of more entries than there can be
  ]) {
    t.throws(() => decodeUseOrder(Uint8Array.from(bytes)), { instanceOf: MalformedBytesError }, `${bytes}`)
  }
})

test('any bytes are an order, or are refused as malformed', (t) =>
  holds(
    t,
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeUseOrder(bytes)
      } catch (error) {
        if (!(error instanceof MalformedBytesError)) throw error
      }
    }),
    3_000,
  ))
