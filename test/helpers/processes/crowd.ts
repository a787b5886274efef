/** Several processes that share a cache, while their owners end in every way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { type Log, violations } from './checker.js'

const PROGRAM = fileURLToPath(new URL('member.js', import.meta.url))

interface Member {
  readonly name: string
  readonly log: string
  readonly child: ChildProcess
  role: string
  wasKilled: boolean
  errors: string
  readonly ended: Promise<number | null>
}

/** How an owner ends; or, `stopped`, does not for a while. */
export type Ending = 'killed' | 'stopped' | 'closed' | 'before the write' | 'after the write'

export class Crowd {
  readonly directory: string
  readonly #root: string
  readonly #mutant: string | undefined
  readonly #members: Member[] = []
  #count = 0
  #waiting: (() => void)[] = []

  constructor(t: ExecutionContext, root: string, mutant?: string) {
    this.#root = root
    this.directory = join(root, 'journal')
    mkdirSync(join(root, 'logs'))
    this.#mutant = mutant
    t.teardown(() => {
      for (const { child } of this.#members) child.kill('SIGKILL')
    })
  }

  join(): void {
    const name = `m${this.#count++}`
    const log = join(this.#root, 'logs', name)
    const parameters = [PROGRAM, this.directory, log, name]
    if (this.#mutant !== undefined) parameters.push(this.#mutant)
    const child = spawn(process.execPath, parameters, { stdio: ['pipe', 'pipe', 'pipe'] })
    const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)))
    const member: Member = { name, log, child, role: '', wasKilled: false, errors: '', ended }
    child.stdin.on('error', () => undefined)
    child.stderr.on('data', (chunk) => {
      member.errors += chunk
    })
    child.stdout.on('data', (chunk) => {
      member.role = String(chunk).trim().split('\n').at(-1) as string
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
    this.#members.push(member)
  }

  /** The process that owns the cache, once there is one and `isSettled`: all others are its clients. */
  async owner(isSettled = true): Promise<Member> {
    for (;;) {
      const alive = this.#members.filter(({ child, wasKilled }) => child.exitCode === null && !wasKilled)
      const owner = alive.find(({ role }) => role === 'owner')
      if (owner !== undefined && (!isSettled || alive.every(({ role }) => role === 'owner' || role === 'client')))
        return owner
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async end(how: Ending): Promise<void> {
    const owner = await this.owner()
    if (how === 'stopped') {
      owner.child.kill('SIGSTOP')
      await pause(100)
      owner.child.kill('SIGCONT')
      return
    }
    if (how === 'closed') owner.child.stdin?.write('stop\n')
    else {
      owner.wasKilled = true
      if (how === 'killed') owner.child.kill('SIGKILL')
      else owner.child.stdin?.write(`${how}\n`)
    }
    owner.role = 'ended'
    await owner.ended
  }

  async compact(): Promise<void> {
    const owner = await this.owner()
    owner.child.stdin?.write('compact\n')
  }

  /** Ends all in order, and returns what is wrong. */
  async violations(): Promise<string[]> {
    const errors: string[] = []
    const alive = this.#members.filter(({ child, wasKilled }) => child.exitCode === null && !wasKilled)
    for (const { child } of alive) child.stdin?.write('stop\n')
    for (const member of this.#members) {
      const code = await member.ended
      if (member.errors !== '' || (code !== 0 && !member.wasKilled))
        errors.push(`${member.name} ended with ${code}: ${member.errors}`)
    }
    const cache = await openCache({ directory: this.directory })
    const entries = new Map(cache.entries())
    await cache.close()
    const logs = this.#members.map(({ log, wasKilled }): Log => ({ text: readFileSync(log, 'utf8'), wasKilled }))
    return [...errors, ...violations(logs, entries)]
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
