/** `daybook history KEY`: prints the changes of one key. */
import type { Command } from 'commander'
import { startOf } from '../../cache/history/looking-back.js'
import { checkWhen, type When } from '../../cache/history/when.js'
import type { Sequence } from '../../core/model/sequence.js'
import { ChangeCursor } from '../../durable/history/change-cursor.js'
import { disk } from '../../durable/storage/disk.js'
import { addDirectoryOption, type DirectoryOptions } from '../journal/options.js'
import { FILES_HELP, lookBack, parseTime, TIMES_HELP } from '../journal/past.js'
import { eventText } from '../terminal/event-text.js'
import { EXIT } from '../terminal/exit-codes.js'
import { LineBatch, output, remark } from '../terminal/output.js'

interface HistoryOptions extends DirectoryOptions {
  json?: true
  full?: true
  from?: When
  to?: When
}

export function addHistoryCommand(program: Command): void {
  addDirectoryOption(program.command('history'))
    .description('print the changes of one key, and those of all keys; also while the journal is in use')
    .argument('<key>')
    .option('--from <time>', 'begin with the changes at this time', parseTime)
    .option('--to <time>', 'end with the changes at this time', parseTime)
    .option('--json', 'print a line of JSON for each change, with full values')
    .option('--full', 'do not shorten values')
    .addHelpText('after', `${TIMES_HELP}\n${FILES_HELP}`)
    .action(async (key: string, { directory, from, to, json, full }: HistoryOptions) => {
      output.onClosed = () => process.exit(EXIT.fine)
      const lines = new LineBatch()
      let count = 0
      /** After the first look: the last change that is wanted, and the last one that was read. */
      let last: Sequence | undefined
      let read: Sequence | undefined
      await lookBack(directory, async (source) => {
        const { past, now } = source
        last ??= (await source.locate(to)).sequence
        const { sequence: oldest } = await past.oldest()
        if (read === undefined)
          read = await startOf(past, from === undefined ? undefined : checkWhen(from, now.timeMs), now)
        else if (read < oldest) {
          remark(`Changes ${read + 1} to ${oldest} were compacted away before they were read.`)
          read = oldest
        }
        const cursor = new ChangeCursor(disk, directory, read)
        for (;;) {
          const events = await cursor.read(last)
          if (events.length === 0) break
          for (const { event, sequence, timeMs } of events) {
            read = sequence
            if ('key' in event ? event.key !== key : event.type === 'limited') continue
            count++
            await lines.add(eventText(event, sequence, timeMs, { json: json === true, full: full === true }))
          }
        }
      }).finally(() => lines.end())
      if (count === 0) remark(`No change of ${key} is kept.`)
    })
}
