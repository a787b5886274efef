/** One line of the shell: finds the command, checks its arguments, runs it. */
import { UsageError } from '../terminal/failures.js'
import { showCountOf } from '../terminal/quantities.js'
import { findCommand, unknownCommand } from './find-command.js'
import { refuseOpenQuote } from './set-arguments.js'
import type { ShellCommand, ShellContext } from './shell-command.js'
import { SHELL_COMMANDS } from './shell-commands.js'
import { splitWords, wordFrom } from './words.js'

/**
 * Empty lines and lines that start with `#` do nothing. Throws what the command throws. Returns a promise only for an
 * asynchronous command: any other has printed everything when this returns.
 */
export function runLine(line: string, context: ShellContext): void | Promise<void> {
  const name = wordFrom(line, 0)
  if (name === undefined || name.text.startsWith('#')) return
  const command = findCommand(SHELL_COMMANDS, name.text)
  if (command === undefined) throw unknownCommand(SHELL_COMMANDS, name.text)
  const rest = line.slice(name.end)
  return command.run(context, argumentsOf(command, rest), rest)
}

function argumentsOf(command: ShellCommand, rest: string): string[] {
  const [least, most] = command.takes
  if (least === 0 && most === Number.POSITIVE_INFINITY) return [] // it reads the rest itself
  const words = splitWords(rest)
  words.forEach(refuseOpenQuote)
  if (words.length < least || words.length > most) {
    throw new UsageError(
      `${command.name} takes ${argumentsWanted(least, most)}, but got ${words.length}. Usage: ${command.name} ${command.usage}`.trimEnd(),
    )
  }
  return words.map(({ text }) => text)
}

function argumentsWanted(least: number, most: number): string {
  if (most === 0) return 'no arguments'
  if (least === most) return showCountOf(least, 'argument')
  if (most === Number.POSITIVE_INFINITY) return `at least ${showCountOf(least, 'argument')}`
  return least === 0 ? `at most ${showCountOf(most, 'argument')}` : `${least} to ${most} arguments`
}
