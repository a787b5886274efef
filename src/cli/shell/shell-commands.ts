/** The table of the shell's commands. To add one, add a row. */
import { showBytes, showCountOf, showMilliseconds } from '../quantities.js'
import { showKey, showValue } from '../show-value.js'
import { cacheStatsLines } from './cache-stats.js'
import { calling } from './calling.js'
import { helpLines } from './help.js'
import { LOAD, SAVE } from './save-load.js'
import { parseSet } from './set-arguments.js'
import { MISSING, type ShellCommand } from './shell-command.js'

export const SHELL_COMMANDS: readonly ShellCommand[] = [
  {
    name: 'set',
    usage: 'KEY VALUE [TTL]',
    summary: 'store a value: JSON, or else text',
    details: [
      'VALUE is JSON where it parses as JSON, and may have spaces then; any other value with spaces goes in quotes.',
      'TTL is a number of seconds, or 250ms, 10s, 5m, 1h, 7d. Without one the entry stays, and an old TTL is gone.',
      '  set user:1 {"name": "Ada", "born": 1815} 7d',
      "  set greeting 'hello world'",
    ],
    takes: [0, Number.POSITIVE_INFINITY], // where the value ends is for parseSet to find
    completes: 'keys',
    run({ cache, print }, _words, rest) {
      const { key, value, ttl } = parseSet(rest)
      cache.set(key, value, { ttl })
      print('OK')
    },
  },
  {
    name: 'get',
    usage: 'KEY',
    summary: `print a value; ${MISSING} where there is none`,
    details: ['As JSON, if JSON can say it exactly; else as Node shows it.'],
    takes: [1, 1],
    completes: 'keys',
    run: calling('get', (value, { colors, print }) =>
      print(value === undefined ? colors.dim(MISSING) : showValue(value, { colors: colors.isColorSupported })),
    ),
  },
  {
    name: 'exists',
    aliases: ['has'],
    usage: 'KEY',
    summary: 'true or false',
    takes: [1, 1],
    completes: 'keys',
    run: calling('exists'),
  },
  {
    name: 'increment',
    aliases: ['incr'],
    usage: 'KEY [BY] [TTL]',
    summary: 'add to a number',
    details: ['BY is 1 unless given. A missing entry becomes BY, with the TTL; one that is there keeps its own.'],
    takes: [1, 3],
    completes: 'keys',
    run: calling('increment'),
  },
  {
    name: 'decrement',
    aliases: ['decr'],
    usage: 'KEY [BY] [TTL]',
    summary: 'subtract from a number',
    takes: [1, 3],
    completes: 'keys',
    run: calling('decrement'),
  },
  {
    name: 'delete',
    aliases: ['del'],
    usage: 'KEY…',
    summary: 'remove entries; prints how many there were',
    takes: [1, Number.POSITIVE_INFINITY],
    completes: 'keys',
    run: calling('deleteMany'),
  },
  {
    name: 'keys',
    usage: '[PATTERN]',
    summary: 'list the keys that match, least recently used first',
    details: [
      '* is any run of characters, ? exactly one, [abc] [a-z] [!a] one of a class, \\ takes the next as it is.',
    ],
    takes: [0, 1],
    completes: 'keys',
    run: calling('keys', (keys, { print, hint }) => {
      for (const key of keys) print(showKey(key))
      if (keys.length === 0) hint('no keys')
    }),
  },
  {
    name: 'delete-pattern',
    usage: 'PATTERN',
    summary: 'remove entries that match; prints how many there were',
    takes: [1, 1],
    completes: 'keys',
    run: calling('deletePattern'),
  },
  {
    name: 'ttl',
    usage: 'KEY',
    summary: 'print the seconds that an entry has left',
    details: [`"none" for an entry without a deadline, ${MISSING} where there is no entry.`],
    takes: [1, 1],
    completes: 'keys',
    run: calling('ttl', (seconds, { colors, print }) => {
      if (seconds === undefined) print(colors.dim(MISSING))
      else print(seconds === Number.POSITIVE_INFINITY ? 'none' : String(Math.round(seconds * 1000) / 1000))
    }),
  },
  {
    name: 'expire',
    usage: 'KEY TTL',
    summary: 'give an entry another deadline',
    details: ['TTL from now; Infinity takes the deadline away.'],
    takes: [2, 2],
    completes: 'keys',
    run: calling('expire', (isDone, { colors, print }) => print(isDone ? 'OK' : colors.dim(MISSING))),
  },
  {
    name: 'stats',
    usage: '',
    summary: 'counters, size and journal',
    takes: [0, 0],
    run: calling('stats', (stats, { print }) => {
      for (const line of cacheStatsLines(stats)) print(line)
    }),
  },
  {
    name: 'watch',
    usage: '[PATTERN] | off',
    summary: 'print changes as they happen',
    details: ['Of the keys that match, until "watch off"; at the prompt an empty line ends it too.'],
    takes: [0, 1],
    completes: 'keys',
    run({ watching, hint }, [pattern = '*']) {
      if (pattern === 'off') watching.stop()
      else {
        watching.start(pattern)
        hint(`watching ${showKey(pattern)}, until "watch off" or an empty line`)
      }
    },
  },
  {
    name: 'compact',
    usage: '',
    summary: 'write a snapshot, remove the journal before it',
    takes: [0, 0],
    run: calling('compact', ({ file, entries, bytes, removed, durationMs }, { print }) =>
      print(
        `${file}: ${showCountOf(entries, 'entry', 'entries')}, ${showBytes(bytes)}, in ${showMilliseconds(durationMs)}; ${showCountOf(removed.length, 'older file')} removed`,
      ),
    ),
  },
  {
    name: 'flush',
    usage: '',
    summary: 'force everything to disk',
    takes: [0, 0],
    run: calling('flush', (sequence, { print }) => print(`durable through sequence ${sequence}`)),
  },
  SAVE,
  LOAD,
  {
    name: 'clear',
    usage: '',
    summary: 'remove every entry and set the counters to 0',
    takes: [0, 0],
    run: calling('clear', (_, { print }) => print('OK')),
  },
  {
    name: 'help',
    aliases: ['?'],
    usage: '[COMMAND]',
    summary: 'this list, or one command',
    takes: [0, 1],
    completes: 'commands',
    run({ print, colors }, [name]) {
      for (const line of helpLines(SHELL_COMMANDS, name, colors)) print(line)
    },
  },
  {
    name: 'exit',
    aliases: ['quit'],
    usage: '',
    summary: 'close the journal and leave; Ctrl-D does it too',
    takes: [0, 0],
    run({ leave }) {
      leave()
    },
  },
]
