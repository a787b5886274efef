/**
 * Starts three NATS servers that form one cluster with JetStream, each with a store of its own:
 * `node dist/examples/cluster/nats-servers.js DIRECTORY`. It prints their addresses and runs until it is ended.
 *
 * `nats-server` has to be installed: `apt-get install nats-server`, `brew install nats-server`, or a container of your own. In
 * production the three run on three hosts.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const HOW_TO_INSTALL = `nats-server was not found. Install it first:
  Debian, Ubuntu:  apt-get install nats-server
  macOS:           brew install nats-server`

export interface NatsServer {
  readonly url: string
  readonly process: ChildProcess
}

interface Settings {
  readonly name: string
  readonly host: string
  readonly port: number
  /** The directory of its files. */
  readonly store: string
  /** Where it listens for the other servers, and the addresses at which all of them do. */
  readonly clusterPort: number
  readonly routes: readonly string[]
}

/** @throws Error that says how to install nats-server. */
export async function startNatsServers(directory: string, count = 3): Promise<NatsServer[]> {
  const PATH = `${process.env['PATH']}:/usr/sbin` // where Debian puts it
  if (spawnSync('nats-server', ['--version'], { env: { PATH } }).error !== undefined) throw new Error(HOW_TO_INSTALL)
  mkdirSync(directory, { recursive: true })
  const ports = await freePorts(2 * count)
  const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`)
  const servers = routes.map((_, index) => {
    const name = `nats-${index + 1}`
    const [port, clusterPort] = [ports[index] as number, ports[count + index] as number]
    const file = join(directory, `${name}.conf`)
    const store = join(directory, name)
    writeFileSync(file, configuration({ name, host: '127.0.0.1', port, store, clusterPort, routes }))
    const child = spawn('nats-server', ['--config', file], { env: { PATH }, stdio: 'ignore' })
    return { url: `nats://127.0.0.1:${port}`, process: child }
  })
  await Promise.all(ports.slice(0, count).map(listening))
  return servers
}

/** The configuration file of one server. */
export function configuration({ name, host, port, store, clusterPort, routes }: Settings): string {
  const others = `cluster { name: daybook, host: ${host}, port: ${clusterPort}, routes: ${JSON.stringify(routes)} }`
  return `server_name: ${name}
host: ${host}
port: ${port}
jetstream { store_dir: ${JSON.stringify(store)} }
${routes.length > 1 ? others : ''}
`
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => new Promise((done) => server.once('listening', done))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const isThere = await new Promise<boolean>((done) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => done(true)).once('error', () => done(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isThere) return
    await new Promise((done) => setTimeout(done, 50))
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const directory = resolve(process.argv[2] ?? 'nats')
  const servers = await startNatsServers(directory)
  console.log(servers.map(({ url }) => url).join(','))
  const end = () => {
    for (const { process: child } of servers) child.kill()
  }
  process.once('SIGINT', end).once('SIGTERM', end)
}
