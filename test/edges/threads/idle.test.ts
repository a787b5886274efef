/** What keeps a process or worker alive. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { openMemory } from '../../helpers/open-memory.js'

const run = promisify(execFile)
const INDEX = new URL('../../../src/index.js', import.meta.url).href
const THREADS = new URL('../../../src/edges/threads/threads.js', import.meta.url).href

const program = (body: string) => `
  import { openCache, memoryJournal } from ${JSON.stringify(INDEX)}
  import { connect, connectSync } from ${JSON.stringify(THREADS)}
  import { Worker } from 'node:worker_threads'
  const cache = await openCache({ journal: memoryJournal() })
  ${body}`

const ended = (body: string) => run(process.execPath, ['--input-type=module', '-e', program(body)], { timeout: 60_000 })

test('idle ports and clients keep no process alive', async (t) => {
  const { stdout } = await ended(`
    cache.share()
    const client = await connect(cache.share())
    client.changes$.subscribe(() => {})
    console.log(await client.increment('n'))`)
  t.is(stdout, '1\n')
})

test('an idle client keeps neither its worker nor the owner alive', async (t) => {
  const { stdout } = await ended(`
    const port = cache.share()
    const source = \`import { workerData } from 'node:worker_threads'
      import { connect } from '${THREADS}'
      const client = await connect(workerData)
      console.log(await client.increment('n'))\`
    new Worker(source, { eval: true, workerData: port, transferList: [port] }).on('exit', (code) => console.log('ended', code))`)
  t.is(stdout, '1\nended 0\n')
})

test('a client that waits for an answer keeps its worker alive', async (t) => {
  const { cache } = await openMemory(t)
  let finish = (_: string) => {}
  const load = cache.getOrSet('k', () => new Promise<string>((resolve) => (finish = resolve)))
  const { result, heard } = inWorker(cache.share(), 'async', (client) => {
    say('waiting')
    return client.getOrSet('k', () => 'not asked' as never)
  })
  await heard(1)
  await new Promise((resolve) => setTimeout(resolve, 200)) // in which the worker would end, if it could
  finish('loaded')
  t.is((await result) as unknown, 'loaded')
  await load
})
