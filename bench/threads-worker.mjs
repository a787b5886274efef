/** What the workers of threads.mjs do. */
import { parentPort, workerData } from 'node:worker_threads'
import Redis from 'ioredis'
import { connect, connectSync } from '../dist/src/edges/threads/threads.js'

const { redisPort, ports } = workerData
const redis = new Redis(redisPort, '127.0.0.1')
const auto = new Redis(redisPort, '127.0.0.1', { enableAutoPipelining: true })
const client = await connect(ports[0])
const sync = connectSync(ports[1])
const IN_FLIGHT = 1_000

const tasks = {
  'redis pipeline': (calls) =>
    inPortions(calls, (portion) => {
      const pipeline = redis.pipeline()
      for (let index = 0; index < portion; index++) pipeline.incr('counter')
      return pipeline.exec()
    }),
  'redis auto': (calls) => inPortions(calls, (portion) => many(portion, () => auto.incr('counter'))),
  'client pipelined': (calls) => inPortions(calls, (portion) => many(portion, () => client.increment('counter'))),
  'redis awaited': async (calls) => {
    for (let index = 0; index < calls; index++) await redis.incr('counter')
  },
  'client awaited': async (calls) => {
    for (let index = 0; index < calls; index++) await client.increment('counter')
  },
  sync: (calls) => {
    for (let index = 0; index < calls; index++) sync.increment('counter')
  },
}

async function inPortions(calls, task) {
  for (let done = 0; done < calls; done += IN_FLIGHT) await task(Math.min(IN_FLIGHT, calls - done))
}

function many(count, call) {
  const promises = []
  for (let index = 0; index < count; index++) promises.push(call())
  return Promise.all(promises)
}

await redis.ping()
await auto.ping()
parentPort.on('message', async ({ task, calls }) => {
  await tasks[task](calls)
  parentPort.postMessage('done')
})
parentPort.postMessage('ready')
