/** The nodes of a cluster, each a process, which a test can kill and stop, and judge at the end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answeredIn, type Failure, failuresOf, longestGapMs, violations, type Witness } from './judge.js'
import type { Parameters } from './member.js'
import { type Host, TIED } from './nats-servers.js'

const PROGRAM = fileURLToPath(new URL('member.js', import.meta.url))
/** The name of the cluster. */
export const CLUSTER = 'tested'
const WAIT_MS = 120_000
/** How a node fails that has read a server's copy of the log which is not that of the others. nats-server 2.9.10 keeps such copies. */
const STRANDED = /copies of the log differ/i
/** Nodes that join at the end until one has read a sound copy. */
const LAST_TRIES = 5

export interface Load {
  readonly loops: number
  readonly pauseMs: number
  readonly mutant?: string
}

/** Mixed, and light enough that three nodes and three servers keep up on two cores. */
export const LOAD: Load = { loops: 6, pauseMs: 40 }
export const NO_LOAD: Load = { loops: 0, pauseMs: 1 }

export class Member {
  readonly name: string
  readonly child: ChildProcess
  readonly ended: Promise<number | null>
  /** What it said last. */
  role = ''
  wasKilled = false
  errors = ''
  readonly #path: string
  readonly #said = new Set<string>()
  readonly #onNews: () => void
  #log: number | undefined
  #readTo = 0
  #answered = 0
  readonly #failures: Failure[] = []

