/** A cluster of `nats-server` processes with JetStream, each with a store of its own, which a test can kill, stop and start again. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { configuration } from '../../../examples/cluster/nats-servers.js'

/** Where a server runs. */
export interface Host {
  readonly address: string
  readonly ports: { readonly client: number; readonly cluster: number; readonly monitoring: number }
  /** What starts a program there: nothing, or `ip netns exec NAME`. */
  readonly prefix: readonly string[]
  /** The directory of its store. Default: one in the directory of all. */
  readonly store?: string
}

const PROGRAM = ['nats-server', '/usr/sbin/nats-server'].find(
  (program) => spawnSync(program, ['--version']).status === 0,
)

/** Why there are no tests with real servers here, or undefined if there are. */
export const withoutServers: string | undefined =
  PROGRAM === undefined ? 'nats-server is not installed: apt-get update && apt-get install -y nats-server' : undefined

/** A program ends with the process that started it, however that one ends. */
export const TIED = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL'] : []

const READY_MS = 30_000

export class NatsServers {
  readonly hosts: readonly Host[]
  readonly #root: string
  #settings: string
  #isRootOwn = false
  readonly #children: (ChildProcess | undefined)[] = []

  /**
   * @param root A directory for stores and logs, which is there.
   * @param settings More lines for the configuration of each server.
   */
  constructor(root: string, hosts: readonly Host[], settings = '') {
    this.#root = root
    this.hosts = hosts
    this.#settings = settings
  }

  /** On free ports of this host, not started yet. */
  static async onLoopback(
    root: string,
    {
      count = 3,
      stores = {},
      settings = '',
    }: { count?: number; stores?: Record<number, string>; settings?: string } = {},
  ): Promise<NatsServers> {
    const ports = await freePorts(count * 3)
    const hosts = Array.from({ length: count }, (_, at): Host => {
      const [client, cluster, monitoring] = ports.slice(at * 3) as [number, number, number]
      const store = stores[at]
      const where = { address: '127.0.0.1', ports: { client, cluster, monitoring }, prefix: [] }
      return store === undefined ? where : { ...where, store }
    })
    return new NatsServers(root, hosts, settings)
  }

  get urls(): string[] {
    return this.hosts.map(({ address, ports }) => `nats://${address}:${ports.client}`)
  }

  /** The same, started, in a directory of their own. @param settings See the constructor. */
  static async start(count: 1 | 3, settings = ''): Promise<NatsServers> {
    const root = mkdtempSync(join(tmpdir(), 'daybook-nats-'))
    const servers = await NatsServers.onLoopback(root, { count, settings })
    servers.#isRootOwn = true
    return servers.start()
  }

  /** Starts all, and resolves once they have agreed on a leader. */
  async start(): Promise<this> {
    for (const at of this.hosts.keys()) this.startOne(at)
    await this.ready()
    return this
  }

