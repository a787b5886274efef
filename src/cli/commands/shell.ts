/** `daybook shell`, or `daybook` alone: a prompt on a journal, or commands from a pipe. */
import type { Command } from 'commander'
import { suggest } from '../../cache/arguments/suggestion.js'
import { isShared, OWNER_HELP, withAnyCache } from '../journal/any-cache.js'
import { addOpenOptions, type OpenOptions } from '../journal/options.js'
import { runInteractive } from '../shell/interactive.js'
import { runPiped } from '../shell/piped.js'
import { SHELL_COMMANDS } from '../shell/shell-commands.js'
import { EXIT } from '../terminal/exit-codes.js'
import { UsageError } from '../terminal/failures.js'
import { Interruption } from '../terminal/interruption.js'
import { output, remark } from '../terminal/output.js'
import { showCount } from '../terminal/quantities.js'
import { recoveryLines } from '../terminal/recovery-text.js'

export function addShellCommand(program: Command): void {
  addOpenOptions(program.command('shell', { isDefault: true }))
    .description('open a prompt on the cache; without a terminal, run commands from standard input, one per line')
    .allowExcessArguments() // an unknown command ends up here; its error lists the known ones
    .addHelpText(
      'after',
      `\nCommands at the prompt: ${SHELL_COMMANDS.map(({ name }) => name).join(', ')} ("help" explains them)\n${OWNER_HELP}`,
    )
    .action(async (options: OpenOptions, command: Command) => {
      refuseArguments(program, command)
      process.exitCode = await shell(options)
    })
}

async function shell(options: OpenOptions): Promise<number> {
  const isInteractive = process.stdin.isTTY === true && output.isTerminal
  const say = isInteractive ? (line: string) => output.line(line) : remark
  const interruption = new Interruption()
  let sequence: number | undefined
  try {
    const exitCode = await withAnyCache(options, async (cache) => {
      if (!isShared(cache)) for (const line of recoveryLines(cache.recovery, cache.size, options.directory)) say(line)
      if (!isInteractive) return runPiped(cache, interruption)
      say(output.colors.dim('Type "help" for the commands, "exit" to leave.'))
      await runInteractive(cache, interruption)
      if (!isShared(cache)) sequence = cache.stats().journal.sequence
      return EXIT.fine
    })
    if (isInteractive && sequence !== undefined)
      say(output.colors.dim(`Closed. Everything through sequence ${showCount(sequence)} is on disk.`))
    return interruption.exitCode(exitCode)
  } finally {
    interruption.release()
  }
}

function refuseArguments(program: Command, { args }: Command): void {
  const [first] = args
  if (first === undefined) return
  if (program.args[0] === 'shell') throw new UsageError(`shell takes no arguments, but got ${JSON.stringify(first)}`)
  const names = program.commands.map((command) => command.name())
  if (names.includes(first)) throw new UsageError(`options come after the command: daybook ${first} …`)
  const meant = suggest(first, names)
  throw new UsageError(
    `unknown command ${JSON.stringify(first)}.${meant === undefined ? '' : ` Did you mean ${meant}?`} Commands: ${names.join(', ')}. "daybook --help" explains them.`,
  )
}
