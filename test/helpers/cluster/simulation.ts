/** Plays a script on a cluster in simulated time, and judges what happened. */
import type { Call, LoadCall, Sample, Step, Stream, Written } from './checkers/history.js'
import { violations } from './checkers/judge.js'
import { COUNTERS } from './random-script.js'
import type { Action, OtherCall, Place, Script } from './script.js'
import { type Reading, SimulatedNode } from './simulated-node.js'
import { type Mutant, Surroundings } from './surroundings.js'

/** After the last fault everything has to be answered, and all nodes have to agree, within this time. */
const RECOVERY_MS = 60_000
/** What is under way when the last fault ends. */
const LINGER_MS = 5_000
/** Errors that do not say whether a call took effect. */
const DOUBTFUL = new Set<unknown>([
  'OUTCOME_UNKNOWN',
  'OWNER_UNAVAILABLE',
  'CACHE_CLOSED',
  'LOADER_GONE',
  'ENGINE_UNAVAILABLE',
])
/** Errors that a call other than a change of an entry may have. */
const EXPECTED = new Set<unknown>([...DOUBTFUL, 'COMPACTION_FAILED', 'HISTORY_GONE'])

export interface Outcome {
  readonly violations: readonly string[]
  readonly calls: readonly Call[]
  readonly log: readonly Written[]
  readonly streams: readonly Stream[]
  /** How many messages there were, by `node kind`. */
  readonly sent: ReadonlyMap<string, number>
}

/** What a script comes to, and what is wrong with it. */
export async function play(script: Script, mutant?: Mutant): Promise<Outcome> {
  const undo = mutant?.sabotage?.()
  try {
    return await new Simulation(script, mutant).play()
  } finally {
    undo?.()
  }
}

export class Simulation {
  readonly surroundings: Surroundings
  readonly nodes: (SimulatedNode | undefined)[] = []
  readonly calls: Call[] = []
  readonly #loadCalls: LoadCall[] = []
  readonly #readings: { readonly node: SimulatedNode; readonly reading: Reading }[] = []
  readonly #script: Script
  /** All that there ever were. */
  readonly #everyNode: SimulatedNode[] = []
  readonly #samples: Sample[] = []
  readonly #problems: string[] = []
  readonly #pending = new Set<{ readonly node: SimulatedNode }>()
  #moment = 0

  constructor(script: Script, mutant?: Mutant) {
    this.#script = script
    this.surroundings = new Surroundings(script, mutant)
  }

  async play(): Promise<Outcome> {
    const { time } = this.surroundings
    for (let place = 0; place < this.#script.nodes; place++) {
      this.join(place)
      await time.pass(RECOVERY_MS, () => this.nodes[place]?.state === 'running')
    }
    for (const action of this.#script.actions) {
      await time.pass(action.afterMs)
      this.do(action)
    }
    return this.end()
  }

  // ── nodes ──

  join(place: number): void {
    if (this.nodes[place] !== undefined) return
    const node = new SimulatedNode(this.surroundings, this.#everyNode.length)
    this.nodes[place] = node
    this.#everyNode.push(node)
    this.#open(node, place)
  }

  #open(node: SimulatedNode, place: number): void {
    node.open().catch((error: Error & { code?: unknown }) => {
      this.surroundings.time.stir()
      if (node.state === 'gone') return
      // The engine may not have answered; then the process is started again.
      if (error.code !== 'ENGINE_UNAVAILABLE') this.#problems.push(`a node did not open: ${error.stack}`)
      node.crash()
      this.#rejoin(node, place, 100)
    })
  }

  at(place: Place): SimulatedNode | undefined {
    if (place !== 'leader') return this.nodes[place]
    const { leader } = this.surroundings.observer
    return this.nodes.find((node) => node?.id === leader)
  }

