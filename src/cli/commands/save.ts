/** `daybook save FILE`: writes all entries of a journal to one file, which Python can read, too. */
import type { Command } from 'commander'
import { isShared, OWNER_HELP, withAnyCache } from '../journal/any-cache.js'
import { listJournal } from '../journal/journal-directory.js'
import { addOpenOptions, type OpenOptions } from '../journal/options.js'
import { output, remark } from '../terminal/output.js'
import { showBytes, showCountOf } from '../terminal/quantities.js'
import { removalLines } from '../terminal/recovery-text.js'
import { FORMATS_HELP, runFileCommand } from './file-command.js'

export function addSaveCommand(program: Command): void {
  addOpenOptions(program.command('save'))
    .description('write all entries and counters to one file; if that fails, an existing file is kept')
    .argument('<file>')
    .addHelpText('after', `${FORMATS_HELP}\n${OWNER_HELP}`)
    .action(async (path: string, options: OpenOptions) => {
      await listJournal(options.directory) // throws if there is none, which opening would create
      const outcome = `${path} was not written; a file that was already there is unchanged.`
      process.exitCode = await runFileCommand(outcome, (onProgress, signal) =>
        withAnyCache(options, async (cache) => {
          signal.throwIfAborted()
          if (!isShared(cache)) for (const line of removalLines(cache.recovery)) remark(line)
          const result = await (isShared(cache) ? cache.save(path) : cache.save(path, { onProgress }))
          if (!result.ok) throw result.error
          output.line(`${result.path}: ${showCountOf(result.entries, 'entry', 'entries')}, ${showBytes(result.bytes)}`)
        }),
      )
    })
}
