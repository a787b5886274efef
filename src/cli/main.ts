#!/usr/bin/env node
/** The command line's way in. What the commands do is in the files named after them. */
import { reportFailure } from './failures.js'
import { createProgram } from './program.js'

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
