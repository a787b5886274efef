/**
 * What a SIGKILL loses: a process sets new entries one after the other, and notes after each how many calls have completed. It
 * is killed at a random moment (Redis and its client together), and the entries that come back are counted. An entry is lost
 * if its call had completed.
 */
import { fork } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { median } from '../harness/measure.mjs'
import { randomFrom } from '../harness/workload.mjs'
import { IN_MEMORY, OWN, PROMISED, STORES, whyAbsent } from '../peers/peers.mjs'

export const KIND = '40-byte text'
export const KILL_PEERS = [OWN[0], ...IN_MEMORY, ...PROMISED, ...STORES]
/** More than any system sets before it is killed; fewer than quick-lru's or lru-cache's arrays can hold. */
export const ENTRIES_MOST = 2_000_000
export const CALLS_PER_TURN = 100
/** `user:` and six or seven digits, and the value. */
const BYTES_PER_ENTRY = 52
const PROGRAM = fileURLToPath(new URL('../harness/set-until-killed.mjs', import.meta.url))

export const kill = {
  name: 'kill',
  title: 'SIGKILL',
  cases: ({ isQuick }) => (isQuick ? [] : KILL_PEERS.map(({ name }) => ({ system: name }))),
  async run({ system }, { rounds, directory }) {
    const about = (what) => ({
      topic: 'kill',
      case: `${what} at a SIGKILL, in turns of ${CALLS_PER_TURN} calls`,
      kind: KIND,
      system,
    })
    const peer = KILL_PEERS.find(({ name }) => name === system)
    const missing = await whyAbsent(peer)
    if (missing !== undefined) return [{ ...about('lost'), absent: missing }]
    const random = randomFrom(system.length)
    const lost = []
    const completed = []
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      const own = join(directory, String(round))
      mkdirSync(own)
      const count = await setAndKill(system, own, 300 + random() * 400)
      const back = await countBack(peer, own)
      completed.push(count)
      lost.push(Math.max(0, count - back) * BYTES_PER_ENTRY)
    }
    const unit = `bytes of ${Math.round((median(completed) * BYTES_PER_ENTRY) / 1e3)} kB set`
    return [{ ...about('lost'), value: median(lost), low: Math.min(...lost), high: Math.max(...lost), unit }]
  },
}

/** @returns How many calls had completed when it was killed. */
function setAndKill(system, directory, afterMs) {
  const note = join(directory, 'completed')
  return new Promise((resolve, reject) => {
    const child = fork(PROGRAM, [system, directory, note], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    let isKilled = false
    child.once('message', ({ serverPid }) =>
      setTimeout(() => {
        isKilled = true
        if (serverPid !== undefined) process.kill(serverPid, 'SIGKILL')
        child.kill('SIGKILL')
      }, afterMs),
    )
    child.once('exit', () => {
      if (isKilled) resolve(readFileSync(note).readDoubleLE(0))
      else reject(new Error('it ended before it was killed'))
    })
  })
}

async function countBack(peer, directory) {
  const handle = await peer.open({ size: ENTRIES_MOST, directory, kind: KIND })
  const count = (await handle.count?.()) ?? 0
  await handle.close?.()
  return count
}
