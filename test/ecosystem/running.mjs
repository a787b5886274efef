/** Starts an application of fixtures/apps in a process of its own, and kills it as a crash would: nothing is closed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { project } from './packed.mjs'

/** Resolves once the application has printed its first line, which is JSON: `ready`. */
export async function start(t, name, ...parameters) {
  const child = spawn(process.execPath, [join(project, 'fixtures/apps', `${name}.mjs`), ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { value, done } = await lines.next()
  if (done) throw new Error(`${name} ended before it was ready`)
  return {
    ready: JSON.parse(value),
    async kill() {
      child.kill('SIGKILL')
      const [, signal] = await ended
      t.is(signal, 'SIGKILL')
    },
  }
}
