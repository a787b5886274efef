/**
 * A cache that processes share, beside Redis over a unix socket; and takeovers: runs bench/processes.mjs as one would by hand, and
 * turns its figures into rows of this table.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { redisVersion } from '../harness/redis-server.mjs'
import { scaled } from '../harness/smoke.mjs'

const PROGRAM = fileURLToPath(new URL('../processes.mjs', import.meta.url))
const TOPIC = 'processes'

export const processes = {
  name: TOPIC,
  title: 'processes',
  cases: ({ isQuick }) => (isQuick ? [] : [{}]),
  async run(_, { rounds }) {
    if (redisVersion() === undefined)
      return [{ topic: TOPIC, case: 'set', system: 'ioredis', absent: 'redis-server is not installed' }]
    const { code, output } = await run([PROGRAM, String(Math.max(rounds, scaled(7, 1))), String(scaled(1_000_000))])
    if (code !== 0)
      return [{ topic: TOPIC, case: 'set', system: 'daybook', absent: `bench/processes.mjs ended with ${code}` }]
    return rowsOfProcesses(JSON.parse(output))
  },
}

export function rowsOfProcesses({ compared, besideClients, takeovers }) {
  return [
    ...compared.flatMap(({ what, peer, microsecondsPerCall: { daybook, ioredis }, timesAsFast }) => [
      { topic: TOPIC, case: what, system: 'daybook', value: daybook, unit: 'µs/call' },
      { topic: TOPIC, case: what, system: peer, value: ioredis, unit: 'µs/call', ratio: timesAsFast },
    ]),
    ...Object.entries(besideClients).map(([system, value]) => ({
      topic: TOPIC,
      ...{ case: 'set of the owner, 500 at once', system: `daybook, ${system}`, value, unit: 'µs/call' },
    })),
    ...takeovers.flatMap(({ entries, milliseconds, openingMilliseconds }) =>
      [
        ['from the death of the owner to the first answer', milliseconds],
        ['opening', openingMilliseconds],
      ].map(([name, value]) => ({
        topic: TOPIC,
        case: `takeover, ${name}`,
        keys: entries,
        system: 'daybook',
        value,
        unit: 'ms',
      })),
    ),
  ]
}

function run(parameters) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}
