/** `daybook load FILE`: a saved file in place of all entries of a journal. */
import type { Command } from 'commander'
import { withFileProgress } from './file-command.js'
import { withCache } from './opening.js'
import { addOpenOptions, type OpenOptions } from './options.js'
import { output } from './output.js'
import { showCount, showCountOf } from './quantities.js'
import { FORMATS_HELP } from './save.js'

export function addLoadCommand(program: Command): void {
  addOpenOptions(program.command('load'))
    .description('replace all entries and counters by those of a file that save (or Python) wrote')
    .argument('<file>')
    .addHelpText('after', FORMATS_HELP)
    .action(async (path: string, options: OpenOptions) => {
      process.exitCode = await withFileProgress('nothing was loaded, and nothing was changed.', (onProgress, signal) =>
        withCache(options, async (cache) => {
          signal.throwIfAborted()
          const result = await cache.load(path, { onProgress })
          if (!result.ok) throw new Error(result.error.message, { cause: result.error }) // the file's damage, not the journal's
          output.line(`${showCountOf(result.entries, 'entry', 'entries')} from ${result.path}${leftOut(result)}`)
        }),
      )
    })
}

function leftOut({ expired, evicted }: { expired: number; evicted: number }): string {
  const parts = [
    ...(expired === 0 ? [] : [`${showCount(expired)} had expired and were left out`]),
    ...(evicted === 0 ? [] : [`${showCount(evicted)} more did not fit, the least recently used ones`]),
  ]
  return parts.map((part) => `; ${part}`).join('')
}
