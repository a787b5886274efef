/** `daybook cluster status`: how a cluster is doing, as the servers of its log and its nodes say. Makes and changes nothing. */
import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import type { ClusterStatus, readStatus, StatusConnection } from '../../edges/cluster/nats/nats-status.js'
import { EXIT } from '../terminal/exit-codes.js'
import { UsageError } from '../terminal/failures.js'
import { type Figure, figureLines } from '../terminal/figures.js'
import { output } from '../terminal/output.js'
import { showBytes, showCount, showCountOf, showMilliseconds } from '../terminal/quantities.js'

interface StatusOptions {
  servers: string
  name: string
  user?: string
  creds?: string
  json?: true
}

export function addClusterCommand(program: Command): void {
  program
    .command('cluster')
    .description('look at a cluster')
    .command('status')
    .description('print the term, the leader, the sizes, and how far each node and server is behind')
    .requiredOption('--servers <addresses>', 'of NATS, with commas between them: a:4222,b:4222')
    .requiredOption('--name <name>', 'of the cache, as openCluster() has it')
    .addOption(new Option('--user <name>', 'user of NATS; the password is in the environment, NATS_PASSWORD'))
    .addOption(new Option('--creds <file>', 'credentials file of NATS'))
    .option('--json', 'print one line of JSON')
    .addHelpText(
      'after',
      `
The exit code is 1 if no leader answers. Nodes that are not connected to the leader are not listed.`,
    )
    .action(async (options: StatusOptions) => {
      const status = await (await reader())(options.name, connection(options))
      if (options.json) output.line(JSON.stringify(status))
      else for (const line of statusLines(status)) output.line(line)
      process.exitCode = status.leader === null ? EXIT.error : EXIT.fine
    })
}

/** The client of NATS is an optional dependency. */
async function reader(): Promise<typeof readStatus> {
  try {
    return (await import('../../edges/cluster/nats/nats-status.js')).readStatus
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      'The client of NATS is not installed: npm install @nats-io/transport-node @nats-io/jetstream @nats-io/kv @nats-io/obj',
      { cause: error },
    )
  }
}

function connection({ servers, user, creds }: StatusOptions): StatusConnection {
  if (user !== undefined && creds !== undefined) throw new UsageError('--user and --creds cannot be used together')
  const addresses = { servers: servers.split(',') }
  if (creds !== undefined) return { ...addresses, creds: readFileSync(creds) }
  return user === undefined ? addresses : { ...addresses, user, pass: process.env['NATS_PASSWORD'] ?? '' }
}

function statusLines({ name, term, leader, log, snapshots, servers, nodes }: ClusterStatus): string[] {
  const led = leader === null ? 'no leader answers' : `led by ${leader}`
  const snapshot =
    snapshots.position === null
      ? 'none'
      : `as of record ${showCount(snapshots.position)}; ${showCountOf(snapshots.behind, 'record')} behind it`
  return figureLines([
    ['cluster', name],
    ['term', `${showCount(term)}, ${led}`],
    [
      'log',
      `records ${showCount(log.first)} to ${showCount(log.last)}, ${showBytes(log.bytes)}; the newest is ${showMilliseconds(log.newestMs)} old`,
    ],
    ['snapshot', snapshot],
    ['objects', showBytes(snapshots.bytes)],
    ...servers.map(
      ({ name: server, leads, isCurrent, lag }): Figure => [
        `server ${server}`,
        leads ? 'leads the stream' : isCurrent ? 'current' : `${showCountOf(lag, 'operation')} behind`,
      ],
    ),
    ...nodes.map(
      ({ node, role, host, pid, entries, position, lagMs }): Figure => [
        `node ${node}`,
        `${role}, process ${pid} on ${host}, ${showCountOf(entries, 'entry', 'entries')}, record ${showCount(position)}, heard of the log ${showMilliseconds(lagMs)} ago`,
      ],
    ),
  ])
}
