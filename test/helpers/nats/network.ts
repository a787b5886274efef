/**
 * A network of hosts that a test can cut: each is a network namespace, and a bridge joins them. What is sent over a cut is lost without
 * an error, as with a broken switch. Needs root and iproute2.
 */
import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import type { Host } from './nats-servers.js'

/** Begins the name of every namespace and device, followed by the pid of the process that made it. */
const MARK = 'dbt'

export class Network {
  readonly hosts: readonly Host[]
  readonly #name: string
  readonly #count: number

  constructor(count: number) {
    removeAbandoned()
    const name = `${MARK}${process.pid}`
    const subnet = `10.${randomInt(128, 255)}.${randomInt(255)}`
    this.#name = name
    this.#count = count
    try {
      run('ip', 'link', 'add', `${name}b`, 'type', 'bridge')
      run('ip', 'addr', 'add', `${subnet}.254/24`, 'dev', `${name}b`)
      run('ip', 'link', 'set', `${name}b`, 'up')
      for (let at = 0; at < count; at++) {
        const space = `${name}-${at}`
        run('ip', 'netns', 'add', space)
        run('ip', 'link', 'add', this.#port(at), 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
        run('ip', 'link', 'set', this.#port(at), 'master', `${name}b`, 'up')
        run('ip', '-n', space, 'addr', 'add', `${subnet}.${at + 1}/24`, 'dev', 'eth0')
        run('ip', '-n', space, 'link', 'set', 'eth0', 'up')
        run('ip', '-n', space, 'link', 'set', 'lo', 'up')
      }
    } catch (error) {
      this.remove()
      throw error
    }
    this.hosts = Array.from({ length: count }, (_, at) => ({
      address: `${subnet}.${at + 1}`,
      ports: { client: 4222, cluster: 6222, monitoring: 8222 },
      prefix: ['ip', 'netns', 'exec', `${name}-${at}`],
    }))
  }

  /** Cuts a host off from all others, and from the test. */
  cutOff(at: number): void {
    run('ip', 'link', 'set', this.#port(at), 'nomaster')
  }

  /** Cuts the line between two hosts. Each still reaches the others, and the test. */
  cutBetween(one: number, other: number): void {
    for (const at of [one, other]) run('bridge', 'link', 'set', 'dev', this.#port(at), 'isolated', 'on')
  }

  heal(): void {
    for (let at = 0; at < this.#count; at++) {
      run('ip', 'link', 'set', this.#port(at), 'master', `${this.#name}b`)
      run('bridge', 'link', 'set', 'dev', this.#port(at), 'isolated', 'off')
    }
  }

  /** To be called once nothing runs in it, and also if a test fails. */
  remove(): void {
    remove(this.#name, this.#count)
  }

  #port(at: number): string {
    return `${this.#name}v${at}`
  }
}

/** Why there are no networks to cut here, or undefined if there are. */
export function withoutNetworks(): string | undefined {
  const name = `${MARK}${process.pid}`
  try {
    for (const program of ['ip', 'bridge']) run(program, '-V')
    run('ip', 'link', 'add', `${name}b`, 'type', 'bridge')
    run('ip', 'link', 'del', `${name}b`)
    run('ip', 'netns', 'add', name)
    run('ip', 'netns', 'del', name)
    return undefined
  } catch (error) {
    return `network namespaces need root and iproute2 (apt-get install -y iproute2): ${(error as Error).message}`
  }
}

/** What a process left behind that was killed. */
function removeAbandoned(): void {
  for (const [name = '', pid] of run('ip', 'netns', 'list').matchAll(new RegExp(`^${MARK}(\\d+)-\\d+`, 'gm')))
    if (!isRunning(Number(pid))) remove(name.slice(0, name.indexOf('-')), Number(name.split('-')[1]) + 1)
}

function remove(name: string, count: number): void {
  for (let at = 0; at < count; at++) {
    spawnSync('ip', ['link', 'del', `${name}v${at}`])
    spawnSync('ip', ['netns', 'del', `${name}-${at}`])
  }
  spawnSync('ip', ['link', 'del', `${name}b`])
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function run(program: string, ...parameters: string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${parameters.join(' ')}: ${error?.message ?? stderr.trim()}`)
  return stdout
}
