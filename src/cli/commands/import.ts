/** `daybook import`: imports files, one entry for each file or for each line of JSON. */
import type { Command } from 'commander'
import type { Duration } from '../../cache/arguments/duration.js'
import { type Found, findFiles } from '../import/find-files.js'
import { importFiles } from '../import/import-files.js'
import { importNdjson } from '../import/import-ndjson.js'
import { ImportRun } from '../import/import-run.js'
import { addOpenOptions, type OpenOptions, parseTtlOption } from '../journal/options.js'
import { withCache } from '../journal/with-cache.js'
import { EXIT } from '../terminal/exit-codes.js'
import { UsageError } from '../terminal/failures.js'
import { Interruption } from '../terminal/interruption.js'
import { output, remark } from '../terminal/output.js'
import { recoveryLines } from '../terminal/recovery-text.js'

interface ImportOptions extends OpenOptions {
  ndjson?: true
  ttl?: Duration
  dot?: true
  restart?: true
}

export function addImportCommand(program: Command): void {
  addOpenOptions(program.command('import'))
    .description('import files: one entry for each, with its path as the key')
    .argument('<glob...>', "file patterns, in quotes: 'node_modules/**/*.json'")
    .option(
      '--ndjson',
      'one entry for each line of the files: {"key": …, "value": …, "ttl": …}, also with "stale" and "tags"',
    )
    .option('--ttl <duration>', 'TTL for entries without their own: 10 (seconds), 5m, 7d', parseTtlOption)
    .option('--dot', 'include files and directories whose names start with a dot')
    .option('--restart', 'with --ndjson: start at the first line instead of continuing an earlier run')
    .addHelpText(
      'after',
      `
A UTF-8 file becomes text, any other file bytes. Symbolic links are not followed.
An interrupted import continues when it is run again: files that are already imported and unchanged are skipped, and so are
lines that are already durable. Files and lines that fail are reported and left out.`,
    )
    .action(async (patterns: string[], options: ImportOptions) => {
      process.exitCode = await importAll(patterns, options)
    })
}

async function importAll(patterns: readonly string[], options: ImportOptions): Promise<number> {
  if (options.restart && !options.ndjson)
    throw new UsageError('--restart is only for --ndjson; files are compared by content anyway')
  const found = await findFiles(patterns, { dot: options.dot === true })
  for (const pattern of found.unmatched) remark(`daybook: no file matches ${pattern}`)
  if (found.files.length === 0) return EXIT.error
  const interruption = new Interruption()
  try {
    const failed = await run(found, options, interruption)
    return interruption.exitCode(failed + found.unmatched.length === 0 ? EXIT.fine : EXIT.error)
  } finally {
    interruption.release()
  }
}

/** Returns how many files or lines failed. */
function run({ files }: Found, options: ImportOptions, { signal }: Interruption): Promise<number> {
  const { directory, ndjson, restart, ttl } = options
  return withCache(options, async (cache) => {
    for (const line of recoveryLines(cache.recovery, cache.size, directory)) remark(line)
    const run = new ImportRun({ cache, files, unit: ndjson ? 'line' : 'file', ttl, signal })
    try {
      if (ndjson) await importNdjson(run, { directory, restart: restart === true })
      else await importFiles(run)
    } finally {
      run.end()
    }
    output.line(run.summary())
    if (run.isStopped) output.line('Interrupted: run the same command again to continue.')
    return run.failed
  })
}
