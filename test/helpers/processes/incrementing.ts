/** A process, a worker of node:cluster, or a worker thread, that increments a counter of a shared cache. */
import cluster from 'node:cluster'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { openShared } from '../../../src/processes.js'

const { directory, times, workers } = isMainThread
  ? { directory: process.argv[2] as string, times: Number(process.argv[3]), workers: Number(process.argv[4] ?? 0) }
  : (workerData as { directory: string; times: number; workers: number })

if (isMainThread && workers > 0 && cluster.isPrimary) {
  for (let count = 0; count < workers; count++) cluster.fork()
} else {
  const cache = await openShared({ directory, reconnectTimeout: 60 })
  for (let count = 0; count < times; count++) await cache.increment('n')
  await cache.close()
  parentPort?.postMessage('done')
  if (cluster.isWorker) process.disconnect()
}
