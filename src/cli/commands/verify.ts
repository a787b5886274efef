/** `daybook verify`: checks every frame and every snapshot, also of a directory that is in use. */
import type { Command } from 'commander'
import type { Verification } from '../journal/findings.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { EXIT } from '../terminal/exit-codes.js'
import { output } from '../terminal/output.js'
import { Progress } from '../terminal/progress.js'
import { verificationLines } from '../verify/verification-text.js'
import { verifyJournal } from '../verify/verify-journal.js'

interface VerifyOptions extends DirectoryOptions {
  json?: true
}

export function addVerifyCommand(program: Command): void {
  addDirectoryOption(program.command('verify'))
    .description('check every frame and snapshot, and change nothing; also while the journal is in use')
    .option('--json', 'print one line of JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 sound, 3 torn (the last frame is incomplete, as a crash leaves it; opening sets it aside), 4 corrupt
(opening is refused), 1 nothing to check, or unreadable.`,
    )
    .action(async (options: VerifyOptions) => {
      const found = await verify(options.directory)
      if (options.json) output.line(JSON.stringify(found))
      else for (const line of verificationLines(found, output.colors)) output.line(line)
      process.exitCode = exitCodeFor(found)
    })
}

async function verify(directory: string): Promise<Verification> {
  const progress = new Progress({ verbs: { bytes: 'Verifying' } })
  try {
    return await verifyJournal(directory, (done, total) => progress.update(done, total))
  } finally {
    progress.end()
  }
}

export function exitCodeFor({ status }: Pick<Verification, 'status'>): number {
  if (status === 'sound') return EXIT.fine
  return status === 'torn' ? EXIT.torn : EXIT.corrupt
}
