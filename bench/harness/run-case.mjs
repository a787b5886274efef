import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { endServersIn } from './workspace.mjs'

const CASE_PROCESS = new URL('./case-process.mjs', import.meta.url)
const NODE_OPTIONS = ['--expose-gc', '--max-old-space-size=12288']
const TIMEOUT_MS = 240_000

/** @returns The rows. A case that fails or takes too long becomes a row that says so. */
export async function runCase(topic, params, context) {
  const directory = mkdtempSync(join(context.directory, `${topic.name}-`))
  try {
    return await new Promise((resolve, reject) => {
      const child = fork(
        CASE_PROCESS,
        [JSON.stringify({ topic: topic.name, params, context: { ...context, directory } })],
        {
          execArgv: NODE_OPTIONS,
          stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        },
      )
      const overdue = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
      child.once('message', resolve)
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        clearTimeout(overdue)
        reject(new Error(`the case ended early (${signal ?? `exit code ${code}`})`)) // no-op after its message
      })
    })
  } catch (error) {
    return [{ topic: topic.name, case: JSON.stringify(params), system: 'daybook', absent: error.message }]
  } finally {
    endServersIn(directory)
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}
