/** `daybook fork DIRECTORY`: writes the cache, as it is or was, as a journal of its own. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readPast } from '../../cache/history/past-state.js'
import type { When } from '../../cache/history/when.js'
import { FrozenRows } from '../../core/evolve/frozen-rows.js'
import { forkJournal } from '../../durable/recovery/fork-journal.js'
import { disk } from '../../durable/storage/disk.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { FILES_HELP, lookBack, parseTime, TIMES_HELP } from '../journal/past.js'
import { output } from '../terminal/output.js'
import { showBytes, showCountOf } from '../terminal/quantities.js'

interface ForkOptions extends DirectoryOptions {
  at?: When
}

export function addForkCommand(program: Command): void {
  addDirectoryOption(program.command('fork'))
    .description('write the cache as a journal of its own in another directory; also while the journal is in use')
    .argument('<target>', 'a directory without a journal; created if it does not exist')
    .option('--at <time>', 'as it was then (default: now)', parseTime)
    .addHelpText('after', `${TIMES_HELP}\n${FILES_HELP}`)
    .action(async (target: string, { directory, at }: ForkOptions) => {
      const { sequence, rows } = await lookBack(directory, async (source) => {
        const place = await source.locate(at)
        return { ...place, rows: new FrozenRows(await readPast(source.past, place.sequence, undefined)) }
      })
      const fork = await forkJournal({
        storage: disk,
        directory: resolve(target),
        sequence,
        source: rows,
        nowMs: Date.now(),
      })
      output.line(
        `${fork.directory}: ${showCountOf(fork.entries, 'entry', 'entries')}, ${showBytes(fork.bytes)}, as of sequence ${sequence}`,
      )
    })
}
