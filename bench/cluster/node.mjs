/**
 * A node of a cluster in a process of its own, for `bench/cluster.mjs`: it gets messages `{ id, what, with }` and answers each with
 * `{ id, result }`.
 */
import { openCluster } from '../../dist/src/cluster.js'
import { memoryJournal, openCache } from '../../dist/src/index.js'
import { nats } from '../../dist/src/nats.js'
import { inFlight } from './in-flight.mjs'

const { servers, name, options } = JSON.parse(process.argv[2])
const VALUE = 'x'.repeat(40)
const nowUs = () => Number(process.hrtime.bigint() / 1_000n)

const cache = await openCluster({ name, engine: nats({ servers, replicas: 3 }), ...options })
let place
cache.role$.subscribe((role) => {
  place = role
})

/** When calls were answered, for the longest time without an answer. */
let answers = []
let isLoaded = false
/** What changes$ told, and how long after the call. */
let delaysUs = []
cache.changes$.subscribe(({ key, value }) => {
  if (key === 'probe') delaysUs.push(nowUs() - value)
})

const ASKED = {
  role: () => place,
  size: () => cache.local.size,
  sets: ({ calls, callers }) => inFlight(calls, callers, (call) => cache.set(`key:${call % 10_000}`, VALUE)),
  localGet: ({ calls }) => cpuPerCall(calls, (key) => cache.local.get(key)),
  async plainGet({ calls }) {
    const plain = await openCache({ journal: memoryJournal(), maxSize: 1_000_000 })
    for (let key = 0; key < 10_000; key++) plain.set(`key:${key}`, VALUE)
    const figure = cpuPerCall(calls, (key) => plain.get(key))
    await plain.close()
    return figure
  },
  async probe({ times, pauseMs }) {
    for (let time = 0; time < times; time++) {
      await cache.set('probe', nowUs())
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  },
  delays() {
    const list = delaysUs
    delaysUs = []
    return list
  },
  load() {
    isLoaded = true
    for (let loop = 0; loop < 16; loop++) keepCalling(loop)
  },
  unload() {
    isLoaded = false
  },
  /** Milliseconds. Undefined until there are a hundred answers to calls that were made after `endedUs`. */
  longestGap({ sinceUs, endedUs }) {
    if (answers.filter(({ calledUs }) => calledUs >= endedUs).length < 100) return undefined
    let longestUs = 0
    let lastUs = answers.findLast(({ atUs }) => atUs < sinceUs)?.atUs ?? sinceUs
    for (const { atUs } of answers.filter(({ atUs }) => atUs >= sinceUs)) {
      longestUs = Math.max(longestUs, atUs - lastUs)
      lastUs = atUs
    }
    answers = answers.slice(-1_000)
    return longestUs / 1_000
  },
  async fill({ from, to }) {
    for (let first = from; first < to; first += 10_000) {
      const batches = []
      for (let at = first; at < Math.min(first + 10_000, to); at += 500)
        batches.push(
          cache.setMany(Array.from({ length: Math.min(500, to - at) }, (_, more) => [`key:${at + more}`, VALUE])),
        )
      await Promise.all(batches)
    }
  },
  compact: () => cache.compact(),
  async close() {
    await cache.close()
    setImmediate(() => process.exit(0))
  },
}

async function keepCalling(loop) {
  while (isLoaded) {
    const calledUs = nowUs()
    await cache.increment(`loop:${loop}`).then(
      () => answers.push({ calledUs, atUs: nowUs() }),
      () => undefined,
    )
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
  }
}

function cpuPerCall(calls, get) {
  const keys = Array.from({ length: 10_000 }, (_, key) => `key:${key}`)
  const run = (times) => {
    for (let call = 0; call < times; call++) get(keys[call % 10_000])
  }
  run(calls >> 2)
  const before = process.cpuUsage()
  run(calls)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

process.on('message', async ({ id, what, with: parameters }) => {
  try {
    process.send({ id, result: await ASKED[what](parameters ?? {}) })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
process.on('disconnect', () => process.exit(1))
process.send({ id: 0, result: 'open' })
