/**
 * Whatever ten threads do concurrently has the effect of some serial order of their calls. The inspector sees every call in the
 * order in which the cache executes them. The same calls are made on a second cache in that order, and each worker must have
 * received the second cache's results, in its own order.
 */
import test from 'ava'
import { memoryJournal, openCache } from '../../../src/index.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { isSame, type Logged, type Methods, make, mixedOperations } from '../../helpers/edges/mixed-operations.js'
import { runs } from '../../helpers/runs.js'

const OPTIONS = { maxSize: 12, ttl: 30, isolation: 'copy' } as const
const WORKERS = 10
const OPERATIONS = 200

for (const kind of ['async', 'sync'] as const) {
  for (let run = 1; run <= runs(1); run++) {
    test(`10 ${kind} workers × 200 mixed operations are some serial order of them (${run})`, async (t) => {
      t.timeout(120_000)
      const clock = new CountingClock()
      const order: (Record<string, unknown> | number)[] = [] // a number: the clock went on
      const cache = await openCache({
        ...OPTIONS,
        clock,
        journal: memoryJournal(),
        inspect: (event) => {
          const { type, event: message } = event as unknown as { type: string; event: { type: string } }
          if (type !== '@xstate.event' || !isCall(message.type)) return
          order.push(
            message.type === 'transact' ? { type: 'transact' } : (structuredClone(message) as Record<string, unknown>),
          )
        },
      })
      t.teardown(() => cache.close())
      const types = new Set<string>()
      cache.changes$.subscribe(({ type }) => types.add(type))
      const workers = Array.from({ length: WORKERS }, (_, index) =>
        inWorker(cache.share(), kind as 'async', mixedOperations, {
          seed: run * 1_000 + index,
          operations: OPERATIONS,
        }),
      )
      const timer = setInterval(() => {
        order.push(1_500)
        clock.advance('1500ms')
      }, 2)
      const logs = await Promise.all(workers.map(({ result }) => result))
      clearInterval(timer)
      t.is(order.filter((entry) => typeof entry !== 'number').length, callsIn(logs))
      const modelClock = new CountingClock()
      const model = await openCache({ ...OPTIONS, clock: modelClock, journal: memoryJournal() })
      t.teardown(() => model.close())
      replay(order, logs, model as unknown as Methods, modelClock)
      t.deepEqual([...cache.entries()], [...model.entries()])
      const { journal: _, ...stats } = cache.stats()
      const { journal: __, ...expected } = model.stats()
      t.deepEqual(stats, expected)
      for (const type of ['set', 'deleted', 'expired', 'evicted', 'rescheduled', 'cleared'])
        t.true(types.has(type), type)
    })
  }
}

// biome-ignore format: a list
const TOP = new Set([
  'get', 'peek', 'has', 'set', 'delete', 'increment', 'decrement', 'ttl', 'expire', 'persist', 'getMany', 'setMany',
  'deleteMany', 'keys', 'deletePattern', 'entries', 'stats', 'cleanup', 'clear', 'transact',
])

function isCall(type: string): boolean {
  return TOP.has(type)
}

/** Calls that the inspector sees: a transaction and each of its steps, up to one that is refused. */
function callsIn(logs: readonly (readonly Logged[])[]): number {
  let count = 0
  for (const { method, parameters, outcome } of logs.flat()) {
    const steps = method === 'transact' ? (parameters[0] as unknown[]).length : 0
    count += 1 + (typeof outcome === 'string' && outcome.startsWith('RangeError') && steps > 0 ? 3 : steps)
  }
  return count
}

/**
 * Makes the inspected calls on the second cache, then assigns each to a worker whose next call it is and that received the same
 * result. If several workers match, each is tried in turn.
 */
function replay(
  order: (Record<string, unknown> | number)[],
  logs: Logged[][],
  model: Methods,
  clock: CountingClock,
): void {
  const calls: { fits: (call: Logged) => boolean; shown: string }[] = []
  for (let at = 0; at < order.length; at++) {
    const heard = order[at] as Record<string, unknown> | number
    if (typeof heard === 'number') {
      clock.advance(`${heard}ms`)
      continue
    }
    const asked = logs.flat().find((call) => isThisCall(heard, call, order, at))
    if (asked === undefined) throw new Error(`No worker has called ${JSON.stringify(heard)} (${at})`)
    const outcome = make(model, asked.method, asked.parameters)
    const place = at
    calls.push({
      fits: (call) => isThisCall(heard, call, order, place) && isSame(call.outcome, outcome),
      shown: `${asked.method} ${JSON.stringify(asked.parameters)} → ${JSON.stringify(outcome)}`,
    })
    if (asked.method === 'transact') at += callsIn([[{ ...asked, outcome }]]) - 1
  }
  deal(calls, logs)
}

function deal(calls: { fits: (call: Logged) => boolean; shown: string }[], logs: Logged[][]): void {
  const next = logs.map(() => 0)
  const refuted = new Set<string>()
  const choices: { worker: number; left: number[] }[] = []
  let furthest = 0
  while (choices.length < calls.length) {
    const at = choices.length
    furthest = Math.max(furthest, at)
    const left = refuted.has(next.join())
      ? []
      : logs.flatMap((log, worker) => {
          const call = log[next[worker] as number]
          return call !== undefined && calls[at]?.fits(call) ? [worker] : []
        })
    for (;;) {
      const worker = left.shift()
      if (worker !== undefined) {
        next[worker] = (next[worker] as number) + 1
        choices.push({ worker, left: [...left] })
        break
      }
      refuted.add(next.join())
      const last = choices.pop()
      if (last === undefined) throw new Error(`No serial order explains call ${furthest}: ${calls[furthest]?.shown}`)
      next[last.worker] = (next[last.worker] as number) - 1
      left.push(...last.left)
    }
  }
}

function isThisCall(
  heard: Record<string, unknown>,
  { method, parameters }: Logged,
  order: unknown[],
  at: number,
): boolean {
  if (heard['type'] !== method) return false
  if (method === 'transact') {
    const steps = parameters[0] as Record<string, unknown>[]
    return steps.every((step, index) => {
      // The inspector sees no step after the third of a transaction that is refused.
      const shown = order[at + 1 + index] as Record<string, unknown> | undefined
      if (index === 3 && step['type'] === 'getMany' && steps[2]?.['by'] === Number.MAX_SAFE_INTEGER) return true
      return (
        shown !== undefined && ['type', 'key', 'value', 'by', 'keys'].every((name) => isSame(shown[name], step[name]))
      )
    })
  }
  const [first, second, third] = parameters
  const options = method === 'setMany' ? second : third
  const given = heard['key'] ?? heard['keys'] ?? heard['pattern'] ?? heard['entries']
  return (
    isSame(given, first) &&
    (method === 'setMany' ||
      isSame(heard['value'] ?? heard['by'] ?? (method === 'expire' ? heard['ttl'] : undefined), second)) &&
    ['ttl', 'only'].every(
      (name) => method === 'expire' || isSame(heard[name], (options as Record<string, unknown>)?.[name]),
    )
  )
}
