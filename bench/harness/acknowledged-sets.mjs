/** `node acknowledged-sets.mjs SYSTEM DIRECTORY CALLS`: sets one after the other, each acknowledged before the next. */
import { SYNC_PEERS } from '../contests/syncs.mjs'
import { compileLoop } from './loop.mjs'
import { keysOf, valuesOf } from './workload.mjs'

const [name, directory, calls] = process.argv.slice(2)
const kind = '40-byte text'
const peer = SYNC_PEERS.find((one) => one.name === name)
const handle = await peer.open({ size: 10_000, directory, kind, fsync: 'always' })
const call = handle.calls.setDurable ?? handle.calls.setAcknowledged
await compileLoop(call, handle.scope, 'awaited')(keysOf(Number(calls)), valuesOf(kind, Number(calls)), 0, Number(calls))
await handle.close?.()
process.exit(0)
