/** `daybook load FILE`: replaces all entries of a journal with those of a saved file. */
import type { Command } from 'commander'
import { isShared, OWNER_HELP, withAnyCache } from '../journal/any-cache.js'
import { listJournal } from '../journal/journal-directory.js'
import { addOpenOptions, type OpenOptions } from '../journal/options.js'
import { output, remark } from '../terminal/output.js'
import { showCountOf } from '../terminal/quantities.js'
import { removalLines } from '../terminal/recovery-text.js'
import { FORMATS_HELP, readSavedFile, runFileCommand } from './file-command.js'

export function addLoadCommand(program: Command): void {
  addOpenOptions(program.command('load'))
    .description('replace all entries and counters with those of a file written by save or by Python')
    .argument('<file>')
    .addHelpText('after', `${FORMATS_HELP}\n${OWNER_HELP}`)
    .action(async (path: string, options: OpenOptions) => {
      process.exitCode = await runFileCommand(
        'nothing was loaded, and nothing was changed.',
        async (onProgress, signal) => {
          // A file that cannot be loaded must not create a journal.
          if (!(await hasJournal(options.directory))) await readSavedFile(path, onProgress)
          await withAnyCache(options, async (cache) => {
            signal.throwIfAborted()
            if (!isShared(cache)) for (const line of removalLines(cache.recovery)) remark(line)
            const result = await (isShared(cache) ? cache.load(path) : cache.load(path, { onProgress }))
            if (!result.ok) throw new Error(result.error.message, { cause: result.error }) // not a CorruptionError: the journal is sound
            output.line(`${showCountOf(result.entries, 'entry', 'entries')} from ${result.path}${leftOut(result)}`)
          })
        },
      )
    })
}

async function hasJournal(directory: string): Promise<boolean> {
  try {
    await listJournal(directory)
    return true
  } catch {
    return false
  }
}

function leftOut({ expired, evicted }: { expired: number; evicted: number }): string {
  const parts = [
    ...(expired === 0 ? [] : [`${showCountOf(expired, 'expired entry', 'expired entries')} left out`]),
    ...(evicted === 0
      ? []
      : [`${showCountOf(evicted, 'least recently used entry', 'least recently used entries')} did not fit`]),
  ]
  return parts.map((part) => `; ${part}`).join('')
}
