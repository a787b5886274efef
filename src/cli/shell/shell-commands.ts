/** The table of the shell's commands. To add a command, add a row. */
import { whenThere } from '../journal/any-cache.js'
import { UsageError } from '../terminal/failures.js'
import type { Colors } from '../terminal/printable.js'
import { showBytes, showCount, showCountOf, showMilliseconds } from '../terminal/quantities.js'
import { shorten, showKey, showValue } from '../terminal/show-value.js'
import { cacheStatsLines } from './cache-stats.js'
import { calling } from './calling.js'
import { helpLines } from './help.js'
import { LOOKING_BACK } from './looking-back.js'
import { LOAD, SAVE } from './save-load.js'
import { parseSet } from './set-arguments.js'
import { MISSING, type ShellCommand } from './shell-command.js'

/** About what fits on a screen. */
const VALUE_LENGTH_MAX = 2_000

export const SHELL_COMMANDS: readonly ShellCommand[] = [
  {
    name: 'set',
    usage: 'KEY VALUE [TTL]',
    summary: 'store a value: JSON if it parses, otherwise text',
    details: [
      'VALUE is JSON if it parses as JSON, and may then contain spaces; any other value with spaces goes in quotes.',
      'TTL is a number of seconds, or 250ms, 10s, 5m, 1h, 7d. Without it the entry does not expire, even if it had a TTL.',
      '  set user:1 {"name": "Ada", "born": 1815} 7d',
      "  set greeting 'hello world'",
    ],
    takes: [0, Number.POSITIVE_INFINITY], // parseSet finds the end of the value
    completes: 'keys',
    run({ cache, print }, _words, rest) {
      const { key, value, ttl } = parseSet(rest)
      return whenThere(cache.set(key, value, { ttl }), () => print('OK'))
    },
  },
  {
    name: 'get',
    usage: 'KEY [--full]',
    summary: `print a value, or ${MISSING} if there is none`,
    details: [
      'As JSON if JSON can express it exactly, otherwise as Node shows it.',
      `Values of more than ${VALUE_LENGTH_MAX.toLocaleString('en-US')} characters are cut, unless --full is given.`,
    ],
    takes: [1, 2],
    completes: 'keys',
    run({ cache, colors, print }, words) {
      const { key, isFull } = parseGet(words)
      return whenThere(cache.get(key), (value) => {
        if (value === undefined) print(colors.dim(MISSING))
        else print(isFull ? showValue(value, { colors, isFull }) : showShort(value, colors))
      })
    },
  },
  {
    name: 'exists',
    aliases: ['has'],
    usage: 'KEY',
    summary: 'print true or false',
    takes: [1, 1],
    completes: 'keys',
    run: calling('exists'),
  },
  {
    name: 'increment',
    aliases: ['incr'],
    usage: 'KEY [BY] [TTL]',
    summary: 'add to a number',
    details: ['BY is 1 by default. A missing entry becomes BY and gets the TTL; an existing entry keeps its own.'],
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
    summary: 'remove entries; prints how many',
    takes: [1, Number.POSITIVE_INFINITY],
    completes: 'keys',
    run: calling('deleteMany'),
  },
  {
    name: 'take',
    usage: 'KEY',
    summary: `print a value and remove the entry, or print ${MISSING}`,
    takes: [1, 1],
    completes: 'keys',
    run: calling('take', (value, { colors, print }) =>
      print(value === undefined ? colors.dim(MISSING) : showValue(value, { colors, isFull: true })),
    ),
  },
  {
    name: 'touch',
    usage: 'KEY [TTL]',
    summary: 'make an entry the most recently used',
    details: ['With TTL the entry also gets a new TTL, which counts from now.'],
    takes: [1, 2],
    completes: 'keys',
    run: calling('touch', (isDone, { colors, print }) => print(isDone ? 'OK' : colors.dim(MISSING))),
  },
  {
    name: 'keys',
    usage: '[PATTERN]',
    summary: 'list matching keys, least recently used first',
    details: [
      '* matches any characters, ? exactly one, [abc] [a-z] [!a] [^a] one of a class; \\ makes the next one literal.',
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
    summary: 'remove matching entries; prints how many',
    takes: [1, 1],
    completes: 'keys',
    run: calling('deletePattern'),
  },
  {
    name: 'delete-prefix',
    usage: 'PREFIX',
    summary: 'remove entries whose keys begin with a text; prints how many',
    takes: [1, 1],
    completes: 'keys',
    run: calling('deletePrefix'),
  },
  {
    name: 'delete-tag',
    usage: 'TAG…',
    summary: 'remove entries that have one of the tags; prints how many',
    takes: [1, Number.POSITIVE_INFINITY],
    run: calling('deleteTag'),
  },
  {
    name: 'expire-tag',
    usage: 'TAG…',
    summary: 'make entries stale that have one of the tags, or remove them; prints how many',
    details: [
      'Entries that were stored with a stale window stay until it ends, for programs that ask for stale values.',
    ],
    takes: [1, Number.POSITIVE_INFINITY],
    run: calling('expireTag'),
  },
  {
    name: 'ttl',
    usage: 'KEY',
    summary: 'print how many seconds an entry has left',
    details: [`"none" for an entry that does not expire, ${MISSING} if there is no entry.`],
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
    summary: 'change the TTL of an entry',
    details: ['TTL counts from now; with Infinity the entry does not expire.'],
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
    details: ['Of matching keys, until "watch off"; at the prompt an empty line ends it, too.'],
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
    summary: 'write a snapshot and remove the journal files that it replaces',
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
    run: calling('flush', (sequence, { print }) => print(`durable through sequence ${showCount(sequence)}`)),
  },
  SAVE,
  LOAD,
  {
    name: 'resize',
    usage: 'ENTRIES [BYTES]',
    summary: 'change the limits; prints how many entries were removed',
    details: [
      'Above ENTRIES, or BYTES of encoded keys and values, the least recently used entries are evicted, now and later.',
      'Infinity is no limit. Without BYTES that limit stays as it is.',
    ],
    takes: [1, 2],
    run({ cache, print }, [entries, bytes]) {
      const limitOf = (word: string | undefined) => (word === undefined ? undefined : Number(word))
      const resized = cache.resize({ maxSize: limitOf(entries), maxBytes: limitOf(bytes) })
      return whenThere(resized, (removed) => print(String(removed)))
    },
  },
  ...LOOKING_BACK,
  {
    name: 'clear',
    usage: '',
    summary: 'remove all entries and reset the counters',
    takes: [0, 0],
    run: calling('clear', (_, { print }) => print('OK')),
  },
  {
    name: 'help',
    aliases: ['?'],
    usage: '[COMMAND]',
    summary: 'list the commands, or explain one',
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
    summary: 'close the journal and leave (also Ctrl-D)',
    takes: [0, 0],
    run({ leave }) {
      leave()
    },
  },
]

/** `--full` before or after the key; alone it is a key. */
function parseGet(words: readonly string[]): { key: string; isFull: boolean } {
  const [first, second] = words
  if (second === undefined) return { key: first as string, isFull: false }
  const key = second === '--full' ? first : first === '--full' ? second : undefined
  if (key === undefined) throw new UsageError('get takes one key. Usage: get KEY [--full]')
  return { key, isFull: true }
}

function showShort(value: unknown, colors: Colors): string {
  const text = showValue(value)
  if (text.length <= VALUE_LENGTH_MAX) return showValue(value, { colors })
  return `${shorten(text, VALUE_LENGTH_MAX)} ${colors.dim('"get KEY --full" prints all of it')}`
}
