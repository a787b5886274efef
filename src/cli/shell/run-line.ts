/** One line of the shell: find the command, check that it got what it takes, run it. */
import { UsageError } from '../failures.js'
import { showCountOf } from '../quantities.js'
import { findCommand, unknownCommand } from './find-command.js'
import { refuseOpenQuote } from './set-arguments.js'
import type { ShellCommand, ShellContext } from './shell-command.js'
import { SHELL_COMMANDS } from './shell-commands.js'
import { splitWords, wordFrom } from './words.js'

/**
 * An empty line is nothing, and so is one that begins with `#`. Throws what the command throws. Answers a promise only if
 * the command takes its time: of any other, everything has been printed when this returns.
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
    const wanted =
      most === 0
        ? 'no arguments'
        : `${least === most ? least : `${least} to ${most}`}`.replace(' to Infinity', ' or more')
    throw new UsageError(
      `${command.name} takes ${wanted}${most === 0 ? '' : least === 1 && most === 1 ? ' argument' : ' arguments'}, and got ${showCountOf(words.length, 'word')}. Usage: ${command.name} ${command.usage}`.trimEnd(),
    )
  }
  return words.map(({ text }) => text)
}
