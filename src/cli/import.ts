/** `daybook import`: real files into the cache, an entry for each file or for each line of JSON. */
import type { Command } from 'commander'
import type { Duration } from '../cache/duration.js'
import { EXIT } from './exit-codes.js'
import { UsageError } from './failures.js'
import { type Found, findFiles } from './import/find-files.js'
import { type ImportRun, importFiles } from './import/import-files.js'
import { importNdjson } from './import/import-ndjson.js'
import type { Tally } from './import/import-run.js'
import { Interruption } from './interruption.js'
import { withCache } from './opening.js'
import { addOpenOptions, type OpenOptions, parseTtlOption } from './options.js'
import { output, remark } from './output.js'
import { Progress } from './progress.js'
import { recoveryLines } from './recovery-text.js'

interface ImportOptions extends OpenOptions {
  ndjson?: true
  ttl?: Duration
  dot?: true
  restart?: true
}

export function addImportCommand(program: Command): void {
  addOpenOptions(program.command('import'))
    .description('load files into the cache: an entry for each, its path the key')
    .argument('<glob...>', "patterns of files, in quotes: 'node_modules/**/*.json'")
    .option('--ndjson', 'an entry for each line of the files: {"key": …, "value": …, "ttl": …}')
    .option(
      '--ttl <duration>',
      'how long entries live that say nothing themselves: 10 (seconds), 5m, 7d',
      parseTtlOption,
    )
    .option('--dot', 'also files and directories whose names begin with a dot')
    .option('--restart', 'with --ndjson: begin from the first line, whatever an earlier run has done')
    .addHelpText(
      'after',
      `
A file that is UTF-8 becomes text, any other bytes. Symbolic links are not followed.
Run again, it goes on where it was: files that are there with the same content are left as they are; of lines, those
that an interrupted run has already made durable are skipped. Files and lines that fail are reported and left out.`,
    )
    .action(async (patterns: string[], options: ImportOptions) => {
      process.exitCode = await importAll(patterns, options)
    })
}

async function importAll(patterns: readonly string[], options: ImportOptions): Promise<number> {
  if (options.restart && !options.ndjson)
    throw new UsageError('--restart goes with --ndjson; files are compared by their content anyway')
  const found = await findFiles(patterns, { dot: options.dot === true })
  for (const pattern of found.unmatched) remark(`daybook: no file matches ${pattern}`)
  if (found.files.length === 0) return EXIT.error
  const interruption = new Interruption()
  try {
    const tally = await run(found, options, interruption)
    return interruption.exitCode(tally.failed + found.unmatched.length === 0 ? EXIT.fine : EXIT.error)
  } finally {
    interruption.release()
  }
}

function run({ files }: Found, options: ImportOptions, interruption: Interruption): Promise<Tally> {
  const { directory, ndjson, restart, ttl } = options
  return withCache(options, async (cache) => {
    for (const line of recoveryLines(cache.recovery, cache.size, directory)) remark(line)
    const progress = new Progress({ verb: 'Importing', plainLines: true })
    try {
      const request: ImportRun = { cache, files, ttl, progress, signal: interruption.signal }
      const tally = await (ndjson
        ? importNdjson({ ...request, directory, restart: restart === true })
        : importFiles(request))
      const elapsedMs = progress.end()
      output.line(tally.text(ndjson ? 'line' : 'file', elapsedMs))
      if (interruption.isStopped) output.line('Interrupted: run the same command again to go on.')
      return tally
    } finally {
      progress.end()
    }
  })
}
