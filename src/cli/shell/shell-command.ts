/** What a command of the shell is. The table of them all: `shell-commands.ts`. */
import type { Cache } from '../../cache/cache.js'
import type { Colors } from '../printable.js'
import type { Watching } from './watching.js'

export interface ShellContext {
  readonly cache: Cache
  readonly colors: Colors
  readonly watching: Watching
  /** An answer, on a line of its own. */
  print(line: string): void
  /** A word to somebody at the prompt; nothing is printed to a pipe. */
  hint(line: string): void
  /** Ends the shell after this command. */
  leave(): void
}

export interface ShellCommand {
  readonly name: string
  readonly aliases?: readonly string[]
  /** Its arguments: `KEY [BY] [TTL]`. */
  readonly usage: string
  /** Short enough for the list of all commands. */
  readonly summary: string
  /** The rest, for `help COMMAND`. */
  readonly details?: readonly string[]
  /** How many words it takes, at least and at most. */
  readonly takes: readonly [least: number, most: number]
  /** What Tab completes its words with. */
  readonly completes?: 'keys' | 'commands'
  /** `words` are the arguments with their quotes taken off; `rest` is what stands after the command's name. */
  run(context: ShellContext, words: readonly string[], rest: string): void | Promise<void>
}

/** What stands for a value that is not there. Text that a cache holds is printed in quotes, so the two cannot be mixed up. */
export const MISSING = '(nil)'