  /** Starts one that does not run, with the store that it had. */
  startOne(at: number): void {
    this.#configure(at)
    const log = openSync(this.#log(at), 'a')
    const command = [...this.#host(at).prefix, ...TIED, PROGRAM as string, '--config', this.#file(at)]
    this.#children[at] = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', log, log] })
  }

  /** Changes what all of them have beside the defaults, while they run. */
  configure(settings: string): void {
    this.#settings = settings
    for (const at of this.#running) {
      this.#configure(at)
      this.#children[at]?.kill('SIGHUP')
    }
  }

  #configure(at: number): void {
    const { address, ports, store = join(this.#root, `store-${at}`) } = this.#host(at)
    const routes = this.hosts.map((host) => `nats://${host.address}:${host.ports.cluster}`)
    const where = { name: `server-${at}`, host: address, port: ports.client, store, clusterPort: ports.cluster, routes }
    writeFileSync(this.#file(at), `${configuration(where)}http: "${address}:${ports.monitoring}"\n${this.#settings}`)
  }

  /** Resolves once those that run accept connections, have a leader, and each of them knows it. */
  async ready(): Promise<void> {
    const untilMs = performance.now() + READY_MS
    for (;;) {
      const known = await Promise.all(this.#running.map((at) => this.#meta(at)))
      const isAlone = this.hosts.length === 1
      if (known.every((meta) => isAlone || (meta?.leader !== undefined && meta.cluster_size === this.hosts.length)))
        if ((await Promise.all(this.#running.map((at) => this.#accepts(at)))).every((accepts) => accepts)) return
      if (performance.now() > untilMs) throw new Error(`The servers do not get ready.\n${this.logs()}`)
      await sleep(50)
    }
  }

  async kill(at: number): Promise<void> {
    const child = this.#children[at]
    if (child === undefined) return
    this.#children[at] = undefined
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  pause(at: number): void {
    this.#children[at]?.kill('SIGSTOP')
  }

  resume(at: number): void {
    this.#children[at]?.kill('SIGCONT')
  }

  async end(): Promise<void> {
    await Promise.all(this.#running.map((at) => this.kill(at)))
    if (this.#isRootOwn) rmSync(this.#root, { recursive: true, force: true })
  }

  /** The server that leads the stream of this name, or undefined if none that can be asked does. */
  async leaderOf(stream: string): Promise<number | undefined> {
    for (const at of this.#running) {
      const leader = (await this.#streams(at)).find(({ name }) => name === stream)?.cluster?.leader
      if (leader !== undefined) return Number(leader.slice('server-'.length))
    }
    return undefined
  }

  /** The servers that host a consumer of the stream of this name. */
  async consumerHosts(stream: string): Promise<number[]> {
    const hosts: number[] = []
    for (const at of this.#running)
      for (const { name, consumer_detail: consumers = [] } of await this.#streams(at))
        if (name === stream)
          for (const { cluster } of consumers)
            if (cluster?.leader !== undefined) hosts.push(Number(cluster.leader.slice('server-'.length)))
    return [...new Set(hosts)]
  }

  /** The names of all streams. */
  async streams(): Promise<string[]> {
    const lists = await Promise.all(this.#running.map((at) => this.#streams(at)))
    return [...new Set(lists.flat().map(({ name }) => name))]
  }

  /** How many clients each server has, by its number; undefined for one that does not answer. */
  async connections(): Promise<(number | undefined)[]> {
    const list: (number | undefined)[] = []
    for (const at of this.hosts.keys())
      list[at] = (await this.#ask<{ num_connections: number }>(at, 'connz'))?.num_connections
    return list
  }

  /**
   * Whether a server has lost what it knew of the streams: nats-server 2.9.10 may replace it with an empty file when its disk is full.
   */
  get haveLostStreams(): boolean {
    return [...this.hosts.keys()].some((at) => /_meta_\] Snapshot corrupt/.test(readFileSync(this.#log(at), 'utf8')))
  }

  logs(): string {
    return [...this.hosts.keys()].map((at) => readFileSync(this.#log(at), 'utf8').slice(-2_000)).join('\n\n')
  }

  get #running(): number[] {
    return [...this.hosts.keys()].filter((at) => this.#children[at] !== undefined)
  }

  #host(at: number): Host {
    const host = this.hosts[at]
    if (host === undefined) throw new RangeError(`There are ${this.hosts.length} servers`)
    return host
  }

  #file(at: number): string {
    return join(this.#root, `server-${at}.conf`)
  }

  #log(at: number): string {
    return join(this.#root, `server-${at}.log`)
  }

  #accepts(at: number): Promise<boolean> {
    const { address, ports } = this.#host(at)
    return new Promise((resolve) => {
      const socket = connect(ports.client, address, () => resolve(true))
      socket.once('error', () => resolve(false)).once('connect', () => socket.destroy())
    })
  }

  async #meta(at: number): Promise<{ leader?: string; cluster_size?: number } | undefined> {
    const answer = await this.#ask<{ meta_cluster?: { leader?: string; cluster_size?: number } }>(at, 'jsz')
    return answer === undefined ? undefined : (answer.meta_cluster ?? {})
  }

  async #streams(at: number): Promise<StreamDetail[]> {
    const answer = await this.#ask<{ account_details?: { stream_detail?: StreamDetail[] }[] }>(at, 'jsz?consumers=true')
    return answer?.account_details?.flatMap(({ stream_detail: details = [] }) => details) ?? []
  }

  /** Undefined if it does not answer. */
  async #ask<T>(at: number, what: string): Promise<T | undefined> {
    const { address, ports } = this.#host(at)
    try {
      const answer = await fetch(`http://${address}:${ports.monitoring}/${what}`, {
        signal: AbortSignal.timeout(1_000),
      })
      return (await answer.json()) as T
    } catch {
      return undefined
    }
  }
}

interface StreamDetail {
  readonly name: string
  readonly cluster?: { readonly leader?: string }
  readonly consumer_detail?: { readonly cluster?: { readonly leader?: string } }[]
}

/** Below those that the system gives to outgoing connections, so that a server that starts again still finds its own. */
async function freePorts(count: number): Promise<number[]> {
  const held: { port: number; server: Server }[] = []
  while (held.length < count) {
    const port = 10_000 + Math.floor(Math.random() * 20_000)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (isFree) held.push({ port, server })
  }
  for (const { server } of held) {
    server.close()
    await once(server, 'close')
  }
  return held.map(({ port }) => port)
}
