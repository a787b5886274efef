/** Histories to be cut short at any place. Each covers something that writes, renames, removes or repairs. */

import { ChangeFeed } from '../../../src/cache/history/change-feed.js'
import { Counters } from '../../../src/core/model/counters.js'
import { NO_SEQUENCE } from '../../../src/core/model/sequence.js'
import { EncodedValue } from '../../../src/core/model/stored-value.js'
import { failing, SimulatedDisk } from '../durable/simulated-disk.js'
import { Random } from '../random.js'
import { DiskHistory } from './crash-states.js'
import { recoverImage } from './recover-image.js'
import { DIRECTORY, Stage } from './stage.js'

export interface Script {
  name: string
  run(stage: Stage): Promise<void>
  /** The disk to begin with; without it an empty one. */
  base?: () => Promise<SimulatedDisk>
}

const text = (length: number) => 'x'.repeat(length)

export const SCRIPTS: Script[] = [
  {
    name: 'always: every kind of event, each acknowledged',
    async run(stage) {
      const cache = await stage.open({ fsync: 'always', maxSize: 3 })
      cache.set('a', 1)
      await stage.flush(cache)
      cache.set('b', text(600), { ttl: 5 })
      cache.increment('n', 5)
      await stage.flush(cache)
      cache.set('c', 'evicts a')
      cache.expire('c', 50)
      await stage.flush(cache)
      stage.clock.advance(6) // b expires
      cache.persist('c')
      cache.delete('n')
      cache.get('c')
      cache.get('missing')
      await stage.flush(cache)
      cache.set('d', { structured: [1, 2, 3] })
      cache.clear()
      cache.set('e', Uint8Array.of(1, 2, 3), { ttl: 60, stale: 60, tags: ['t', 'u'] })
      await stage.flush(cache)
      cache.set('f', 10n ** 30n, { tags: ['t'] })
      cache.expireTag('t') // e is stale, f is gone
      await cache.close()
      stage.acknowledge(cache.recovery.sequence)
    },
  },
  {
    name: 'everysec: several turns between two fsyncs',
    async run(stage) {
      const cache = await stage.open({ fsync: 'everysec' })
      for (let second = 0; second < 4; second++) {
        for (let turn = 0; turn < 3; turn++) {
          cache.set(`k${turn}`, text(100 + 150 * turn))
          cache.increment('count')
          await stage.turn()
        }
        stage.clock.advance(1)
        await stage.turn()
        await stage.turn()
      }
      cache.get('k0')
      await cache.close()
    },
  },
  {
    name: 'never: only close syncs',
    async run(stage) {
      const cache = await stage.open({ fsync: 'never' })
      for (let turn = 0; turn < 6; turn++) {
        cache.set(`k${turn}`, text(250))
        await stage.turn()
      }
      cache.get('k0')
      await cache.close()
      stage.disk.note({ acknowledged: 6 })
    },
  },
  {
    name: 'transactions of several sectors',
    async run(stage) {
      const cache = await stage.open({ fsync: 'always' })
      cache.set('base', 0)
      await stage.flush(cache)
      for (let round = 0; round < 3; round++) {
        cache.transact(() => {
          for (let at = 0; at < 6; at++) cache.set(`k${at}`, `${round}${text(300)}`)
          cache.delete('k3')
          cache.increment('base')
        })
        await stage.flush(cache)
      }
      cache.setMany([
        ['x', text(700)],
        ['y', text(700)],
      ])
      cache.deletePattern('k*')
      await stage.turn()
      await cache.close()
    },
  },
  {
    name: 'rotation',
    async run(stage) {
      const cache = await stage.open({ fsync: 'always', compaction: { journalBytes: 1e9, segmentBytes: 1_200 } })
      for (let at = 0; at < 12; at++) {
        cache.set(`k${at % 4}`, `${at}${text(350)}`)
        if (at % 3 === 2) await stage.flush(cache)
        else await stage.turn()
      }
      await cache.close()
    },
  },
  {
    name: 'rotation under everysec, with writes while the fsync runs',
    async run(stage) {
      const { disk } = stage
      const cache = await stage.open({ fsync: 'everysec', compaction: { journalBytes: 1e9, segmentBytes: 1_000 } })
      let at = 0
      for (let round = 0; round < 4; round++) {
        let finish!: () => void
        const slow = new Promise<void>((resolve) => {
          finish = resolve
        })
        disk.plan = failing((call) => call.name === 'sync', { delay: slow }, { times: 1 })
        for (let turn = 0; turn < 3; turn++) {
          cache.set(`k${at++ % 5}`, `${at}${text(300)}`)
          await stage.turn()
        }
        stage.clock.advance(1)
        cache.set('while', at)
        await stage.turn()
        cache.increment('turns')
        finish()
        await stage.turn()
        await stage.turn()
      }
      await stage.flush(cache)
      await cache.close()
    },
  },
  {
    name: 'compaction, twice, with writes while it runs',
    async run(stage) {
      const cache = await stage.open({ fsync: 'always' })
      for (let at = 0; at < 5; at++) cache.set(`k${at}`, `${at}${text(200)}`, { ttl: 100 })
      cache.get('k0')
      await stage.flush(cache)
      for (let round = 0; round < 2; round++) {
        const compacting = cache.compact()
        cache.set('k1', `changed ${round}`)
        cache.delete('k2')
        await stage.turn()
        cache.set('new', text(500))
        await compacting
        cache.increment('rounds')
        await stage.flush(cache)
        cache.get('missing')
      }
      await cache.close()
    },
  },
  {
    name: 'compaction of several segments, then of nothing new',
    async run(stage) {
      const cache = await stage.open({ fsync: 'everysec', compaction: { journalBytes: 1e9, segmentBytes: 900 } })
      for (let at = 0; at < 8; at++) {
        cache.set(`k${at % 3}`, `${at}${text(400)}`)
        await stage.flush(cache)
      }
      await cache.compact()
      await cache.compact()
      cache.set('after', 1)
      await stage.flush(cache)
      await cache.close()
    },
  },
  {
    name: 'history: compactions that keep everything',
    async run(stage) {
      stage.promise(0)
      for (let round = 0; round < 2; round++) {
        const cache = await stage.open({
          fsync: 'always',
          history: Number.POSITIVE_INFINITY,
          compaction: { journalBytes: 1e9, segmentBytes: 900 },
        })
        for (let at = 0; at < 3; at++) {
          cache.set(`k${at}`, `${round}${text(300)}`, { ttl: 100 })
          await stage.flush(cache)
        }
        const compacting = cache.compact()
        cache.delete('k1')
        await compacting
        await cache.compact()
        await cache.compact()
        if (round === 1) cache.clear()
        await stage.flush(cache)
        await cache.close()
      }
    },
  },
  {
    name: 'history: compactions that keep ten seconds',
    async run(stage) {
      stage.promise(0)
      const cache = await stage.open({
        fsync: 'always',
        history: 10,
        compaction: { journalBytes: 1e9, segmentBytes: 700 },
      })
      const begun = [{ sequence: 0, atMs: stage.clock.now() }]
      for (let round = 0; round < 6; round++) {
        for (let at = 0; at < 2; at++) {
          cache.set(`k${at}`, `${round}${text(300)}`)
          await stage.flush(cache)
        }
        begun.push({ sequence: cache.stats().journal.sequence, atMs: stage.clock.now() })
        stage.clock.advance(4)
        const oldMs = stage.clock.now() - 10_000
        stage.promise(begun.findLast(({ atMs }) => atMs <= oldMs)?.sequence ?? 0)
        await cache.compact()
      }
      await cache.close()
    },
  },
  {
    name: 'history: compactions that keep some bytes, and fail to remove some files',
    async run(stage) {
      const { disk } = stage
      const cache = await stage.open({
        fsync: 'always',
        history: { bytes: 3_000 },
        compaction: { journalBytes: 1e9, segmentBytes: 700 },
      })
      for (let round = 0; round < 6; round++) {
        for (let at = 0; at < 2; at++) {
          cache.set(`k${at}`, `${round}${text(300)}`)
          await stage.flush(cache)
        }
        if (round === 3) {
          disk.plan = failing(
            (call) => call.name === 'unlink' && !call.path.endsWith('.tmp'),
            { error: 'EPERM' },
            { times: 1 },
          )
        }
        stage.promise(cache.stats().journal.sequence)
        await cache.compact()
        stage.promise(cache.stats().journal.oldestSequence)
        disk.plan = undefined
      }
      await cache.close()
    },
  },
  {
    name: 'changesSince: what a consumer has been given is durable',
    async run(stage) {
      const { cache, journal, storage } = await stage.openBoth({
        fsync: 'everysec',
        history: Number.POSITIVE_INFINITY,
        compaction: { journalBytes: 1e9, segmentBytes: 900 },
      })
      const source = { storage, directory: DIRECTORY, journal, journalClock: stage.clock }
      const consuming = (async () => {
        for await (const { sequence } of new ChangeFeed(source, NO_SEQUENCE, (stored) => stored))
          stage.acknowledge(sequence)
      })()
      for (let at = 0; at < 8; at++) {
        cache.set(`k${at % 3}`, `${at}${text(300)}`)
        await stage.turn()
        if (at % 3 === 2) stage.clock.advance(1)
        if (at === 4) await cache.compact()
        await stage.turn()
      }
      await cache.close()
      await consuming
    },
  },
  {
    name: 'closed and opened again, with an order of use',
    async run(stage) {
      for (let round = 0; round < 4; round++) {
        const cache = await stage.open({ fsync: 'everysec' })
        cache.set(`round ${round}`, text(200))
        if (round % 2 === 0) await stage.flush(cache)
        cache.get('round 0')
        await cache.close()
        stage.acknowledge(round + 1)
      }
    },
  },
  {
    name: 'closed and opened again, with a change, a read or nothing',
    async run(stage) {
      for (let round = 0; round < 7; round++) {
        const cache = await stage.open({ fsync: 'never' })
        if (round % 3 === 0) cache.set('a', `${round}${text(300)}`)
        if (round === 2) cache.get('missing')
        if (round === 4) cache.get('a')
        if (round === 5) stage.kill()
        await cache.close().catch(() => undefined)
        stage.acknowledge(1 + Math.floor(round / 3))
      }
    },
  },
  {
    name: 'killed and opened again',
    async run(stage) {
      for (let round = 0; round < 4; round++) {
        const cache = await stage.open({ fsync: 'never' })
        cache.set('a', `${round}${text(300)}`)
        await stage.turn()
        cache.set('b', round)
        await stage.turn()
        if (round === 2) await stage.flush(cache)
        stage.kill()
      }
      const cache = await stage.open({ fsync: 'always' })
      await stage.flush(cache) // what the killed caches had written is durable now
      await cache.close()
    },
  },
  {
    name: 'no space, in the middle of a frame, and space again',
    async run(stage) {
      const { disk } = stage
      const cache = await stage.open({ fsync: 'always' })
      cache.set('a', 1)
      await stage.flush(cache)
      disk.plan = failing((call) => call.name === 'write', { error: 'ENOSPC', partial: 300 }, { times: 2 })
      cache.set('b', text(900))
      await stage.turn()
      stage.clock.advance(1)
      stage.clock.advance(1)
      cache.set('c', text(100))
      await stage.flush(cache)
      disk.plan = (call) => {
        if (call.name === 'truncate') return { error: 'EIO' }
        return call.name === 'write' ? { error: 'ENOSPC', partial: 600 } : undefined
      }
      cache.set('d', text(900))
      await stage.turn()
      disk.plan = undefined
      stage.clock.advance(1)
      await stage.flush(cache)
      await cache.close()
    },
  },
  {
    name: 'short writes',
    async run(stage) {
      stage.disk.plan = failing((call) => call.name === 'write' || call.name === 'writeLater', { short: 130 })
      const cache = await stage.open({ fsync: 'always' })
      for (let at = 0; at < 4; at++) {
        cache.set(`k${at}`, text(400))
        await stage.flush(cache)
      }
      await cache.compact()
      cache.set('after', 1)
      await stage.flush(cache)
      await cache.close()
    },
  },
  {
    name: 'compaction that fails at its steps',
    async run(stage) {
      const { disk } = stage
      const cache = await stage.open({ fsync: 'always' })
      let at = 0
      for (const name of ['create', 'writeLater', 'sync', 'rename', 'syncDirectory', 'unlink'] as const) {
        cache.set(`k${at++ % 3}`, `${name}${text(200)}`)
        await stage.flush(cache)
        const isOfSnapshot = (path: string) => !path.endsWith('.segment')
        disk.plan = failing((call) => call.name === name && (name === 'unlink' || isOfSnapshot(call.path)), {
          error: 'EIO',
        })
        await cache.compact().catch(() => undefined)
        disk.plan = undefined
      }
      await cache.compact()
      cache.set('end', 1)
      await stage.flush(cache)
      await cache.close()
    },
  },
  {
    name: 'a failed fsync, and opening again',
    async run(stage) {
      const { disk } = stage
      const cache = await stage.open({ fsync: 'always' })
      cache.set('a', text(300))
      await stage.flush(cache)
      disk.plan = failing((call) => call.name === 'sync', { error: 'EIO' }, { times: 1 })
      cache.set('b', text(300))
      await cache.flush().catch(() => undefined)
      disk.plan = undefined
      await cache.close().catch(() => undefined)
      const again = await stage.open({ fsync: 'always' })
      await stage.flush(again) // what was recovered is durable now, though its first fsync failed
      again.set('c', text(600))
      await stage.flush(again)
      await again.close()
    },
  },
  ...[undefined, Number.POSITIVE_INFINITY].map((history) => ({
    name: `staged rows and a loaded event, compacted later${history === undefined ? '' : ', with history'}`,
    async run(stage: Stage) {
      if (history !== undefined) stage.promise(0)
      const { cache, journal } = await stage.openBoth({ fsync: 'always', history })
      cache.set('a', 1)
      await stage.flush(cache)
      const rows = [
        ['x', 'from the file'],
        ['y', new EncodedValue('bytes', new Uint8Array(700))],
      ] as const
      for (let round = 0; round < 2; round++) {
        let at = 0
        const source = {
          count: rows.length,
          counters: new Counters(),
          read: () => {
            const row = rows[at++]
            return row && { key: `${row[0]}${round}`, value: row[1], expiresAtMs: Number.POSITIVE_INFINITY }
          },
          release: () => undefined,
        }
        const staged = await journal.stage(source, () => undefined)
        stage.acknowledge(0)
        journal.append([{ type: 'loaded', ...staged }])
        await stage.turn()
        journal.append([{ type: 'set', key: 'after', value: round, expiresAtMs: Number.POSITIVE_INFINITY }])
        stage.acknowledge(await journal.flush())
      }
      await cache.close()
      const again = await stage.open({ fsync: 'always', history })
      await again.compact()
      again.set('end', 1)
      await stage.flush(again)
      await again.close()
    },
  })),
  {
    name: 'writing after a torn tail was repaired',
    base: () => torn(1),
    run: writeOn,
  },
  {
    name: 'writing after a torn tail before an empty segment was repaired',
    base: () => torn(2),
    run: writeOn,
  },
  {
    name: 'writing frames of the same lengths after a lost frame before kept ones was repaired',
    base: withLostFrame,
    async run(stage) {
      const cache = await stage.open({ fsync: 'always' })
      for (let at = 3; at < 6; at++) {
        cache.set(`k${at}`, text(1_200))
        await stage.flush(cache)
        await stage.turn()
      }
      await cache.close()
    },
  },
]

