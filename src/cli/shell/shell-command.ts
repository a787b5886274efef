/** A command of the shell. The table of all commands is in `shell-commands.ts`. */
import type { AnyCache } from '../journal/any-cache.js'
import type { Colors } from '../terminal/printable.js'
import type { Watching } from './watching.js'

export interface ShellContext {
  readonly cache: AnyCache
  readonly colors: Colors
  readonly watching: Watching
  /** Prints a line of the command's output. */
  print(line: string): void
  /** Prints a line for a user at the prompt; nothing in a pipe. */
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
  /** How many arguments it takes, at least and at most. */
  readonly takes: readonly [least: number, most: number]
  /** What Tab completes its arguments with. */
  readonly completes?: 'keys' | 'commands'
  /** `words` are the arguments without their quotes; `rest` is the line after the command's name. */
  run(context: ShellContext, words: readonly string[], rest: string): void | Promise<void>
}

/** Printed where there is no value. Text values are printed in quotes, so the two cannot be confused. */
export const MISSING = '(nil)'
