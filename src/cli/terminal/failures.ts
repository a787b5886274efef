/** How the command line reports a failure: one line on stderr, and an exit code. */
import { CommanderError } from 'commander'
import { CorruptionError } from '../../errors.js'
import { EXIT } from './exit-codes.js'
import { remark } from './output.js'

/** Invalid input; the message says what is valid. */
export class UsageError extends Error {}

/** Prints what went wrong, with DEBUG in the environment also the stack, and returns the exit code. */
export function reportFailure(error: unknown): number {
  // Commander has already printed its own errors.
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
