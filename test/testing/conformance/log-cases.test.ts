/** The cases for logs find a log that breaks a promise. */
import test from 'ava'
import type { Log } from '../../../src/edges/cluster/log.js'
import { logCases } from '../../../src/testing/conformance/log-cases.js'
import { memoryLog } from '../../../src/testing.js'

/** Each breaks one method of a log. */
const MUTANTS: Record<string, (log: Log) => Partial<Log>> = {
  'appends without comparing': (log) => ({
    append: async (record) => log.append(record, (await log.open()).last),
  }),
  'keeps the bytes of the caller': (log) => ({
    append: async (record, after) => {
      await new Promise(setImmediate)
      return log.append(record, after)
    },
  }),
  'throws an ordinary error for a conflict': (log) => ({
    append: (record, after) => log.append(record, after).catch((error) => Promise.reject(new Error(String(error)))),
  }),
  'trims the last record': (log) => ({ trim: async () => log.trim((await log.open()).last - 1) }),
  'delivers a record twice': (log) => ({
    follow: (from, to) =>
      log.follow(from, {
        take: (record, at) => {
          to.take(record, at)
          if (at === 2) to.take(record, at)
        },
        gap: () => to.gap(),
      }),
  }),
  'tells of a gap twice': (log) => ({
    follow: (from, to) =>
      log.follow(from, {
        take: (record, at) => to.take(record, at),
        gap: () => {
          to.gap()
          to.gap()
        },
      }),
  }),
  'sets the pointer whatever its revision': (log) => ({
    snapshots: new Proxy(log.snapshots, {
      get: (store, key) =>
        key === 'point'
          ? async (pointer: never) => store.point(pointer, (await store.latest()).revision)
          : Reflect.get(store, key),
    }),
  }),
}

for (const [what, breaking] of Object.entries(MUTANTS)) {
  test(`a log that ${what} fails a case`, async (t) => {
    const found = Promise.any(
      logCases.map(async ({ name, run }) => {
        const engine = memoryLog()
        const running = run((node) => {
          const log = engine('test', node)
          const broken = breaking(log)
          return new Proxy(log, {
            get: (target, key) => {
              if (key in broken) return broken[key as keyof Log]
              const value = Reflect.get(target, key, target)
              return typeof value === 'function' ? value.bind(target) : value
            },
          })
        })
        return running.then(
          () => Promise.reject(new Error('it passes')),
          () => name,
        )
      }),
    )
    t.is(typeof (await found), 'string')
  })
}