  constructor(parameters: Parameters, prefix: readonly string[], onNews: () => void) {
    this.name = parameters.name
    this.#path = parameters.path
    this.#onNews = onNews
    const command = [...prefix, ...TIED, process.execPath, '--enable-source-maps', PROGRAM, JSON.stringify(parameters)]
    this.child = spawn(command[0] as string, command.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] })
    this.ended = new Promise((resolve) =>
      this.child.on('close', (code) => {
        resolve(code)
        onNews()
      }),
    )
    this.child.stdin?.on('error', () => undefined)
    this.child.stderr?.on('data', (chunk) => {
      this.errors += chunk
    })
    this.child.stdout?.on('data', (chunk) => {
      for (const word of String(chunk).trim().split('\n')) {
        if (word === 'quiet' || word === 'dumped') this.#said.add(word)
        else this.role = word
      }
      onNews()
    })
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && !this.wasKilled
  }

  /** Whether it cannot go on, because of the servers: it counts as killed, and its streams do not count. */
  get isStranded(): boolean {
    return STRANDED.test(this.errors) || STRANDED.test(this.failures.at(-1)?.message ?? '')
  }

  get isReady(): boolean {
    return this.role !== ''
  }

  has(said: 'quiet' | 'dumped'): boolean {
    return this.#said.has(said)
  }

  tell(command: 'quiet' | 'dump' | 'compact' | 'stop'): void {
    this.child.stdin?.write(`${command}\n`)
  }

  async kill(): Promise<void> {
    this.wasKilled = true
    this.child.kill('SIGKILL')
    await this.ended
    this.#onNews()
  }

  async leave(): Promise<void> {
    this.tell('quiet')
    this.tell('stop')
    await this.ended
  }

  /** The calls that have failed so far. */
  get failures(): readonly Failure[] {
    this.#readOn()
    return this.#failures
  }

  /** How many calls it was answered so far. */
  get answered(): number {
    this.#readOn()
    return this.#answered
  }

  /** Reads what its log has more than before: it is looked at often, and grows long. */
  #readOn(): void {
    const bytes = Buffer.alloc(1024 * 1024)
    try {
      this.#log ??= openSync(`${this.#path}.calls`, 'r')
    } catch {
      return // it has not got so far
    }
    const lines = bytes.toString('latin1', 0, readSync(this.#log, bytes, 0, bytes.length, this.#readTo))
    const whole = lines.slice(0, lines.lastIndexOf('\n') + 1)
    this.#readTo += whole.length
    this.#answered += answeredIn(whole)
    this.#failures.push(...failuresOf(whole))
  }

  close(): void {
    if (this.#log !== undefined) closeSync(this.#log)
  }

  witness(): Witness {
    const { name, isStranded } = this
    const wasKilled = this.wasKilled || isStranded
    const isDumped = this.has('dumped') && !isStranded
    const entries = isDumped ? new Map<string, number>(JSON.parse(this.#read('entries'))) : undefined
    const changes = isStranded ? '' : this.#read('changes') // it may have told what the others have replaced
    return { name, wasKilled, calls: this.#read('calls'), changes, entries }
  }

  #read(what: string): string {
    try {
      return readFileSync(`${this.#path}.${what}`, 'utf8')
    } catch {
      return '' // it has not got so far
    }
  }
}

export class Members {
  readonly all: Member[] = []
  readonly #root: string
  readonly #servers: readonly string[]
  readonly #options: object
  readonly #waiting: (() => void)[] = []

  constructor(root: string, servers: readonly string[], options: object = {}) {
    this.#root = root
    this.#servers = servers
    this.#options = options
  }

  /** A new node, at a host of the servers, or on this one. */
  join(load: Load = LOAD, host?: Host): Member {
    const name = `m${this.all.length}`
    const path = join(this.#root, name)
    const seed = (this.all.length + 1) * 7_919 + process.pid
    const parameters = { name, cluster: CLUSTER, servers: this.#servers, path, ...load, seed, options: this.#options }
    const member = new Member(parameters, host?.prefix ?? [], () => {
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
    this.all.push(member)
    return member
  }

  get running(): Member[] {
    return this.all.filter(({ isRunning, isStranded }) => isRunning && !isStranded)
  }

  /** The node that leads by its own account, once there is one and all others have a role. */
  async leader(): Promise<Member> {
    const leads = ({ role }: Member) => role === 'leader'
    await this.until('a leader', () => this.running.every(({ isReady }) => isReady) && this.running.some(leads))
    return this.running.findLast(leads) as Member
  }

  /** @throws if it does not become true, or a node ends that nobody ended. */
  async until(what: string, isTrue: () => boolean): Promise<void> {
    const untilMs = performance.now() + WAIT_MS
    while (!isTrue()) {
      const dead = this.all.find(
        ({ child, wasKilled, isStranded }) =>
          !wasKilled && child.exitCode !== null && child.exitCode !== 0 && !isStranded,
      )
      if (dead !== undefined) throw new Error(`${dead.name} has ended with ${dead.child.exitCode}: ${dead.errors}`)
      if (performance.now() > untilMs) throw new Error(`No ${what} within ${WAIT_MS} ms.\n${this.#described()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** Until each of these has been answered so many calls more. */
  async progress(calls = 20, members = this.running): Promise<void> {
    const before = members.map(({ answered }) => answered)
    await this.until('answers', () =>
      members.every(({ answered, isStranded }, at) => isStranded || answered >= (before[at] as number) + calls),
    )
  }

  /** Ends all in order, after a node that joins last has also shown what it has, and returns what is wrong. */
  async violations(host?: Host): Promise<string[]> {
    for (let tries = 1; tries <= LAST_TRIES; tries++) {
      const last = this.join(NO_LOAD, host)
      await this.until('new node', () => this.running.every(({ isReady }) => isReady))
      if (!last.isStranded) break
    }
    for (const member of this.running) member.tell('quiet')
    await this.until('quiet', () => this.running.every((member) => member.has('quiet')))
    for (const member of this.running) member.tell('dump')
    await this.until('entries', () => this.running.every((member) => member.has('dumped')))
    const { running } = this
    if (running.length < 2) return ['fewer than two nodes are left']
    for (const member of running) member.tell('stop')
    const codes = await Promise.all(running.map(({ ended }) => ended))
    const errors = running
      .filter(({ errors }, at) => errors !== '' || codes[at] !== 0)
      .map(({ name, errors, child }) => `${name} has ended with ${child.exitCode}: ${errors}`)
    return [...errors, ...violations(this.witnesses)]
  }

  /** What the nodes saw themselves that is wrong. */
  get wrong(): string[] {
    return this.witnesses.flatMap(({ calls }) => calls.split('\n').filter((line) => line.startsWith('wrong ')))
  }

  get witnesses(): Witness[] {
    return this.all.map((member) => member.witness())
  }

  /** For the log of a test: what was seen. */
  get figures(): string {
    const { witnesses } = this
    const answered = witnesses.reduce((sum, { calls }) => sum + answeredIn(calls), 0)
    const failed = witnesses.flatMap(({ calls }) => failuresOf(calls)).map(({ code }) => code)
    const codes = [...new Set(failed)].map((code) => `${failed.filter((other) => other === code).length} ${code}`)
    const gap = Math.round(longestGapMs(witnesses))
    const stranded = this.all.filter(({ isStranded }) => isStranded).length
    const ended = stranded === 0 ? '' : `, ${stranded} nodes ended because copies of the log differ`
    return `${answered} calls answered, failed: ${codes.join(', ') || 'none'}, longest gap ${gap} ms${ended}`
  }

  async end(): Promise<void> {
    for (const { child } of this.all) child.kill('SIGKILL')
    await Promise.all(this.all.map(({ ended }) => ended))
    for (const member of this.all) member.close()
  }

  #described(): string {
    return this.all
      .map(({ name, role, isRunning, errors, failures }) => {
        const { code, message } = failures.at(-1) ?? { code: '', message: '' }
        return `${name} ${isRunning ? 'runs' : 'ended'}, ${role}: ${code} ${message} ${errors}`
      })
      .join('\n')
  }
}
