import type { Cache } from '../../../src/index.js'
import { type Call, failing } from '../durable/simulated-disk.js'
import { Random } from '../random.js'
import type { Script } from './scripts.js'
import type { Stage } from './stage.js'

/** A random history: the same for the same seed. */
export function randomScript(seed: number): Script {
  return { name: `random history ${seed}`, run: (stage) => play(stage, new Random(seed * 7919 + 1)) }
}

async function play(stage: Stage, random: Random): Promise<void> {
  const { disk, clock } = stage
  const one = <T>(...choices: T[]): T => choices[random.below(choices.length)] as T
  const key = () => `k${random.below(6)}`
  const text = () => `${random.below(1_000_000)}`.padEnd(one(3, 40, 200, 600, 1_100), 'x')
  const background: Promise<unknown>[] = []
  const later = (promise: Promise<unknown>) => background.push(promise.catch(() => undefined))
  let finishSlow: (() => void) | undefined

  const open = () =>
    stage.open({
      fsync: one('always', 'everysec', 'never'),
      maxSize: one(4, 1_000),
      compaction: one<false | { journalBytes: number; segmentBytes: number; factor?: number }>(
        false,
        { journalBytes: 1e9, segmentBytes: one(700, 2_000) },
        { journalBytes: 3_000, factor: 0.5, segmentBytes: 1_500 },
      ),
    })
  const settle = async () => {
    finishSlow?.()
    finishSlow = undefined
    disk.plan = undefined
    await Promise.all(background.splice(0))
  }
  const reopen = async (): Promise<Cache> => {
    await settle()
    return open()
  }

  let cache = await open()
  for (let step = 0; step < 22; step++) {
    try {
      switch (random.below(18)) {
        case 0:
          cache.delete(key())
          break
        case 1:
          cache.transact(() => {
            for (let count = random.below(5) + 1; count > 0; count--) cache.set(key(), text())
            cache.delete(key())
          })
          break
        case 2:
          cache.increment('count', random.below(9))
          break
        case 3:
          cache.expire(key(), 1 + random.below(5))
          break
        case 4:
          clock.advance(1 + random.below(3))
          break
        case 5:
        case 6:
          later(cache.flush().then((sequence) => stage.acknowledge(sequence)))
          break
        case 7:
          await settle()
          await stage.flush(cache)
          break
        case 8:
          later(cache.compact())
          break
        case 9:
          await settle()
          await cache.compact()
          break
        case 10: {
          const process = stage.kill
          process()
          cache.close().catch(() => undefined) // of a dead process: nothing reaches the disk
          cache = await reopen()
          break
        }
        case 11:
          await settle()
          await cache.close()
          cache = await reopen()
          break
        case 12:
          cache.get(key())
          break
        case 13: {
          const slow = new Promise<void>((resolve) => {
            const before = finishSlow
            finishSlow = () => {
              before?.()
              resolve()
            }
          })
          disk.plan = failing((call) => call.name === 'sync', { delay: slow }, { times: 1 })
          break
        }
        case 14: {
          const name = one<Call['name']>(
            'write',
            'create',
            'rename',
            'syncDirectory',
            'writeLater',
            'truncate',
            'unlink',
          )
          disk.plan = failing(
            (call) => call.name === name,
            one({ error: 'ENOSPC' }, name.startsWith('write') ? { error: 'ENOSPC', partial: 150 } : { error: 'EIO' }),
            { times: 1 + random.below(2) },
          )
          break
        }
        case 15:
          if (random.below(4) === 0) cache.clear()
          break
        default:
          cache.set(key(), text(), one({}, {}, { ttl: 1 + random.below(4) }))
      }
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'CORRUPTION' || code === undefined) throw error // anything else is a refusal that the fault plan causes
      if (code === 'OUTCOME_UNKNOWN' || code === 'CACHE_CLOSED') cache = await reopen()
    }
    for (let turns = random.below(3); turns > 0; turns--) await stage.turn()
  }
  await settle()
  clock.advance(1)
  await cache.close()
}
