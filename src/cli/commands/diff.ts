/** `daybook diff FROM [TO]`: prints what is different at two times. */
import type { Command } from 'commander'
import { diffPast, type StoredDifference } from '../../cache/history/diff.js'
import type { When } from '../../cache/history/when.js'
import { compileGlob } from '../../core/decide/glob.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { FILES_HELP, lookBack, parseTime, TIMES_HELP } from '../journal/past.js'
import { entryMembers } from '../terminal/entry-json.js'
import { differenceText, shownEntry } from '../terminal/entry-text.js'
import { EXIT } from '../terminal/exit-codes.js'
import { LineBatch, output, remark } from '../terminal/output.js'
import { showCount, showMoment } from '../terminal/quantities.js'

interface DiffOptions extends DirectoryOptions {
  json?: true
  full?: true
  key?: string
}

export function addDiffCommand(program: Command): void {
  addDirectoryOption(program.command('diff'))
    .description('print the entries that are different at two times; also while the journal is in use')
    .argument('<from>', 'a time', parseTime)
    .argument('[to]', 'another one (default: now)', parseTime)
    .option('--key <pattern>', 'only matching keys (* ? [a-z])')
    .option('--json', 'print a line of JSON for each difference, with full values')
    .option('--full', 'do not shorten values')
    .addHelpText(
      'after',
      `\nEach line begins with + (a new entry), - (one that is gone) or ~ (another value, deadline or tags).\n${TIMES_HELP}\n${FILES_HELP}`,
    )
    .action(async (from: When, to: When | undefined, options: DiffOptions) => {
      output.onClosed = () => process.exit(EXIT.fine)
      const matches = options.key === undefined ? undefined : compileGlob(options.key)
      const { places, differences, first } = await lookBack(options.directory, async (source) => {
        const places = [await source.locate(from), await source.locate(to)] as const
        const differences = diffPast(source.past, ...places, matches)
        return { places, differences, first: await differences.next() } // with the first one, all files have been read
      })
      const counts = { '+': 0, '-': 0, '~': 0 }
      const lines = new LineBatch()
      for (let item = first; !item.done; item = await differences.next()) {
        const difference = item.value
        counts[signOf(difference)]++
        await lines.add(options.json ? json(difference) : text(difference, options.full === true))
      }
      await lines.end()
      const [before, after] = places.map(({ sequence, timeMs }) => `sequence ${sequence} (${showMoment(timeMs)})`)
      remark(
        `${showCount(counts['+'])} added, ${showCount(counts['-'])} removed, ${showCount(counts['~'])} changed from ${before} to ${after}`,
      )
    })
}

function signOf({ before, after }: StoredDifference): '+' | '-' | '~' {
  return before === undefined ? '+' : after === undefined ? '-' : '~'
}

function text({ key, before, after }: StoredDifference, isFull: boolean): string {
  return differenceText(key, before && shownEntry(before), after && shownEntry(after), {
    colors: output.colors,
    isFull,
  })
}

function json({ key, before, after }: StoredDifference): string {
  const [was, is] = [before, after].map((entry) => (entry === undefined ? 'null' : `{${entryMembers(entry)}}`))
  return `{"key":${JSON.stringify(key)},"before":${was},"after":${is}}`
}
