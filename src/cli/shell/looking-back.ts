/** The shell's `at`, `history`, `diff`, `restore` and `fork`. */

import type { When } from '../../cache/history/when.js'
import { parseTime } from '../journal/past.js'
import { changeText } from '../terminal/change-text.js'
import { differenceText } from '../terminal/entry-text.js'
import { UsageError } from '../terminal/failures.js'
import { showBytes, showCountOf, showMoment } from '../terminal/quantities.js'
import { shorten, showKey, showValue, VALUE_LENGTH_MAX } from '../terminal/show-value.js'
import type { ShellCommand } from './shell-command.js'

const TIMES = 'A TIME is 10m (ago), an ISO time like 2026-11-26T14:02, or @SEQUENCE: right after that event.'

function timeOf(text: string): When {
  try {
    return parseTime(text)
  } catch (error) {
    throw new UsageError(`TIME: ${(error as Error).message}`)
  }
}

const short = (value: unknown) => shorten(showValue(value), VALUE_LENGTH_MAX)

const AT: ShellCommand = {
  name: 'at',
  usage: 'TIME [PATTERN]',
  summary: 'list the entries as they were',
  details: [TIMES],
  takes: [1, 2],
  async run({ cache, print, hint }, [time = '', pattern]) {
    const view = await cache.at(timeOf(time), { pattern })
    for await (const [key, value] of view) print(`${showKey(key)} = ${short(value)}`)
    hint(`as of sequence ${view.sequence}, ${showMoment(view.timeMs)}`)
    view.close()
  },
}

const HISTORY: ShellCommand = {
  name: 'history',
  usage: 'KEY',
  summary: 'list the changes of a key',
  takes: [1, 1],
  completes: 'keys',
  async run({ cache, colors, print, hint }, [key = '']) {
    let count = 0
    for await (const change of cache.history(key)) {
      count++
      print(changeText(change, { colors, valueLengthMax: VALUE_LENGTH_MAX, atMs: change.timeMs }))
    }
    if (count === 0) hint('no change is kept')
  },
}

const DIFF: ShellCommand = {
  name: 'diff',
  usage: 'FROM [TO]',
  summary: 'list what is different at two times',
  details: [
    TIMES,
    'Without TO: now. + is a new entry, - one that is gone, ~ one with another value, deadline or tags.',
  ],
  takes: [1, 2],
  async run({ cache, colors, print, hint }, [from = '', to]) {
    let count = 0
    for await (const { key, before, after } of cache.diff(timeOf(from), to === undefined ? undefined : timeOf(to))) {
      count++
      print(differenceText(key, before, after, { colors }))
    }
    if (count === 0) hint('no difference')
  },
}

const RESTORE: ShellCommand = {
  name: 'restore',
  usage: 'TIME [PATTERN]',
  summary: 'make entries as they were',
  details: [TIMES, 'It is one change. Restoring to the sequence before it, which is printed, undoes it.'],
  takes: [1, 2],
  async run({ cache, print, hint }, [time = '', pattern]) {
    const when = timeOf(time)
    const { sequence } = (await cache.stats()).journal
    const { set, deleted, unchanged } = await cache.restore(when, { pattern })
    print(`${showCountOf(set, 'entry', 'entries')} set, ${deleted} deleted, ${unchanged} as they were`)
    if (set + deleted > 0) hint(`to undo it: restore @${sequence}${pattern === undefined ? '' : ` ${pattern}`}`)
  },
}

const FORK: ShellCommand = {
  name: 'fork',
  usage: 'DIRECTORY [TIME]',
  summary: 'write the cache as a journal of its own',
  details: [TIMES, 'Without TIME: as it is now.'],
  takes: [1, 2],
  async run({ cache, print }, [directory = '', time]) {
    const fork = await cache.fork(directory, time === undefined ? undefined : timeOf(time))
    print(`${fork.directory}: ${showCountOf(fork.entries, 'entry', 'entries')}, ${showBytes(fork.bytes)}`)
  },
}

export const LOOKING_BACK: readonly ShellCommand[] = [AT, HISTORY, DIFF, RESTORE, FORK]
