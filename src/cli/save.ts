/** `daybook save FILE`: all entries of a journal into one file, for Python too. */
import type { Command } from 'commander'
import { withFileProgress } from './file-command.js'
import { withCache } from './opening.js'
import { addOpenOptions, type OpenOptions } from './options.js'
import { output } from './output.js'
import { showBytes, showCountOf } from './quantities.js'

export const FORMATS_HELP = `
The file's extension says the format: .pickle and .pkl are Python pickles that pickle.load() reads; any other is daybook's
own, which holds every value exactly.`

export function addSaveCommand(program: Command): void {
  addOpenOptions(program.command('save'))
    .description('write all entries and counters into one file; the old one survives every failure')
    .argument('<file>')
    .addHelpText('after', FORMATS_HELP)
    .action(async (path: string, options: OpenOptions) => {
      process.exitCode = await withFileProgress(
        `${path} was not written; one that was there is as it was.`,
        (onProgress, signal) =>
          withCache(options, async (cache) => {
            signal.throwIfAborted()
            const result = await cache.save(path, { onProgress })
            if (!result.ok) throw result.error
            output.line(
              `${result.path}: ${showCountOf(result.entries, 'entry', 'entries')}, ${showBytes(result.bytes)}`,
            )
          }),
      )
    })
}
