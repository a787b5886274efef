/**
 * A process as a supervisor such as pm2 runs it: it increments a counter of a shared cache, writes each answer to its log, and closes
 * the cache on SIGINT or SIGTERM.
 *
 *   node supervised.js DIRECTORY LOG
 */
import { openSync, writeSync } from 'node:fs'
import { openShared } from '../../../src/processes.js'

const [, , directory = '', logPath = ''] = process.argv
const log = openSync(logPath, 'a')
let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    isStopped = true
  })

const cache = await openShared<number>({ directory, fsync: 'never', reconnectTimeout: 60 })
const loop = async () => {
  while (!isStopped) {
    const result = await cache.increment('n')
    writeSync(log, `${result}\n`)
    await new Promise((resolve) => setTimeout(resolve, 1)) // leaves the processor to those that start
  }
}
await cache.increment('n').then((result) => writeSync(log, `${result}\n`))
process.stdout.write('up\n')
await Promise.all([loop(), loop(), loop()])
await cache.close()
