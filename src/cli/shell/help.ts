/** The shell's help, generated from the table of commands. */
import type { Colors } from '../terminal/printable.js'
import { findCommand, unknownCommand } from './find-command.js'
import type { ShellCommand } from './shell-command.js'

const NOTES = [
  'Text with spaces goes in quotes: "…" with escapes as in JSON, \'…\' without. JSON may contain spaces.',
  'Tab completes commands and keys. "help COMMAND" explains a command.',
]

export function helpLines(commands: readonly ShellCommand[], name: string | undefined, colors: Colors): string[] {
  if (name !== undefined) {
    const command = findCommand(commands, name)
    if (command === undefined) throw unknownCommand(commands, name)
    const { aliases = [], details = [] } = command
    const also = aliases.length === 0 ? [] : [`  Aliases: ${aliases.join(', ')}`]
    return [
      `${colors.bold(command.name)} ${command.usage}`.trimEnd(),
      `  ${command.summary}`,
      ...details.map((line) => `  ${line}`),
      ...also,
    ]
  }
  const usages = commands.map((command) => `${command.name} ${command.usage}`.trimEnd())
  const width = Math.max(...usages.map((usage) => usage.length))
  const lines = commands.map(
    (command, index) => `${colors.bold((usages[index] as string).padEnd(width))}  ${colors.dim(command.summary)}`,
  )
  return [...lines, '', ...NOTES]
}
