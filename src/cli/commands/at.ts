/** `daybook at TIME [PATTERN]`: prints the entries as they were. */
import type { Command } from 'commander'
import { readPast } from '../../cache/history/past-state.js'
import type { When } from '../../cache/history/when.js'
import { storedEntryIn } from '../../cache/turns/stored-entry.js'
import { compileGlob } from '../../core/decide/glob.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { FILES_HELP, lookBack, parseTime, TIMES_HELP } from '../journal/past.js'
import { entryJson } from '../terminal/entry-json.js'
import { entryText, shownEntry } from '../terminal/entry-text.js'
import { EXIT } from '../terminal/exit-codes.js'
import { LineBatch, output, remark } from '../terminal/output.js'
import { showCountOf, showMoment } from '../terminal/quantities.js'

interface AtOptions extends DirectoryOptions {
  json?: true
  full?: true
}

export function addAtCommand(program: Command): void {
  addDirectoryOption(program.command('at'))
    .description('print the entries as they were at some time; also while the journal is in use')
    .argument('<time>', 'when', parseTime)
    .argument('[pattern]', 'only matching keys (* ? [a-z])')
    .option('--json', 'print a line of JSON for each entry, with full values')
    .option('--full', 'do not shorten values')
    .addHelpText('after', `${TIMES_HELP}\n${FILES_HELP}`)
    .action(async (when: When, pattern: string | undefined, options: AtOptions) => {
      output.onClosed = () => process.exit(EXIT.fine)
      const matches = pattern === undefined ? undefined : compileGlob(pattern)
      const { sequence, timeMs, state } = await lookBack(options.directory, async (source) => {
        const place = await source.locate(when)
        return { ...place, state: await readPast(source.past, place.sequence, matches) }
      })
      const lines = new LineBatch()
      const { colors } = output
      let count = 0
      const cursor = state.inOrder()
      for (let slot = cursor.next(); slot !== undefined; slot = cursor.next()) {
        if (timeMs >= state.liveUntilAt(slot)) continue
        count++
        const entry = storedEntryIn(state.entries, slot)
        const key = state.keyAt(slot)
        await lines.add(
          options.json
            ? entryJson(key, entry)
            : entryText(key, shownEntry(entry), { colors, isFull: options.full === true }),
        )
      }
      await lines.end()
      remark(`${showCountOf(count, 'entry', 'entries')} as of sequence ${sequence}, ${showMoment(timeMs)}`)
    })
}
