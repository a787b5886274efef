/** A pool of workers (piscina) that share one cache: `node dist/examples/worker-pool.js`. The workers run worker-pool-task.ts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { openCache } from 'daybook'
import { Piscina } from 'piscina'
import type { Answer, Task } from './worker-pool-task.js'

const THREADS = 4

const directory = mkdtempSync(join(tmpdir(), 'daybook-pool-')) // removed at the end
console.log(`journal: ${directory}`)
const cache = await openCache({ directory })

const pool = new Piscina<Task, Answer>({
  filename: new URL('./worker-pool-task.js', import.meta.url).href,
  minThreads: THREADS,
  maxThreads: THREADS,
  atomics: 'disabled', // otherwise an idle worker sleeps where the cache's replies cannot wake it
})

// A port is for one worker. Piscina decides which worker runs a task, so each task brings a port, and a worker that already
// has a client closes it.
const texts = ['to be or not to be', 'let it be', 'not to worry', 'to be continued']
const tasks = Array.from({ length: 40 }, (_, index) => texts[index % texts.length] as string)

const answers = await Promise.all(
  tasks.map((text) => {
    const port: MessagePort = cache.share()
    return pool.run({ text, port }, { transferList: [port] })
  }),
)

const threads = new Set(answers.map(({ thread }) => thread))
const counted = answers.filter(({ isLoaded }) => isLoaded).length
console.log(
  `${answers.length} tasks on ${threads.size} threads; ${counted} texts were counted, the rest came from the cache`,
)
console.log(`words: "to" ${cache.get('word:to')}, "be" ${cache.get('word:be')}, "not" ${cache.get('word:not')}`)
console.log(`${cache.get('tasks')} tasks, by the counter that they share`)

await pool.destroy()
await cache.close()
rmSync(directory, { recursive: true })
