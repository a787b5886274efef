/** Durable acknowledgement: every system forces its file to disk before a call completes; several callers wait at a time. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { compileLoop } from '../harness/loop.mjs'
import { measure, rowsOf } from '../harness/measure.mjs'
import { keysOf, valuesOf } from '../harness/workload.mjs'
import { DURABLE, OWN, whyAbsent } from '../peers/peers.mjs'

const KIND = '40-byte text'
const ROUND_MS = 150

export const durable = {
  name: 'durable',
  title: 'durable acknowledgement',
  cases: ({ isQuick }) => (isQuick ? [] : [1, 8, 64, 256].map((waiting) => ({ waiting }))),
  async run({ waiting }, { rounds, directory }) {
    const about = { topic: 'durable', case: `set, acknowledged as durable, ${waiting} waiting`, kind: KIND }
    const [daybook] = OWN
    const keys = keysOf(10_000)
    const values = valuesOf(KIND, keys.length)
    const contenders = []
    const absent = []
    const handles = []
    try {
      for (const [place, peer] of [daybook, ...DURABLE].entries()) {
        const own = join(directory, String(place))
        mkdirSync(own)
        try {
          const missing = await whyAbsent(peer)
          if (missing !== undefined) throw new Error(missing)
          const handle = await peer.open({ size: keys.length, directory: own, kind: KIND, fsync: 'always' })
          handles.push(handle)
          contenders.push(await contender(peer.name, handle, waiting, keys, values))
        } catch (error) {
          absent.push({ ...about, system: peer.name, absent: String(error.message).split('\n')[0] })
        }
      }
      const figures = await measure(contenders, Math.min(rounds, 9))
      const micros = new Map([...figures].map(([name, list]) => [name, list.map((ns) => ns / 1e3)]))
      return [...rowsOf({ ...about, unit: 'µs/call' }, micros), ...absent]
    } finally {
      for (const handle of handles) await handle.close?.()
    }
  },
}

/** `waiting` callers, each of which makes its next call when the last one has been acknowledged. */
async function contender(name, handle, waiting, keys, values) {
  const caller = compileLoop(handle.calls.setDurable, handle.scope, 'awaited')
  // Starts elsewhere each time, so that a key gets a different value: SQLite does not write or sync an equal one.
  let times = 0
  const callers = (each) => {
    const first = (times++ * 797) % (keys.length - each - waiting * 20)
    return Promise.all(Array.from({ length: waiting }, (_, index) => caller(keys, values, first + index * 20, each)))
  }
  await callers(2)
  const startMs = performance.now()
  await callers(4)
  const each = Math.max(1, Math.min(200, Math.round((ROUND_MS * 4) / (performance.now() - startMs))))
  return { name, calls: each * waiting, run: () => callers(each) }
}
