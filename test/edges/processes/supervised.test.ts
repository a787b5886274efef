/**
 * Processes that a supervisor such as pm2 runs: it restarts whatever ends, and ends them with a signal. `DAYBOOK_RESTARTS` says how
 * often every process is replaced.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const PROGRAM = fileURLToPath(new URL('../../helpers/processes/supervised.js', import.meta.url))
const RESTARTS = Number(process.env['DAYBOOK_RESTARTS'] ?? 1)
const PROCESSES = 8

/** Keeps a number of processes running. */
class Supervisor {
  readonly directory: string
  readonly #log: string
  readonly #running: Promise<ChildProcess>[] = []
  /** What went wrong with those that have ended. */
  readonly failures: string[] = []
  #isEnding = false

  constructor(t: ExecutionContext) {
    const root = temporaryDirectory(t)
    this.directory = join(root, 'journal')
    this.#log = join(root, 'log')
    for (let place = 0; place < PROCESSES; place++) this.#start(t, place)
  }

  #start(t: ExecutionContext, place: number): void {
    const child = spawn(process.execPath, [PROGRAM, this.directory, this.#log], { stdio: ['ignore', 'pipe', 'pipe'] })
    t.teardown(() => child.kill('SIGKILL'))
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors += text
    })
    child.on('close', (code, signal) => {
      if (signal !== 'SIGKILL' && (code !== 0 || errors !== '')) this.failures.push(`${signal ?? code}: ${errors}`)
      if (!this.#isEnding) this.#start(t, place)
    })
    this.#running[place] = once(child.stdout, 'data').then(() => child)
  }

  /** Ends one process, and waits until its successor has been answered. */
  async restart(place: number, signal: NodeJS.Signals): Promise<void> {
    const child = await this.#running[place]
    child?.kill(signal)
    if (child !== undefined) await once(child, 'close')
    await this.#running[place]
  }

  /** Ends all. Returns what they were answered. */
  async end(): Promise<number[]> {
    const children = await Promise.all(this.#running)
    this.#isEnding = true
    const closed = children.map((child) => once(child, 'close'))
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(closed)
    return readFileSync(this.#log, 'utf8').trim().split('\n').map(Number)
  }
}

test.serial(`a rolling restart of ${PROCESSES} processes under load loses nothing, and no call fails`, async (t) => {
  t.timeout(120_000 + RESTARTS * 60_000)
  const supervisor = new Supervisor(t)
  for (let round = 0; round < RESTARTS; round++)
    for (let place = 0; place < PROCESSES; place++)
      await supervisor.restart(place, place % 2 === 0 ? 'SIGTERM' : 'SIGINT')
  const answers = await supervisor.end()
  t.deepEqual(supervisor.failures, [])
  t.is(new Set(answers).size, answers.length)
  await using cache = await openCache({ directory: supervisor.directory })
  t.is(cache.get('n'), answers.length) // every increment was answered, and counted once
})

test.serial('a supervisor restarts processes that are killed: every answer that was given still counts', async (t) => {
  t.timeout(120_000)
  const supervisor = new Supervisor(t)
  for (let place = 0; place < 3; place++) await supervisor.restart(place, 'SIGKILL')
  const answers = await supervisor.end()
  t.deepEqual(supervisor.failures, [])
  t.is(new Set(answers).size, answers.length)
  await using cache = await openCache({ directory: supervisor.directory })
  const counted = cache.get('n') as number
  t.true(counted >= Math.max(...answers) && counted >= answers.length)
  t.true(counted <= answers.length + 3 * 3) // each killed process had at most three calls under way
})
