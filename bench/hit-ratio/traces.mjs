/** Traces like those of real programs, in small. Seeded, so the same in every run. */
import { keyOf, randomFrom } from '../harness/workload.mjs'

const KEYS = 20_000
const LENGTH = 200_000

export const TRACES = [
  {
    name: 'Zipf 0.8: the k-th most popular key is read in proportion to 1 / k^0.8',
    keys: () => take(LENGTH, zipf(KEYS, 0.8, randomFrom(1))),
  },
  { name: 'Zipf 1.0', keys: () => take(LENGTH, zipf(KEYS, 1, randomFrom(2))) },
  {
    name: 'shifting Zipf 1.0: every 20,000 requests other keys become the popular ones',
    keys: () => take(LENGTH, shifting(zipf(KEYS, 1, randomFrom(3)))),
  },
  {
    name: 'Zipf 1.0 and scans: in each 10,000 requests, 2,000 in a row of keys that do not come again',
    keys: () => take(LENGTH, withScans(zipf(KEYS, 1, randomFrom(4)))),
  },
  {
    name: 'Zipf 1.0, and a third of the requests for keys that do not come again',
    keys: () => take(LENGTH, withNew(zipf(KEYS, 1, randomFrom(5)), randomFrom(6))),
  },
  { name: 'loop: all keys in turn', keys: () => take(LENGTH, loop(KEYS)) },
  {
    name: 'recent: most often one of the keys that were new last',
    keys: () => take(LENGTH, recent(randomFrom(7))),
  },
]

function take(length, draw) {
  return Array.from({ length }, () => keyOf(draw()))
}

/** Ranks from 0 on. */
function zipf(count, exponent, random) {
  const cumulated = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank++) cumulated[rank] = sum += 1 / (rank + 1) ** exponent
  return () => {
    const wanted = random() * sum
    let low = 0
    let high = count - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulated[middle] < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

function shifting(draw) {
  let requests = 0
  return () => {
    const shift = Math.floor(requests++ / 20_000) * (KEYS / 10)
    return (draw() * 7 + shift) % KEYS // 7 and the number of keys have no common divisor
  }
}

function withScans(draw) {
  let requests = 0
  let next = KEYS
  return () => (requests++ % 10_000 < 2_000 ? next++ : draw())
}

function withNew(draw, random) {
  let next = KEYS
  return () => (random() < 1 / 3 ? next++ : draw())
}

function loop(count) {
  let next = 0
  return () => next++ % count
}

/** A key is new in a tenth of the requests. The others are for keys that are about 500 newer ones old. */
function recent(random) {
  let newest = 0
  return () => (random() < 0.1 ? ++newest : Math.max(0, newest - Math.floor(-500 * Math.log(1 - random()))))
}
