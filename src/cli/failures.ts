/** How the command line says that something failed: one line on stderr, and an exit code. */
import { CommanderError } from 'commander'
import { CorruptionError } from '../errors.js'
import { EXIT } from './exit-codes.js'
import { remark } from './output.js'

/** What was typed cannot be meant: the message says what there is. */
export class UsageError extends Error {}

/** Prints what went wrong and answers the exit code. With DEBUG set in the environment, the stack as well. */
export function reportFailure(error: unknown): number {
  // Commander has printed its own errors already.
  if (!(error instanceof CommanderError)) {
    remark(`daybook: ${messageOf(error)}`)
    if (process.env['DEBUG'] && error instanceof Error) remark(`${error.stack}`)
  }
  return exitCodeOf(error)
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.fine : EXIT.usage
  if (error instanceof UsageError) return EXIT.usage
  return error instanceof CorruptionError ? EXIT.corrupt : EXIT.error
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
