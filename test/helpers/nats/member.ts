/**
 * A node of a cluster that changes it at random, and writes down what it asks, what it is answered and what changes$ tells it:
 * `judge.ts` says how. It writes with `writeSync`, so that a SIGKILL takes nothing back.
 *
 *   node member.js PARAMETERS      commands on stdin: quiet, dump, compact, stop; on stdout: roles, and `quiet` and `dumped`
 */
import { openSync, writeFileSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster } from '../../../src/cluster.js'
import { KeptAnswers } from '../../../src/edges/remote/owner/kept-answers.js'
import { WriteGate } from '../../../src/edges/remote/owner/write-gate.js'
import { nats } from '../../../src/nats.js'
import { Random } from '../random.js'

export interface Parameters {
  readonly name: string
  readonly cluster: string
  readonly servers: readonly string[]
  /** Where it writes: `calls`, `changes` and `entries` behind it. */
  readonly path: string
  /** How many calls are open at once. */
  readonly loops: number
  /** Between a call and the next one of the same loop: none, a turn of the loop, or up to this long. */
  readonly pauseMs: number
  readonly seed: number
  /** Further options of openCluster. */
  readonly options?: object
  /** What is broken, to see that it is noticed. */
  readonly mutant?: string
}

const COMPACT_TRIES = 20

const { name, cluster, servers, path, loops, pauseMs, seed, options, mutant } = JSON.parse(
  process.argv[2] as string,
) as Parameters
if (mutant === 'no answers') KeptAnswers.prototype.answer = (_, run) => run()
if (mutant === 'reply before the log') WriteGate.prototype.pass = (callback) => callback(undefined)
const random = new Random(seed)
const calls = openSync(`${path}.calls`, 'a')
const changes = openSync(`${path}.changes`, 'a')
const note = (line: string) => writeSync(calls, `${line}\n`)
const at = () => Number(process.hrtime.bigint() / 1_000n)

const cache = await openCluster<number>({
  name: cluster,
  engine: nats({ servers: [...servers], replicas: 3 }),
  ...options,
})
let role = ''
cache.role$.subscribe((now) => {
  if (now.role !== role) process.stdout.write(`${(role = now.role)}\n`)
})
cache.changes$.subscribe({
  next: (change) => {
    const { sequence, type, key = '', value = '' } = change as typeof change & { key?: string; value?: number }
    writeSync(changes, `${sequence} ${type} ${key} ${value}\n`)
  },
  error: ({ message }: Error) => note(`wrong changes$ failed: ${message}`),
})

let isQuiet = false
let last = 0
/** The largest value of each key that this node was answered. */
const known = new Map<string, number>()

async function call(what: string, key: string, run: () => Promise<unknown>, value?: number): Promise<boolean> {
  const id = ++last
  note(`ask ${id} ${at()} ${what} ${key}${value === undefined ? '' : ` ${value}`}`)
  try {
    const result = await run()
    const now = Number(what === 'set' ? value : (result ?? 0))
    note(`ok ${id} ${at()} ${now}`)
    known.set(key, Math.max(now, known.get(key) ?? 0))
    readOwn(key)
    return true
  } catch (error) {
    const { code = 'NO_CODE', message } = error as { code?: string; message: string }
    note(`fail ${id} ${at()} ${code} ${message.replaceAll('\n', ' ')}`)
    readOwn(key)
    return false
  }
}

/** What this node was answered is in its own copy, whatever happens. */
function readOwn(key: string): void {
  const local = Number(cache.local.get(key) ?? 0)
  const least = known.get(key) ?? 0
  if (local < least) note(`wrong this node's own copy has ${key} ${local}, although it was answered ${least}`)
}

async function loop(register: string): Promise<void> {
  for (let value = 1; !isQuiet; value++) {
    const key = ['shared', 'shared', `counter:${random.below(5)}`, `counter:${name}`][random.below(4)] as string
    const kind = random.below(10)
    let isAnswered: boolean
    if (kind < 6) isAnswered = await call('increment', key, () => cache.increment(key))
    else if (kind < 8) isAnswered = await call('set', register, () => cache.set(register, value), value)
    else isAnswered = await call('get', key, () => cache.get(key))
    // Calls that are answered together would stay together for ever: the load is mixed.
    const pause = random.below(4)
    if (pause === 0 || !isAnswered) await sleep(random.below(pauseMs) + 1)
    else if (pause === 1) await new Promise((resolve) => setImmediate(resolve))
  }
}
const running = Promise.all(Array.from({ length: loops }, (_, number) => loop(`register:${name}:${number}`)))

/** Again while the servers elect. */
async function compact(): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      await cache.compact()
      return
    } catch (error) {
      const { message } = error as Error
      if (tries === COMPACT_TRIES || !message.includes('took no snapshot')) {
        process.stderr.write(`compact: ${message}\n`)
        return
      }
      await sleep(500)
    }
}

createInterface({ input: process.stdin })
  .on('line', async (command) => {
    if (command === 'compact') await compact()
    else if (command === 'quiet') {
      isQuiet = true
      await running
      process.stdout.write('quiet\n')
    } else if (command === 'dump') {
      await cache.get('shared') // linearizable: its own copy has then what all others were answered
      writeFileSync(`${path}.entries`, JSON.stringify([...cache.local.entries()]))
      process.stdout.write('dumped\n')
    } else {
      await cache.close()
      process.exit(0)
    }
  })
  .on('close', () => process.exit(1))
