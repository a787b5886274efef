/** A pool of workers (piscina) that share one cache: `node dist/examples/worker-pool.js`. The tasks are in worker-pool-task.ts. */
import type { MessagePort } from 'node:worker_threads'
import { openCache } from 'daybook'
import { Piscina } from 'piscina'
import type { Answer, Task } from './worker-pool-task.js'

const THREADS = 4

const cache = await openCache({ directory: 'journal' })
cache.clear()

const pool = new Piscina<Task, Answer>({
  filename: new URL('./worker-pool-task.js', import.meta.url).href,
  minThreads: THREADS,
  maxThreads: THREADS,
  atomics: 'disabled', // else an idle worker sleeps where the cache's answers cannot wake it
})

// A port goes to one worker. Which of them takes a task is piscina's to say, so each task brings one, and a worker that has
// a client already gives it back by closing it.
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
  `${answers.length} tasks on ${threads.size} threads; ${counted} texts were counted, the others found in the cache`,
)
console.log(`"to" ${cache.get('word:to')} times, "be" ${cache.get('word:be')}, "not" ${cache.get('word:not')}`)
console.log(`${cache.get('tasks')} tasks by the counter that all of them share`)

await pool.destroy()
await cache.close()
