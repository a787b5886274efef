/** `daybook load FILE`: a saved file in place of all entries of a journal. */
import type { Command } from 'commander'
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
      const result = await withCache(options, (cache) => cache.load(path))
      if (!result.ok) throw new Error(result.error.message, { cause: result.error }) // the file's damage, not the journal's
      const expired = result.expired === 0 ? '' : `; ${showCount(result.expired)} had expired and were left out`
      output.line(`${showCountOf(result.entries, 'entry', 'entries')} from ${result.path}${expired}`)
    })
}