/** A power cut lost the first of three frames and kept the others: the next frame may end exactly where the second one begins. */
async function withLostFrame(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  const cache = await stage.open({ fsync: 'never' })
  cache.set('a', 1)
  await stage.flush(cache)
  await stage.turn()
  const path = '/j/0000000000000001.segment'
  const start = disk.names.get(path)?.length ?? 0
  for (let at = 0; at < 3; at++) {
    cache.set(`k${at}`, text(1_200))
    await stage.turn()
  }
  stage.kill()
  const image = disk.image()
  const sector = (Math.floor(start / 512) + 1) * 512
  image.get(path)?.fill(0, sector, sector + 512)
  return SimulatedDisk.of(image)
}

async function writeOn(stage: Stage): Promise<void> {
  const cache = await stage.open({ fsync: 'always', compaction: { journalBytes: 1e9, segmentBytes: 2_000 } })
  cache.set('on', 1)
  await stage.flush(cache)
  cache.set('and on', text(700))
  await stage.turn()
  cache.set('and on', text(100))
  await stage.flush(cache)
  await cache.compact()
  cache.set('end', 1)
  await stage.flush(cache)
  await cache.close()
}

/** A disk with a torn tail after a power cut, in `segments` segments. */
async function torn(segments: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  const cache = await stage.open({ fsync: 'never', compaction: { journalBytes: 1e9, segmentBytes: 1_500 } })
  cache.set('a', 1)
  await stage.flush(cache)
  for (let at = 0; at < 4; at++) {
    cache.set(`k${at}`, text(400))
    await stage.turn()
  }
  if (segments > 1) await stage.flush(cache)
  stage.kill()
  const random = new Random(7)
  const history = new DiskHistory(disk)
  while (!history.isAtEnd) {
    history.step()
    for (const { image } of history.statesAt(64, random)) {
      if ([...image.keys()].filter((path) => path.endsWith('.segment')).length !== segments) continue
      const outcome = await recoverImage(image)
      if (outcome.error !== undefined || outcome.sequence < 2) continue
      if (outcome.disk.log.some((operation) => operation.type === 'truncate' && operation.path.endsWith('.segment')))
        return SimulatedDisk.of(image)
    }
  }
  throw new Error('no state has a torn tail')
}
