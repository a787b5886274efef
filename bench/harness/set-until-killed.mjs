/** `node set-until-killed.mjs SYSTEM DIRECTORY NOTE`: sets new entries, and writes to the file NOTE how many calls completed. */
import { openSync, writeSync } from 'node:fs'
import { CALLS_PER_TURN, ENTRIES_MOST, KILL_PEERS, KIND } from '../contests/kill.mjs'
import { wayOf } from './contest.mjs'
import { compileLoop } from './loop.mjs'
import { keyOf, valuesOf } from './workload.mjs'

process.once('disconnect', () => process.exit(1)) // the parent is gone
const [system, directory, note] = process.argv.slice(2)
const peer = KILL_PEERS.find(({ name }) => name === system)
const handle = await peer.open({ size: ENTRIES_MOST, directory, kind: KIND })
const values = valuesOf(KIND, CALLS_PER_TURN)
const file = openSync(note, 'w')
const number = Buffer.alloc(8)
let answered = 0
// A completed write belongs to the kernel, so the note survives this process however it ends.
const noteDown = (calls) => {
  number.writeDoubleLE((answered += calls))
  writeSync(file, number, 0, 8, 0)
}
noteDown(0)
process.send({ serverPid: handle.server?.pid })

// A synchronous `set` is complete when it returns, lmdb's when its promise resolves.
const call = handle.calls.setAcknowledged ?? handle.calls.set
const way = wayOf(handle, handle.calls.setAcknowledged === undefined ? 'set' : 'setAcknowledged')
const isMany = typeof way === 'number'
const each = compileLoop(
  isMany ? call : `(${way === 'sync' ? '' : 'await '}${call}, noteDown(1))`,
  { ...handle.scope, noteDown },
  way,
)
for (let first = 0; first < ENTRIES_MOST; first += CALLS_PER_TURN) {
  const keys = values.map((_, index) => keyOf(first + index))
  await each(keys, values, 0, CALLS_PER_TURN)
  if (isMany) noteDown(CALLS_PER_TURN)
  await new Promise((resolve) => setImmediate(resolve))
}
