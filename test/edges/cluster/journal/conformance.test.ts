/** The cases for journals, on the journal of a cluster's leader over a log in memory. */
import { randomBytes } from 'node:crypto'
import { journalClock } from '../../../../src/cache/system-clock.js'
import type { CompactionRequest, Replica, SnapshotSource } from '../../../../src/durable/contract.js'
import { ClusterClock } from '../../../../src/edges/cluster/journal/cluster-clock.js'
import { ReplicatedJournal } from '../../../../src/edges/cluster/journal/replicated-journal.js'
import type { MemoryLogEngine } from '../../../../src/edges/cluster/memory/engine.js'
import { journalCases } from '../../../../src/testing/conformance/journal-cases.js'
import { memoryLog } from '../../../../src/testing.js'
import { runCases } from '../../../helpers/run-cases.js'

/** What a cluster does otherwise, on purpose. */
const EXCEPTIONS: Record<string, string> = {
  'the counters of the last frame come back': 'each node counts its own hits, and the rest follows from the events',
  'the order of use that a close is given comes back, at its place': "the order is the leader's, and not in the log",
  'one opener at a time; closing lets the next one in': 'every node opens the log',
  'compaction is due when the threshold is passed': 'the nodes agree on who writes a snapshot (node/compaction.ts)',
}

const newId = () => randomBytes(8).toString('hex')
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const SETTINGS = { name: 'cases', ttlMs: Number.POSITIVE_INFINITY, eviction: 'lru' } as const
const LIMITS = { maxSize: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY }

/** Opens like any journal, and leads when it is open. Its snapshots have the rows that the case gives. */
class LeadersJournal extends ReplicatedJournal {
  #freeze: () => SnapshotSource = () => {
    throw new Error('no compaction has begun')
  }

  constructor(engine: MemoryLogEngine) {
    const node = newId()
    super({ log: engine('cases', node), name: 'cases', node, clock: new ClusterClock(journalClock), newId })
  }

  override async open(...[session]: Parameters<ReplicatedJournal['open']>) {
    const nothing = () => undefined
    const freeze = () => this.#freeze()
    const replica: Replica = { follow: nothing, commit: nothing, revert: nothing, reset: nothing, freeze }
    await this.prepare({ ...SETTINGS, ...LIMITS })
    const report = await super.open({ ...session, replica })
    while ((await this.stand()) !== 'elected') await turn()
    return report
  }

  /** After a flush, as of a node's compact(): a snapshot has what is in the log. */
  override async compact(request: Partial<CompactionRequest> = {}) {
    await this.flush()
    if (request.freeze !== undefined) this.#freeze = request.freeze
    return super.compact(request)
  }
}

const cases = journalCases.filter(({ name }) => !(name in EXCEPTIONS))
if (cases.length !== journalCases.length - Object.keys(EXCEPTIONS).length) throw new Error('An exception names no case')

runCases('replicated', cases, () => {
  const engine = memoryLog()
  return () => new LeadersJournal(engine)
})
