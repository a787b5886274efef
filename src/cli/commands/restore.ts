/** `daybook restore TIME [PATTERN]`: makes entries as they were. Shows what it would do, then asks. */
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import type { RestoreResult } from '../../cache/history/restore.js'
import type { When } from '../../cache/history/when.js'
import { isShared, OWNER_HELP, withAnyCache } from '../journal/any-cache.js'
import { listJournal } from '../journal/journal-directory.js'
import { addOpenOptions, type OpenOptions } from '../journal/options.js'
import { parseTime, TIMES_HELP } from '../journal/past.js'
import { EXIT } from '../terminal/exit-codes.js'
import { output, remark } from '../terminal/output.js'
import { showCount, showCountOf } from '../terminal/quantities.js'
import { removalLines } from '../terminal/recovery-text.js'

interface RestoreOptions extends OpenOptions {
  yes?: true
}

export function addRestoreCommand(program: Command): void {
  addOpenOptions(program.command('restore'))
    .description('make entries as they were at some time, in one change; shows what it would do, then asks')
    .argument('<time>', 'when', parseTime)
    .argument('[pattern]', 'only matching keys (* ? [a-z])', '*')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      `${TIMES_HELP}
A restore can be undone in the same way: the last line says how.
${OWNER_HELP}`,
    )
    .action(async (when: When, pattern: string, options: RestoreOptions) => {
      await listJournal(options.directory) // throws if there is none, which opening would create
      process.exitCode = await withAnyCache(options, async (cache) => {
        if (!isShared(cache)) for (const line of removalLines(cache.recovery)) remark(line)
        const planned = await cache.restore(when, { pattern, dryRun: true })
        output.line(`It would ${shown(planned, 'set', 'delete')}.`)
        if (planned.set + planned.deleted === 0) return EXIT.fine
        if (options.yes !== true && !(await isConfirmed())) {
          output.line('Nothing was changed.')
          return EXIT.error
        }
        const { sequence } = (await cache.stats()).journal
        output.line(`Done: ${shown(await cache.restore(when, { pattern }), 'set', 'deleted')}.`)
        output.line(
          `To undo it: daybook restore @${sequence} ${JSON.stringify(pattern)} --directory ${options.directory}`,
        )
        return EXIT.fine
      })
    })
}

function shown({ set, deleted, unchanged }: RestoreResult, setting: string, deleting: string): string {
  return `${setting} ${showCountOf(set, 'entry', 'entries')} and ${deleting} ${showCount(deleted)}; ${showCount(unchanged)} are as they were`
}

/** An answer that is not yes, and the end of the input, mean no. */
async function isConfirmed(): Promise<boolean> {
  const input = createInterface({ input: process.stdin })
  output.write('Do it? [y/N] ')
  try {
    for await (const line of input) return /^y(es)?$/i.test(line.trim())
    return false
  } finally {
    input.close()
  }
}
