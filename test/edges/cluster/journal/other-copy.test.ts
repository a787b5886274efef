/** A node whose server has another record than the others at one position of the log, which that server never corrects. */
import test from 'ava'
import { Counters } from '../../../../src/core/model/counters.js'
import { ClusterClock } from '../../../../src/edges/cluster/journal/cluster-clock.js'
import { LeaderFrames } from '../../../../src/edges/cluster/journal/leader-frames.js'
import { identityOf } from '../../../../src/edges/cluster/journal/records.js'
import type { ReplicatedJournal } from '../../../../src/edges/cluster/journal/replicated-journal.js'
import { sealed } from '../../../../src/edges/cluster/journal/sealed-record.js'
import type { LogRecord, Position } from '../../../../src/edges/cluster/log.js'
import type { ClusterNode } from '../../../../src/edges/cluster/node/cluster-node.js'
import { set } from '../../../../src/testing/conformance/recording.js'
import type { ManualClock, MemoryLogEngine } from '../../../../src/testing.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

/** An engine whose server has other records in place of some, and delivers these. Asked for one record, it answers with the right one. */
function engineWith(
  other: (record: LogRecord, at: Position) => LogRecord | undefined,
  engine: MemoryLogEngine,
): MemoryLogEngine {
  return Object.assign((...[name, node]: Parameters<typeof engine>) => {
    const log = engine(name, node)
    const right = new Map<Position, LogRecord>()
    const follow = log.follow.bind(log)
    log.follow = (from, { take, gap }) =>
      follow(from, {
        take: (record, at) => {
          right.set(at, record)
          take(other(record, at) ?? record, at)
        },
        gap,
      })
    return Object.assign(log, { read: async (at: Position) => right.get(at) })
  }, engine)
}

/** A record that could be the next one of the leader `one`. */
function otherRecord({ applier }: ReplicatedJournal, clock: ManualClock): LogRecord {
  const { seed } = identityOf('cluster')
  const { end, epoch } = applier
  const frames = new LeaderFrames(end, { counters: new Counters(), seed, clock: new ClusterClock(clock) })
  frames.add([set('false', 1)])
  return sealed({ kind: 'frame', epoch, node: 'one', body: frames.finish(1_000_000)[0]?.body as Uint8Array })
}

test('a node that has read a copy of the log that differs goes on from a snapshot, if one is ahead of it', async (t) => {
  const { open, during, engine, pass, nodes, clock } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  /** What the server of the other node has in place of a record. */
  const other = new Map<Position, LogRecord>()
  const two = await open('two', {
    engine: engineWith((_, at) => other.get(at), engine),
  })
  const { journal } = nodes.get('two') as ClusterNode
  const told: string[] = []
  two.changes$.subscribe(({ type, key }) => told.push(key ?? type))
  for (const isAhead of [true, false]) {
    await during(two.flush())
    engine.control.pause('two')
    await pass(1_000)
    const { position } = journal.applier
    other.set(position + 1, otherRecord(journal, clock))
    await during(one.set('true', 1))
    await during(one.set('b', 1))
    if (isAhead) await during(one.compact())
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

test('a node that has read a copy of the log that differs does not lead, and a sound one does', async (t) => {
  const { open, during, until, engine, nodes, clock } = drivenNodes(t)
  const one = await open('one')
  await during(one.set('a', 1))
  let wrong: LogRecord | undefined
  let elected = ''
  const two = await open('two', {
    engine: engineWith((record) => {
      if (wrong === undefined || record.kind !== 'term' || elected !== '') return undefined
      elected = record.node
      engine.control.crash(elected) // before its first frame, which would show the difference
      engine.control.pause(elected === 'three' ? 'four' : 'three') // so that this node tries first
      return wrong
    }, engine),
  })
  const others = { three: await open('three'), four: await open('four') }
  await during(two.flush())
  const { journal } = nodes.get('two') as ClusterNode
  wrong = otherRecord(journal, clock)
  engine.control.crash('one')
  await until(() => journal.failure !== undefined)
  t.regex((journal.failure as unknown as Error).message, /this node has read another record there/)
  const sound = elected === 'three' ? 'four' : 'three'
  engine.control.resume(sound)
  await during(others[sound].set('after', 1))
  t.deepEqual(others[sound].local.keys().sort(), ['a', 'after'])
})

test('a node that cannot compare its last record does not lead, and tries again at once', async (t) => {
  const { open, during, pass, engine, nodes } = drivenNodes(t)
  const one = await open('one')
  let asked = 0
  let isAnswering = false
  const two = await open('two', {
    engine: Object.assign((...[name, node]: Parameters<typeof engine>) => {
      const read = async () => {
        asked++
        if (!isAnswering) throw new Error('no answer')
        return undefined
      }
      return Object.assign(engine(name, node), { read })
    }, engine),
  })
  await during(one.set('a', 1))
  await during(two.flush())
  engine.control.crash('one')
  await pass(5_000)
  const { journal } = nodes.get('two') as ClusterNode
  t.true(asked > 10)
  t.is(journal.state, 'following')
  isAnswering = true
  await pass(200)
  t.is(journal.state, 'leading')
  t.is(two.local.get('a'), 1)
})
