/** A worker that owns a cache and does what the thread that blocks asks: moves its clock, closes it. */
import { parentPort, workerData } from 'node:worker_threads'
import { memoryJournal, openCache } from '../../../src/index.js'
import { CountingClock } from '../counting-clock.js'

const clock = new CountingClock()
const cache = await openCache({ journal: memoryJournal(), clock, ...workerData.options })
const done = new Int32Array(workerData.memory, 0, 1)
const nowMs = new Float64Array(workerData.memory, 8, 1)
nowMs[0] = clock.now()
const port = cache.share()

parentPort?.on('message', ({ call, argument }: { call: 'advance' | 'jump' | 'close'; argument: never }) => {
  if (call === 'close') {
    cache.close().then(
      () => parentPort?.postMessage('closed'),
      (error: Error) => parentPort?.postMessage(error),
    )
    return
  }
  clock[call](argument)
  nowMs[0] = clock.now()
  Atomics.add(done, 0, 1)
  Atomics.notify(done, 0)
})
parentPort?.postMessage(port, [port])
