/** `nats-server` processes on free ports of this machine, with stores of their own, for the time of a test file. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const PROGRAM = ['nats-server', '/usr/sbin/nats-server'].find((program) => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})

/** Undefined if there is a nats-server. */
export const WHY_NO_NATS =
  PROGRAM === undefined
    ? 'nats-server is neither on the PATH nor in /usr/sbin: the tests that need it are skipped'
    : undefined

export class NatsServers {
  readonly ports: number[] = []
  readonly #directory = mkdtempSync(join(tmpdir(), 'daybook-nats-'))
  readonly #routes: number[] = []
  readonly #processes: (ChildProcess | undefined)[] = []

  private constructor(readonly options: readonly string[]) {}

  /** @param options More arguments for each server, instead of those that enable JetStream. */
  static async start(count: 1 | 3, options?: readonly string[]): Promise<NatsServers> {
    const servers = new NatsServers(options ?? ['-js'])
    for (let at = 0; at < count; at++) {
      servers.ports.push(await freePort())
      servers.#routes.push(await freePort())
    }
    for (let at = 0; at < count; at++) servers.run(at)
    for (let at = 0; at < count; at++) await servers.accepts(at)
    return servers
  }

  get addresses(): string[] {
    return this.ports.map((port) => `127.0.0.1:${port}`)
  }

  /** Starts this one, again if it was killed. Its store is what it was. */
  run(at: number): void {
    const cluster = [
      ...['--cluster_name', 'test', '--cluster', `nats://127.0.0.1:${this.#routes[at]}`],
      ...['--routes', this.#routes.map((port) => `nats://127.0.0.1:${port}`).join(',')],
    ]
    this.#processes[at] = spawn(
      PROGRAM as string,
      [
        ...['-a', '127.0.0.1', '-p', `${this.ports[at]}`, '-n', `n${at}`, '-sd', join(this.#directory, `${at}`)],
        ...this.options,
        ...(this.#routes.length > 1 ? cluster : []),
      ],
      { stdio: 'ignore' },
    )
  }

  signal(at: number, signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#processes[at]?.kill(signal)
  }

  /** Resolves when the server accepts connections. */
  async accepts(at: number): Promise<void> {
    const port = this.ports[at] as number
    for (let tries = 0; ; tries++) {
      const isOpen = await new Promise<boolean>((resolve) => {
        const socket = connect(port, '127.0.0.1')
        socket.once('data', () => resolve(true)).once('error', () => resolve(false))
        socket.once('close', () => resolve(false))
        socket.once('data', () => socket.destroy())
      })
      if (isOpen) return
      if (tries === 500) throw new Error(`nats-server does not accept connections at port ${port}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.#processes.map((process) => {
        if (process === undefined || process.exitCode !== null || process.signalCode !== null) return undefined
        process.kill('SIGKILL')
        return new Promise((resolve) => process.once('exit', resolve))
      }),
    )
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
