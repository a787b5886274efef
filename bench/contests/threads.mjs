/** Ten threads and one counter: bench/threads.mjs, run as it is by hand; its figures as rows of this table. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('../threads.mjs', import.meta.url))

export const threads = {
  name: 'threads',
  title: 'threads',
  cases: ({ isQuick }) => (isQuick ? [] : [{}]),
  async run(_, { rounds }) {
    const { code, output } = await run([PROGRAM, String(Math.min(rounds, 7))])
    if (code !== 0)
      return [
        { topic: 'threads', case: 'increment', system: 'daybook', absent: `bench/threads.mjs ended with ${code}` },
      ]
    return rowsOfThreads(JSON.parse(output).results)
  },
}

/** Of the two times that bench/threads.mjs tells, by the clock and of the processor, the first. */
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

function run(given) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, given, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}
