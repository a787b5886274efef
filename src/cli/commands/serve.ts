/** `daybook serve DIRECTORY`: a process that does nothing but own the cache which other processes share. It has no port. */
import type { Command } from 'commander'
import type { Duration } from '../../cache/arguments/duration.js'
import { openWithin } from '../../open.js'
import { openSharedWithin } from '../../processes.js'
import {
  addEvictionOption,
  addFsyncOption,
  addMaxSizeOption,
  type OpenOptions,
  parseTtlOption,
} from '../journal/options.js'
import { EXIT } from '../terminal/exit-codes.js'
import { Interruption } from '../terminal/interruption.js'
import { output } from '../terminal/output.js'

const HOUR_MS = 3_600_000

interface ServeOptions extends Pick<OpenOptions, 'maxSize' | 'eviction' | 'fsync'> {
  history?: Duration
}

export function addServeCommand(program: Command): void {
  addFsyncOption(addEvictionOption(addMaxSizeOption(program.command('serve'))))
    .description('own the cache of a directory for the processes of this host that open it with openShared()')
    .argument('<directory>')
    .option('--history <time>', 'how much of the past compaction keeps, as 7d (default: none)', parseTtlOption)
    .addHelpText(
      'after',
      `
Prints a line whenever this process or another one becomes the owner. If another process owns the cache already, this one takes
over when that one ends. Ctrl-C and SIGTERM hand the cache over and close it; nothing is lost.`,
    )
    .action(async (directory: string, options: ServeOptions) => {
      process.exitCode = await serve(directory, options)
    })
}

async function serve(directory: string, { maxSize, eviction, fsync, history }: ServeOptions): Promise<number> {
  const interruption = new Interruption()
  const alive = setInterval(() => undefined, HOUR_MS)
  try {
    const cache = await openSharedWithin({ directory, owner: 'prefer', maxSize, eviction, fsync, history }, (options) =>
      openWithin(options, { newMaxSize: Number.POSITIVE_INFINITY }),
    )
    cache.role$.subscribe(({ role, pid, warning }) => {
      const who =
        role === 'reconnecting'
          ? 'nobody owns'
          : role === 'owner'
            ? `this process (${pid}) owns`
            : `process ${pid} owns`
      output.line(
        `${new Date().toISOString()} ${who} ${directory}${warning === undefined ? '' : `: ${warning.message}`}`,
      )
    })
    await new Promise<void>((resolve) => {
      if (interruption.isStopped) resolve()
      interruption.signal.addEventListener('abort', () => resolve())
      cache.role$.subscribe({ complete: resolve })
    })
    await cache.close()
    output.line(`${new Date().toISOString()} closed ${directory}`)
    return interruption.exitCode(EXIT.error)
  } finally {
    clearInterval(alive)
    interruption.release()
  }
}
