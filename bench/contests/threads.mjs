/** Ten threads and one counter: runs bench/threads.mjs as one would by hand, and turns its figures into rows of this table. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { redisVersion } from '../harness/redis-server.mjs'

const PROGRAM = fileURLToPath(new URL('../threads.mjs', import.meta.url))

export const threads = {
  name: 'threads',
  title: 'threads',
  cases: ({ isQuick }) => (isQuick ? [] : [{}]),
  async run(_, { rounds }) {
    if (redisVersion() === undefined)
      return [{ topic: 'threads', case: 'increment', system: 'ioredis', absent: 'redis-server is not installed' }]
    const { code, output } = await run([PROGRAM, String(Math.min(rounds, 7))])
    if (code !== 0)
      return [
        { topic: 'threads', case: 'increment', system: 'daybook', absent: `bench/threads.mjs ended with ${code}` },
      ]
    return rowsOfThreads(JSON.parse(output).results)
  },
}

/** bench/threads.mjs reports wall-clock and processor time; this uses the wall-clock time. */
export function rowsOfThreads(results) {
  return results.flatMap(({ what, microsecondsPerCall }) =>
    Object.entries(microsecondsPerCall)
      .sort(([one]) => (one === 'daybook' ? -1 : 1))
      .map(([system, { clock }]) => ({
        topic: 'threads',
        case: what,
        system,
        value: clock,
        unit: 'µs/call',
        ratio: system === 'daybook' ? undefined : clock / microsecondsPerCall.daybook.clock,
      })),
  )
}

function run(parameters) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}
