import type { ExecutionContext } from 'ava'

/**
 * Collects what is thrown on a later tick and caught by no one, instead of ending the process. Only for serial tests: it concerns
 * the whole process until the test ends.
 */
export function uncaughtErrors(t: ExecutionContext): Error[] {
  const listeners = process.rawListeners('uncaughtException')
  const errors: Error[] = []
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  t.teardown(() => {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener as never)
  })
  return errors
}
