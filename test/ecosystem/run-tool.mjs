import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { project } from './packed.mjs'

const run = promisify(execFile)

/** Runs a tool of the project. Its output is the failure's message. */
export async function runTool(t, name, ...parameters) {
  const path = join(project, 'node_modules/.bin', name)
  const { stdout, stderr, code } = await run(path, parameters, {
    cwd: project,
    env: { ...process.env, NO_COLOR: '1' },
  }).catch((error) => error)
  t.is(code, undefined, `${stdout}${stderr}`)
  return `${stdout}${stderr}`
}
