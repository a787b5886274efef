/** When a node writes a snapshot: by the number of records, on a journal that only counts; and what comes of it, on a log in memory. */
import test from 'ava'
import type { ClusterCache } from '../../../../src/cluster.js'
import type { ReplicatedJournal } from '../../../../src/edges/cluster/journal/replicated-journal.js'
import { Compaction, RECORDS_MAX } from '../../../../src/edges/cluster/node/compaction.js'
import { ManualClock } from '../../../../src/testing.js'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

const MIB = 1024 * 1024

function compactionOf(state: 'following' | 'leading', { found = 0 } = {}) {
  const clock = new ManualClock()
  let written = 0
  const journal = {
    state,
    applier: { position: 0, bytes: 0 },
    snapshots: {
      position: 0,
      bytes: 0,
      async look() {
        journal.snapshots.position = Math.max(found, journal.snapshots.position)
        return journal.snapshots.position
      },
    },
    async compact() {
      written++
      journal.snapshots.position = journal.applier.position
      journal.applier.bytes = 0
    },
  }
  const compaction = new Compaction({
    journal: journal as unknown as ReplicatedJournal,
    compaction: { journalBytes: MIB, factor: 0, segmentBytes: MIB },
    clock,
    random: () => 0.5,
  })
  return {
    journal,
    /** How many snapshots are written once this position, and so many bytes, have been applied. */
    async at(position: number, bytes = 0): Promise<number> {
      const before = written
      Object.assign(journal.applier, { position, bytes })
      compaction.look()
      clock.advance('2s')
      for (let turn = 0; turn < 5; turn++) await null
      clock.advance('10s')
      return written - before
    },
  }
}

test('a node that follows writes a snapshot after 10,000 records, however small, and after 10,000 more', async (t) => {
  const { at } = compactionOf('following')
  t.is(RECORDS_MAX, 10_000)
  t.is(await at(9_999), 0)
  t.is(await at(10_000), 1)
  t.is(await at(19_999), 0)
  t.is(await at(20_000), 1)
})

test('the leader leaves it to the others until half as many records again have come', async (t) => {
  const { at } = compactionOf('leading')
  t.is(await at(14_999), 0)
  t.is(await at(15_000), 1)
})

test('large records are counted by their bytes', async (t) => {
  const { at } = compactionOf('following')
  t.is(await at(10, MIB - 1), 0)
  t.is(await at(10, MIB), 1)
})

test('a node that finds a newer snapshot of another one writes none', async (t) => {
  const { at } = compactionOf('following', { found: 9_000 })
  t.is(await at(10_000), 0)
  t.is(await at(18_999), 0)
  t.is(await at(19_000), 1)
})

test('a log of small records is trimmed by their number: a node that joins reads the snapshot, and fewer than all records', async (t) => {
  const { open, during, engine, until } = drivenNodes(t)
  const one = await open('one')
  await open('two')
  const { records } = engine.control.shared('cluster')
  const write = async (upTo: number) => {
    while (records.last < upTo) await during(one.increment('n'))
  }
  await write(RECORDS_MAX + 10)
  await until(() => records.pointer !== undefined)
  t.is(records.first, 1, 'the log reaches back to the snapshot before the newest')
  await write(2 * RECORDS_MAX + 100)
  await until(() => records.first > 1)
  t.true(records.first > RECORDS_MAX)
  const late: ClusterCache = await open('three')
  t.is(late.local.get('n'), await during(one.get('n')))
})
