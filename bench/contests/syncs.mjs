/**
 * Checks from outside whether durability is real: counts with strace the system calls that force data to disk, for a number of
 * acknowledged calls made one after the other.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sqliteNormal } from '../peers/better-sqlite3.mjs'
import { DURABLE, OWN, whyAbsent } from '../peers/peers.mjs'

const CALLS = 100
const PROGRAM = fileURLToPath(new URL('../harness/acknowledged-sets.mjs', import.meta.url))
export const SYNC_PEERS = [
  ...OWN.slice(0, 1),
  ...DURABLE.filter(({ name }) => !name.includes('pipelining')),
  sqliteNormal,
]

export const syncs = {
  name: 'syncs',
  title: 'calls that force data to disk',
  cases: ({ isQuick }) => (isQuick ? [] : [{}]),
  async run(_, { directory }) {
    const rows = []
    for (const [place, peer] of SYNC_PEERS.entries()) {
      const about = { topic: 'syncs', case: 'syncs per acknowledged set, one by one', system: peer.name }
      const own = join(directory, String(place))
      mkdirSync(own)
      const missing = (await whyAbsent(peer)) ?? (await count(peer.name, own))
      rows.push(
        typeof missing === 'string' ? { ...about, absent: missing } : { ...about, value: missing, unit: 'syncs/call' },
      )
    }
    return rows
  },
}

/** Compares a run with one that makes twice the calls, which cancels out opening and closing. */
async function count(name, directory) {
  const counts = []
  for (const calls of [CALLS, 2 * CALLS]) {
    const log = join(directory, `strace-${calls}`)
    const own = join(directory, `data-${calls}`)
    mkdirSync(own)
    const code = await run('strace', [
      '-f',
      '-qq',
      '-o',
      log,
      '-e',
      'trace=fsync,fdatasync,msync,sync_file_range,pwritev2,openat,pwrite64,write,writev,pwritev',
      process.execPath,
      PROGRAM,
      name,
      own,
      String(calls),
    ])
    if (code !== 0) return code === 'ENOENT' ? 'strace is not installed' : `ended with ${code} under strace`
    counts.push(syncsIn(readFileSync(log, 'latin1')))
  }
  return (counts[1] - counts[0]) / CALLS
}

/** Counts fsync and similar calls, and writes to files that were opened for synchronous writes. */
function syncsIn(log) {
  const through = new Set()
  let syncs = 0
  for (const line of log.split('\n')) {
    const opened = /openat\(.*\bO_D?SYNC\b.*= (\d+)$/.exec(line)
    if (opened) through.add(opened[1])
    const written = /\bp?writev?2?(?:64)?\((\d+)/.exec(line)
    // A call that another thread interrupts has two lines; the second one, '<... fsync resumed>', is not counted.
    if (/\b(fsync|fdatasync|msync|sync_file_range)\(/.test(line) || (written && through.has(written[1]))) syncs++
  }
  return syncs
}

function run(command, parameters) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { stdio: ['ignore', 'ignore', 'inherit'] })
    child.once('error', (error) => resolve(error.code))
    child.once('exit', (code, signal) => resolve(code ?? signal))
  })
}
