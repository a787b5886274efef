#!/usr/bin/env node
import { createProgram } from './program.js'
/** The entry point of the command line. Each command is in the file named after it. */
import { EXIT } from './terminal/exit-codes.js'
import { reportFailure } from './terminal/failures.js'
import { remark } from './terminal/output.js'

// Node would print an uncaught error with its control characters.
process.on('uncaughtException', (error: unknown) => {
  remark(`daybook: ${error instanceof Error ? error.stack : String(error)}`)
  process.exit(EXIT.error)
})

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
