/** `daybook stats`: shows what a cache holds, as the process that owns it says, or else its journal. */
import type { Command } from 'commander'
import { listJournal } from '../journal/journal-directory.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { statsLines } from '../stats/journal-stats.js'
import { statsOfFiles } from '../stats/stats-of-files.js'
import { statsOfOwner } from '../stats/stats-of-owner.js'
import { output } from '../terminal/output.js'

interface StatsOptions extends DirectoryOptions {
  files?: true
  json?: true
}

export function addStatsCommand(program: Command): void {
  addDirectoryOption(program.command('stats'))
    .description('show what the journal holds: entries, counters, sequence numbers, files; also while it is in use')
    .option('--files', 'read the files, even if a process owns the cache for others')
    .option('--json', 'print one line of JSON')
    .addHelpText(
      'after',
      `
If a process owns the cache for others (daybook serve, openShared), it is asked: only it knows the hits and misses since
the last write. Otherwise the files are read, without the lock. "source" says which. The owner does not count the bytes of
keys and values, expired entries, and events; --files does.`,
    )
    .action(async ({ directory, files, json }: StatsOptions) => {
      await listJournal(directory) // throws if there is none
      const found = (files ? undefined : await statsOfOwner(directory)) ?? (await statsOfFiles(directory))
      if (json) output.line(JSON.stringify(found))
      else for (const line of statsLines(found)) output.line(line)
    })
}
