/** What S3-FIFO costs beside LRU: a hit, and a new key that evicts. The two take turns, each in a process of its own, as a program has one of them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { rowsOf, warmUps } from '../harness/measure.mjs'
import { scaled } from '../harness/smoke.mjs'

const PROCESS = new URL('../harness/eviction-process.mjs', import.meta.url)
/** Each has several processes, one after the other: how fast one is depends on where its memory lies, too. */
const PAIRS = 3
const POLICIES = { 'daybook s3-fifo': 's3-fifo', daybook: 'lru' }

export const eviction = {
  name: 'eviction',
  title: 'S3-FIFO beside LRU',
  cases: ({ isQuick }) =>
    isQuick ? [] : [10_000, 100_000, 1_000_000].flatMap((keys) => ['hit', 'evicting'].map((what) => ({ what, keys }))),
  async run({ what, keys }, { rounds, directory }) {
    const figures = new Map(Object.keys(POLICIES).map((name) => [name, []]))
    for (let pair = 0; pair < PAIRS; pair++) {
      const own = join(directory, String(pair))
      mkdirSync(own)
      await measurePair({ what, entries: scaled(keys) }, rounds, own, figures)
    }
    const isHit = what === 'hit'
    const about = { topic: 'eviction', case: isHit ? 'get, hit, Zipf' : 'set, evicting', keys, kind: 'small int' }
    return rowsOf({ ...about, unit: 'ns/call' }, figures, Object.keys(POLICIES)[0])
  },
}

async function measurePair(parameters, rounds, directory, figures) {
  const names = Object.keys(POLICIES)
  const processes = names.map((name) => start({ ...parameters, policy: POLICIES[name] }, join(directory, name)))
  try {
    for (const { ready } of processes) await ready
    for (let round = 0; round < rounds + warmUps; round++)
      for (const place of names.keys()) {
        const which = (round + place) % names.length
        const nsPerCall = await processes[which].run(round)
        if (round >= warmUps) figures.get(names[which]).push(nsPerCall)
      }
  } finally {
    for (const { child } of processes) child.kill()
  }
}

function start(parameters, directory) {
  mkdirSync(directory)
  const child = fork(PROCESS, [JSON.stringify({ ...parameters, directory })])
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`a process ended early (${signal ?? `exit code ${code}`})`)
  })
  ended.catch(() => undefined) // it is what the next answer is awaited beside
  const answer = async () => (await Promise.race([once(child, 'message'), ended]))[0]
  return {
    child,
    ready: answer(),
    run: (round) => {
      child.send(round)
      return answer()
    },
  }
}