  #rejoin(node: SimulatedNode, place: number, afterMs: number): void {
    if (this.nodes[place] === node) this.nodes[place] = undefined
    this.surroundings.time.setTimeout(() => this.join(place), afterMs)
  }

  // ── actions ──

  do(action: Action): void {
    const node = this.at(action.at)
    if (node === undefined) return
    const { engine, time } = this.surroundings
    const { control } = engine
    const later = (task: () => void, ms: number) => time.setTimeout(task, ms)
    switch (action.do) {
      case 'call':
        this.#call(node, action.steps)
        break
      case 'other':
        this.#other(node, action)
        break
      case 'getOrSet':
        this.#load(node, action)
        break
      case 'changesSince':
        this.#readChanges(node, action.back)
        break
      case 'sample':
        this.#sample(node)
        break
      case 'skew':
        control.skew(node.id, action.ms)
        break
      case 'fault':
        for (let count = 0; count < action.count; count++)
          this.surroundings.arm(node.id, action.what, action.fault, action.byMs)
        break
      case 'cut':
      case 'isolate': {
        const others = this.nodes.filter((other) => other !== undefined && other !== node) as SimulatedNode[]
        if (action.do === 'cut') control.cut(node.id)
        for (const other of others) control.cut(node.id, other.id)
        later(() => {
          control.heal(node.id)
          for (const other of others) control.heal(node.id, other.id)
        }, action.forMs)
        break
      }
      case 'stop':
        node.stop()
        later(() => node.continue(), action.forMs)
        break
      case 'crash':
        node.crash()
        this.#rejoin(node, this.nodes.indexOf(node), action.forMs)
        break
      case 'leave': {
        if (node.state !== 'running') break
        const place = this.nodes.indexOf(node)
        node.leave().catch((error: Error) => this.#problems.push(`a node did not close: ${error.stack}`))
        this.#rejoin(node, place, action.forMs)
        break
      }
    }
  }

  #call(node: SimulatedNode, steps: readonly Step[]): void {
    if (node.state !== 'running') return
    const call: Call = { client: node.id, steps, invokedAt: this.#moment++, returnedAt: Number.POSITIVE_INFINITY }
    this.calls.push(call)
    this.#await(node, node.ask(steps), DOUBTFUL, (results) => {
      call.results = results
      call.returnedAt = this.#moment++
      call.logAtReturn = this.surroundings.observer.last
    })
  }

  #other(node: SimulatedNode, call: OtherCall): void {
    if (node.state !== 'running') return
    this.#await(node, node.askOther(call), EXPECTED, () => undefined)
  }

  #load(node: SimulatedNode, { key, loadMs, ...life }: Action & { do: 'getOrSet' }): void {
    if (node.state !== 'running') return
    const { observer } = this.surroundings
    const call: LoadCall = { client: node.id, key, logAtCall: observer.last }
    this.#loadCalls.push(call)
    this.#await(node, node.load(key, loadMs, life), DOUBTFUL, (value) => {
      call.value = value
      call.logAtReturn = observer.last
    })
  }

  #readChanges(node: SimulatedNode, back: number): void {
    if (node.state !== 'running') return
    const { reading, done } = node.readChanges(Math.max(0, this.surroundings.observer.sequence - back))
    this.#readings.push({ node, reading })
    done.catch((error: Error & { code?: unknown }) => {
      if (node.state !== 'gone' && !EXPECTED.has(error.code)) this.#problems.push(`${node.id}: ${error.stack}`)
    })
  }

  #await<T>(node: SimulatedNode, promise: Promise<T>, expected: ReadonlySet<unknown>, take: (result: T) => void): void {
    const pending = { node }
    this.#pending.add(pending)
    const settle = (task: () => void) => {
      this.surroundings.time.stir()
      this.#pending.delete(pending)
      if (node.state !== 'gone') task()
    }
    promise.then(
      (result) => settle(() => take(result)),
      (error: Error & { code?: unknown }) =>
        settle(() => {
          if (!expected.has(error.code)) this.#problems.push(`${node.id}: ${error.stack}`)
        }),
    )
  }

  get #isAnswered(): boolean {
    return [...this.#pending].every(({ node }) => node.state === 'gone')
  }

  #sample(node: SimulatedNode): void {
    const sample = node.sample()
    if (sample !== undefined) this.#samples.push(sample)
  }

  // ── the end ──

  /** No more faults: everything is answered, all nodes agree, and so does a new one. */
  async end(): Promise<Outcome> {
    const { time, observer } = this.surroundings
    await time.pass(LINGER_MS)
    this.surroundings.calm()
    if (!(await time.pass(RECOVERY_MS, () => this.#isAnswered)))
      this.#problems.push(`${this.#pending.size} calls were never answered`)
    this.join(this.#script.nodes)
    const agree = () => this.nodes.every((node) => node === undefined || node.sequence === observer.sequence)
    if (!(await time.pass(RECOVERY_MS, agree)))
      this.#problems.push(
        `nodes stay apart: ${this.nodes.map((node) => `${node?.id} (${node?.state}) at ${node?.sequence}`)}, the log at ${observer.sequence}`,
      )
    const hasReadAll = ({ node, reading: { after, items, ended } }: { node: SimulatedNode; reading: Reading }) =>
      node.state === 'gone' || ended === 'gone' || (items.at(-1)?.sequence ?? after) === observer.sequence
    if (!(await time.pass(RECOVERY_MS, () => this.#readings.every(hasReadAll))))
      this.#problems.push(`changesSince does not go on, with the log at ${observer.sequence}`)
    for (const node of this.nodes) if (node !== undefined) this.#sample(node)
    for (const node of this.#everyNode) node.crash()
    const { calls } = this
    const { log } = observer
    const streams = this.#everyNode.flatMap(({ stream }) => (stream === undefined ? [] : [stream]))
    const { loaded } = this.surroundings
    const history = {
      calls,
      log,
      counters: new Set(COUNTERS),
      loadCalls: this.#loadCalls,
      loaded,
      streams: [...streams, ...this.#readings.map(({ reading }) => reading)],
      samples: this.#samples,
    }
    return {
      violations: [...this.#problems, ...observer.problems, ...violations(history)],
      calls,
      log,
      streams,
      sent: this.surroundings.sent,
    }
  }
}
