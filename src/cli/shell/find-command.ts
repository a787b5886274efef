import { suggest } from '../../cache/arguments/suggestion.js'
import { UsageError } from '../terminal/failures.js'
import type { ShellCommand } from './shell-command.js'

/** By its name or an alias, in upper or lower case. */
export function findCommand(commands: readonly ShellCommand[], name: string): ShellCommand | undefined {
  const wanted = name.toLowerCase()
  return commands.find((command) => command.name === wanted || command.aliases?.includes(wanted))
}

export function unknownCommand(commands: readonly ShellCommand[], name: string): UsageError {
  const names = commands.map((command) => command.name)
  const meant = suggest(name.toLowerCase(), [...names, ...commands.flatMap((command) => command.aliases ?? [])])
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
  return new UsageError(`unknown command ${JSON.stringify(name)}.${hint} Commands: ${names.join(', ')}`)
}
