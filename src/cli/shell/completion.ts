/** What Tab completes: the first word with commands, other words with keys (after `help`, with commands). */
import { printable } from '../terminal/printable.js'
import { showKey } from '../terminal/show-value.js'
import { findCommand } from './find-command.js'
import { SHELL_COMMANDS } from './shell-commands.js'
import { splitWords } from './words.js'

/** A longer list would push the prompt off the screen. */
const LISTED_MAX = 100

/** As `readline` expects it: the completions, and the text that they replace. */
export type Completion = [hits: string[], completed: string]

/** Something that knows the keys: a cache, or one of another process. */
interface Keys {
  keys(pattern: { prefix: string }): string[] | Promise<string[]>
}

export async function complete(cache: Keys, line: string): Promise<Completion> {
  const words = splitWords(line)
  const last = words.at(-1)
  const isInWord = last !== undefined && (last.isOpen || last.end === line.length)
  const typed = isInWord ? line.slice(last.start) : ''
  const prefix = isInWord ? last.text : ''
  const before = words.length - (isInWord ? 1 : 0)
  const first = words[0]
  if (before === 0 || first === undefined) return [matching(commandNames(), prefix), typed]
  const command = findCommand(SHELL_COMMANDS, first.text)
  if (command?.completes === 'commands') return [matching(commandNames(), prefix), typed]
  const takesKey = before === 1 || command?.takes[1] === Number.POSITIVE_INFINITY
  if (command?.completes !== 'keys' || !takesKey || (command.name === 'set' && before > 1)) return [[], typed]
  return [keyHits(await cache.keys({ prefix }), prefix, typed), typed]
}

function commandNames(): string[] {
  return SHELL_COMMANDS.map((command) => command.name)
}

function matching(names: readonly string[], prefix: string): string[] {
  const hits = names.filter((name) => name.startsWith(prefix.toLowerCase()))
  const [only] = hits
  return hits.length === 1 && only !== undefined ? [`${only} `] : hits
}

function keyHits(keys: string[], prefix: string, typed: string): string[] {
  const [only] = keys
  if (only === undefined) return []
  if (keys.length === 1) return [`${typed.startsWith('"') ? printable(JSON.stringify(only)) : showKey(only)} `]
  const common = commonPrefix(keys)
  if (common.length > prefix.length) {
    const text = showKey(common)
    return [text === common ? common : text.slice(0, -1)] // a quote stays open
  }
  const listed = keys.slice(0, LISTED_MAX).map(showKey).sort()
  if (keys.length > LISTED_MAX) listed.push(`… ${keys.length - LISTED_MAX} more`)
  return listed
}

function commonPrefix(keys: readonly string[]): string {
  let prefix = keys[0] as string // callers have at least one
  for (const key of keys) {
    let length = 0
    while (length < prefix.length && prefix[length] === key[length]) length++
    prefix = prefix.slice(0, length)
  }
  // Not between the halves of a surrogate pair.
  return /[\ud800-\udbff]$/.test(prefix) ? prefix.slice(0, -1) : prefix
}
