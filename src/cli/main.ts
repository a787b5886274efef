#!/usr/bin/env node
/** The entry point of the command line. Each command is in the file named after it. */
import { reportFailure } from './failures.js'
import { createProgram } from './program.js'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
