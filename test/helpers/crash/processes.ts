import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { type Cache, memoryJournal, openCache } from '../../../src/index.js'
import { writeRound } from './program.js'

export const PROGRAM = fileURLToPath(new URL('program.js', import.meta.url))

export interface Running {
  child: ChildProcess
  lines: string[]
  /** Resolves when the program has printed this many lines, or has ended. */
  printed(count: number): Promise<void>
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>
}

/** Starts the program, by another command if one is given (`strace`, `prlimit`). */
export function start(
  t: ExecutionContext,
  parameters: string[],
  command: string[] = [],
  options: SpawnOptions = {},
): Running {
  const [file, ...rest] = [...command, process.execPath, PROGRAM, ...parameters] as [string, ...string[]]
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'], ...options })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: string[] = []
  let partial = ''
  let errors = ''
  let notify = () => {}
  let isOver = false
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (partial + chunk.toString()).split('\n')
    partial = parts.pop() as string
    lines.push(...parts)
    notify()
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>(
    (resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code, signal) => {
        isOver = true
        notify()
        resolve({ code, signal, errors })
      })
    },
  )
  const printed = async (count: number) => {
    while (lines.length < count && !isOver) {
      await new Promise<void>((resolve) => {
        notify = resolve
      })
    }
  }
  return { child, lines, printed, ended }
}

/** The entries after each number of rounds, from a cache that is never interrupted. */
export class Rounds {
  readonly #cache: Cache
  #round = 0

  private constructor(cache: Cache) {
    this.#cache = cache
  }

  static async begin(): Promise<Rounds> {
    return new Rounds(await openCache({ journal: memoryJournal(), maxSize: 100_000, compaction: false }))
  }

  /** `rounds` must not decrease. */
  entriesAfter(rounds: number): [string, unknown][] {
    while (this.#round < rounds) writeRound(this.#cache, ++this.#round)
    return sorted(this.#cache)
  }
}

export function sorted(cache: Cache): [string, unknown][] {
  return [...cache.entries()].sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Asserts that at least the acknowledged rounds are there, and returns how many there are. */
export function checkRounds(t: ExecutionContext, cache: Cache, acknowledged: number): number {
  const left = (cache.peek('left') as number | undefined) ?? 0
  t.is(cache.peek('right') ?? 0, left, 'a transaction is whole')
  t.true(left >= acknowledged, `${acknowledged} rounds were acknowledged, ${left} are there`)
  return left
}

/**
 * Asserts that the entries are those after `found` rounds. The next round may have begun: its first call is a turn of its own.
 */
export function checkEntries(t: ExecutionContext, cache: Cache, rounds: Rounds, found: number): void {
  const next = found + 1
  const key = `key ${next % 97}`
  const isBegun = `${cache.peek(key)}`.startsWith(`${next} `)
  const compared = (entries: [string, unknown][]) => entries.filter(([name]) => !isBegun || name !== key)
  t.deepEqual(compared(sorted(cache)), compared(rounds.entriesAfter(found)))
}

/** Opens the directory, asserts that it has a whole number of rounds, `atLeast` or more, and returns how many. */
export async function holdsRounds(t: ExecutionContext, directory: string, atLeast: number): Promise<number> {
  const cache = await openCache({ directory, maxSize: 100_000, compaction: false })
  const left = checkRounds(t, cache, atLeast)
  checkEntries(t, cache, await Rounds.begin(), left)
  await cache.close()
  return left
}
