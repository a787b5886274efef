/**
 * Serial order again, for every method and without an inspector (with one, calls take the slow path). Each call is recorded
 * where the owner executes it, with its worker. The same calls are made in that order on a second cache: each must have the
 * result that its worker received, and both caches must be equal at the end.
 */
import test, { type ExecutionContext } from 'ava'
import { Turns } from '../../../src/cache/turns/turns.js'
import type { SetCommand } from '../../../src/core/model/command.js'
import { Session } from '../../../src/edges/remote/owner/session.js'
import { OPERATION_NAMES, type OperationName } from '../../../src/edges/remote/wire/codes.js'
import { type Cache, memoryJournal, openCache } from '../../../src/index.js'
import { restoreValue } from '../../../src/values/encode.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { isSame, type Logged, type Methods, make, mixedOperations } from '../../helpers/edges/mixed-operations.js'
import { runs } from '../../helpers/runs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const OPTIONS = { maxSize: 12, ttl: 30 } as const
const WORKERS = 10
const OPERATIONS = 200

/** What the owner did: the next call of a worker, what a load stored, or the clock went on. */
type Noted = { worker: string } | { stored: SetCommand } | { ms: number }

/** What a client does without the owner. */
const UNASKED: ReadonlySet<OperationName> = new Set(['hello', 'extra', 'bye', 'loaded', 'notLoaded', 'acknowledge'])

/** Methods whose results depend on the disk, not on the entries: it is only checked that they are not refused. */
const OPEN_ENDED: ReadonlySet<string> = new Set(['flush', 'compact', 'save', 'recovery'])

function note(order: Noted[]): () => void {
  const { answer } = Session.prototype
  const { run } = Turns.prototype
  const workers = new Map<Session, string>()
  let isAnswering = false
  Session.prototype.answer = function (...parameters) {
    const [, code, first] = parameters
    const worker = workers.get(this)
    const isAsked = !UNASKED.has(OPERATION_NAMES[code] as OperationName)
    if (isAsked && worker !== undefined) order.push({ worker })
    else if (isAsked) workers.set(this, String(first)) // its first call says who it is
    isAnswering = true
    try {
      return answer.apply(this, parameters)
    } finally {
      isAnswering = false
    }
  }
  Turns.prototype.run = function (command) {
    // A load stores its value without a request, so no port shows when.
    if (command.type === 'set' && !isAnswering) order.push({ stored: command })
    return run.call(this, command)
  }
  return () => {
    Session.prototype.answer = answer
    Turns.prototype.run = run
  }
}

for (const kind of ['async', 'sync'] as const) {
  for (let run = 1; run <= runs(1); run++) {
    test.serial(
      `10 ${kind} workers × 200 operations of every method: their turns one after the other (${run})`,
      async (t) => {
        t.timeout(120_000)
        const directory = temporaryDirectory(t)
        const clock = new CountingClock()
        const cache = await openCache({ ...OPTIONS, clock, journal: memoryJournal() })
        t.teardown(() => cache.close())
        const order: Noted[] = []
        const restore = note(order)
        const workers = Array.from({ length: WORKERS }, (_, index) =>
          inWorker(cache.share(), kind as 'async', mixedOperations, {
            seed: run * 1_000 + index,
            operations: OPERATIONS,
            directory,
          }),
        )
        const timer = setInterval(() => {
          order.push({ ms: 1_500 })
          clock.advance('1500ms')
        }, 2)
        const logs = await Promise.all(workers.map(({ result }) => result))
        clearInterval(timer)
        restore()
        const modelClock = new CountingClock()
        const model = await openCache({ ...OPTIONS, clock: modelClock, journal: memoryJournal() })
        t.teardown(() => model.close())
        t.is(order.filter((noted) => 'worker' in noted).length, logs.flat().length)
        const types = new Set<string>()
        model.changes$.subscribe(({ type }) => types.add(type))
        replay(t, order, new Map(logs.map((log, index) => [`worker ${run * 1_000 + index}`, log])), model, modelClock)
        t.deepEqual([...cache.entries()], [...model.entries()])
        const { journal: _, ...stats } = cache.stats()
        const { journal: __, ...expected } = model.stats()
        t.deepEqual(stats, expected)
        for (const type of ['set', 'deleted', 'expired', 'evicted', 'rescheduled', 'cleared'])
          t.true(types.has(type), type)
      },
    )
  }
}

function replay(
  t: ExecutionContext,
  order: readonly Noted[],
  logs: ReadonlyMap<string, readonly Logged[]>,
  model: Cache,
  clock: CountingClock,
): void {
  const done = new Map<string, number>()
  for (const noted of order) {
    if ('ms' in noted) clock.advance(`${noted.ms}ms`)
    else if ('stored' in noted) {
      const { key, value, expiresAtMs } = noted.stored
      const deadline = expiresAtMs === Number.POSITIVE_INFINITY ? { ttl: expiresAtMs } : { expiresAt: expiresAtMs }
      model.set(key, restoreValue(value, 'copy'), deadline)
    } else {
      const { worker } = noted
      const place = done.get(worker) ?? 0
      done.set(worker, place + 1)
      const { method, parameters, outcome } = (logs.get(worker) as Logged[])[place] as Logged // as many as were counted
      if (method === 'getOrSet') {
        const found = model.get(parameters[0] as string)
        if (found === undefined) t.false(isRefusal(outcome), `${outcome}`)
        else t.deepEqual(outcome, found)
      } else if (OPEN_ENDED.has(method)) t.false(isRefusal(outcome), `${method}: ${outcome}`)
      else {
        const expected = make(model as unknown as Methods, method, parameters)
        if (!isSame(outcome, expected)) t.deepEqual(outcome, expected, `${worker}, call ${place}: ${method}`)
      }
    }
  }
}

function isRefusal(outcome: unknown): boolean {
  return typeof outcome === 'string' && outcome.includes('Error: ')
}
