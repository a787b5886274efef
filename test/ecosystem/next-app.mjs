/**
 * A Next.js application whose `use cache` value survives SIGKILL. It needs a few hundred megabytes of packages, so CI does not
 * run it: `node test/ecosystem/next-app.mjs`. Prints what it found, and fails if that is wrong.
 */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { packedProject } from './project.mjs'

const run = promisify(execFile)
const { root, tarball } = await packedProject()
const app = join(root, 'next-app')
let server

async function start() {
  server = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '--port', '0'], {
    cwd: app,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: server.stdout })) {
    const url = /http:\/\/localhost:\d+/.exec(line)?.[0]
    if (url !== undefined) return url
  }
  throw new Error('next start ended')
}

async function kill() {
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
}

const valueAt = async (url) => (await (await fetch(`${url}/value`)).json()).value

try {
  cpSync(fileURLToPath(new URL('fixtures/next-app/', import.meta.url)), app, { recursive: true })
  writeFileSync(join(app, 'package.json'), '{ "private": true }')
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--ignore-scripts', 'next@16', 'react@19', 'react-dom@19', tarball],
    { cwd: app },
  )
  console.log('Next.js', JSON.parse(readFileSync(join(app, 'node_modules/next/package.json'), 'utf8')).version)
  await run(process.execPath, ['node_modules/next/dist/bin/next', 'build'], { cwd: app })

  const first = await start()
  const value = await valueAt(first)
  assert.equal(await valueAt(first), value)
  console.log('cached:', value)
  await kill()

  const second = await start()
  assert.equal(await valueAt(second), value)
  console.log('the same after SIGKILL')
  await fetch(`${second}/revalidate`, { method: 'POST' })
  const newer = await valueAt(second)
  assert.notEqual(newer, value)
  console.log('new after revalidateTag:', newer)
  await kill()

  const third = await start()
  assert.equal(await valueAt(third), newer)
  console.log('the same after another SIGKILL')
} finally {
  if (server?.exitCode === null) await kill()
  rmSync(root, { recursive: true, force: true })
}
