/** A node whose server has another record than the others at one position of the log, which that server never corrects. */
import test from 'ava'
import { Counters } from '../../../../src/core/model/counters.js'
import { ClusterClock } from '../../../../src/edges/cluster/journal/cluster-clock.js'
import { LeaderFrames } from '../../../../src/edges/cluster/journal/leader-frames.js'
import { identityOf } from '../../../../src/edges/cluster/journal/records.js'
import { sealed } from '../../../../src/edges/cluster/journal/sealed-record.js'
import type { LogRecord, Position } from '../../../../src/edges/cluster/log.js'
import type { ClusterNode } from '../../../../src/edges/cluster/node/cluster-node.js'
import { set } from '../../../../src/testing/conformance/recording.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

test('a node that has read a copy of the log that differs goes on from a snapshot, if one is ahead of it', async (t) => {
  const { open, during, engine, pass, nodes, clock } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  /** What the server of the other node has in place of a record. */
  const other = new Map<Position, LogRecord>()
  const two = await open('two', {
    engine: Object.assign((...[name, node]: Parameters<typeof engine>) => {
      const log = engine(name, node)
      const follow = log.follow.bind(log)
      log.follow = (from, { take, gap }) =>
        follow(from, { take: (record, at) => take(other.get(at) ?? record, at), gap })
      return log
    }, engine),
  })
  const { journal } = nodes.get('two') as ClusterNode
  const told: string[] = []
  two.changes$.subscribe(({ type, key }) => told.push(key ?? type))
  for (const isAhead of [true, false]) {
    await during(two.flush())
    engine.control.pause('two')
    await pass(1_000)
    const { position, end, epoch } = journal.applier
    await during(one.set('true', 1))
    await during(one.set('b', 1))
    if (isAhead) await during(one.compact())
    const { seed } = identityOf('cluster')
    const frames = new LeaderFrames(end, { counters: new Counters(), seed, clock: new ClusterClock(clock) })
    frames.add([set('false', 1)])
    const body = frames.finish(1_000_000)[0]?.body as Uint8Array
    other.set(position + 1, sealed({ kind: 'frame', epoch, node: 'one', body }))
    told.length = 0
    engine.control.resume('two')
    await pass(2_000)
    if (isAhead) {
      t.deepEqual(told, ['false', 'resynced'])
      t.deepEqual(new Map(two.local.entries()), new Map(one.local.entries()))
      t.true(await during(two.set('after', 1)))
      t.deepEqual(new Map(two.local.entries()), new Map(one.local.entries()))
    } else {
      t.deepEqual(told, ['false'])
      t.is((journal.failure as Error).name, 'CorruptionError')
      await t.throwsAsync(during(two.set('after', 1)), { code: 'CORRUPTION' })
    }
  }
})
