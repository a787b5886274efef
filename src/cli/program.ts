/** All commands. Each is in a separate file; to add one, add a line here. */
import { readFileSync } from 'node:fs'
import { Command, type OutputConfiguration } from 'commander'
import { addAtCommand } from './commands/at.js'
import { addClusterCommand } from './commands/cluster.js'
import { addConvertCommand } from './commands/convert.js'
import { addDiffCommand } from './commands/diff.js'
import { addForkCommand } from './commands/fork.js'
import { addHistoryCommand } from './commands/history.js'
import { addImportCommand } from './commands/import.js'
import { addInspectCommand } from './commands/inspect.js'
import { addLoadCommand } from './commands/load.js'
import { addRepairCommand } from './commands/repair.js'
import { addRestoreCommand } from './commands/restore.js'
import { addSaveCommand } from './commands/save.js'
import { addServeCommand } from './commands/serve.js'
import { addShellCommand } from './commands/shell.js'
import { addStatsCommand } from './commands/stats.js'
import { addVerifyCommand } from './commands/verify.js'
import { EXIT_CODES_HELP } from './terminal/exit-codes.js'
import { output, writeError } from './terminal/output.js'

/** In the order in which help lists them. */
const COMMANDS = [
  addShellCommand,
  addImportCommand,
  addStatsCommand,
  addInspectCommand,
  addAtCommand,
  addHistoryCommand,
  addDiffCommand,
  addRestoreCommand,
  addForkCommand,
  addVerifyCommand,
  addRepairCommand,
  addSaveCommand,
  addLoadCommand,
  addConvertCommand,
  addServeCommand,
  addClusterCommand,
]

/** `writeOut` and `writeErr`: where help and usage errors go, if not to the process's own streams. */
export function createProgram(streams: Pick<OutputConfiguration, 'writeOut' | 'writeErr'> = {}): Command {
  const program = new Command('daybook')
    .description('An embedded cache with an append-only journal: use it, fill it, inspect it, verify it, repair it.')
    .version(version())
    .configureOutput({
      writeOut: (text) => output.write(text),
      writeErr: writeError,
      outputError: (text, write) => write(usageError(text)),
      ...streams,
    })
    .showHelpAfterError('"daybook --help" lists the commands.')
    .exitOverride()
    .addHelpText('after', EXIT_CODES_HELP)
  for (const addCommand of COMMANDS) addCommand(program)
  pointToHelp(program)
  return program
}

/** The errors of each command name its own help. */
function pointToHelp(parent: Command, path = 'daybook'): void {
  for (const command of parent.commands) {
    const name = `${path} ${command.name()}`
    command.showHelpAfterError(`"${name} --help" lists its arguments and options.`)
    pointToHelp(command, name)
  }
}

/** As commander words it, on one line. */
function usageError(text: string): string {
  return text.replace(/^error: /, 'daybook: ').replace('\n(Did you mean', ' (Did you mean')
}

function version(): string {
  const path = new URL('../../../package.json', import.meta.url) // from dist/src/cli
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
}
