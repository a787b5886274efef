/** The error of an opener that finds the directory locked names the process that has it, and no other. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openCache } from '../../../src/index.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const ownerIn = (directory: string) => JSON.parse(readFileSync(join(directory, 'owner'), 'utf8'))

async function refusal(t: ExecutionContext, directory: string): Promise<string> {
  const error = await t.throwsAsync(openCache({ directory }), { code: 'CACHE_LOCKED' })
  return error?.message.split('. ', 1)[0] ?? ''
}

test('owner names the process while the directory is open, and is gone afterwards', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  const { pid, startId } = ownerIn(directory)
  t.is(pid, process.pid)
  if (process.platform === 'linux') t.regex(startId, /^[-0-9a-f]{36}:\d+$/)
  t.is(await refusal(t, directory), `${directory} is open in another cache, in this process`)
  t.is(ownerIn(directory).pid, process.pid) // the refused opener has not removed it
  await cache.close()
  t.false(existsSync(join(directory, 'owner')))
})

test('another process is named', async (t) => {
  const directory = temporaryDirectory(t)
  const program = `
    import { openCache } from 'daybook'
    await openCache({ directory: ${JSON.stringify(directory)} })
    console.log('open')
    process.stdin.resume()`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  t.is(await refusal(t, directory), `${directory} is open in another cache, in process ${child.pid}`)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.is(ownerIn(directory).pid, child.pid)
  const cache = await openCache({ directory }) // what a killed process left is replaced
  t.is(ownerIn(directory).pid, process.pid)
  await cache.close()
})

const { pid } = process
for (const [what, content] of [
  ['a process that has ended', { pid: 2 ** 22 + 1, startId: 'x:1' }],
  ['a process that has got the pid of one that has ended', { pid, startId: 'x:1' }],
  ['no process', { pid: 'text' }],
  ['nothing', null],
] as const) {
  test(`an owner file that names ${what} does not mislead`, async (t) => {
    const directory = temporaryDirectory(t)
    const cache = await openCache({ directory })
    writeFileSync(join(directory, 'owner'), JSON.stringify(content))
    t.is(await refusal(t, directory), `${directory} is open in another cache, in this process or another one`)
    await cache.close()
  })
}

test('an owner file that is a link or cut short does not prevent opening, and a link is not followed', async (t) => {
  const directory = temporaryDirectory(t)
  const outside = join(temporaryDirectory(t), 'outside')
  writeFileSync(outside, '{"pid":')
  symlinkSync(outside, join(directory, 'owner'))
  const cache = await openCache({ directory })
  t.is(readFileSync(outside, 'utf8'), '{"pid":')
  await cache.close()
  t.true(existsSync(outside))
})

test('without the lock there is no owner file', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory, lock: false })
  t.false(existsSync(join(directory, 'owner')))
  await cache.close()
})
