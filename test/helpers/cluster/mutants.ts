/**
 * Protocols with one rule broken each. The simulation must find every one of them; otherwise finding nothing in the right protocol proves
 * nothing.
 */
import type { Journal, JournalSession, Replica, SnapshotSource } from '../../../src/durable/contract.js'
import { LogConflict } from '../../../src/edges/cluster/log.js'
import type { MemoryLogEngine } from '../../../src/edges/cluster/memory/engine.js'
import { KeptAnswers } from '../../../src/edges/remote/owner/kept-answers.js'
import { WriteGate } from '../../../src/edges/remote/owner/write-gate.js'
import { openWithin } from '../../../src/open.js'
import type { Mutant } from './surroundings.js'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'appends wherever the log ends (no compare-and-set)',
    engine: withRecords((records) => {
      const { append } = records
      records.append = (record) => append.call(records, record, records.last)
    }),
  },
  {
    name: 'keeps what a leader that was deposed had not committed (no revert)',
    ...withReplica((replica) => ({ revert: () => replica.commit(Number.POSITIVE_INFINITY) })),
  },
  {
    name: 'executes a command that is asked again (no answers)',
    sabotage: () => {
      const { answer } = KeptAnswers.prototype
      KeptAnswers.prototype.answer = (_, run) => run()
      return () => {
        KeptAnswers.prototype.answer = answer
      }
    },
  },
  {
    name: 'has no answers in its snapshots',
    firstSeed: 120, // it takes a node that a snapshot has brought, and that leads before a call is asked again
    ...withReplica((replica) => ({ freeze: () => withoutNotes(replica.freeze()) })),
  },
  {
    name: 'trims what no snapshot has (trim too far)',
    engine: withRecords((records) => {
      const { trim } = records
      records.trim = () => trim.call(records, records.last - 1)
    }),
  },
  { name: 'tells its streams before the commit', ...withAppends((sequence, replica) => replica.commit(sequence)) },
  {
    name: 'answers before the commit',
    sabotage: () => {
      const { pass } = WriteGate.prototype
      WriteGate.prototype.pass = (callback) => callback(undefined)
      return () => {
        WriteGate.prototype.pass = pass
      }
    },
  },
  {
    name: 'leads on an acknowledgement that is not its own',
    engine: withLogs((log) => {
      const append = log.append.bind(log)
      log.append = (record, after) =>
        append(record, after).catch((error: unknown) => {
          if (error instanceof LogConflict) return after + 1
          throw error
        })
    }),
  },
]

type Log = ReturnType<MemoryLogEngine>
type Records = ReturnType<MemoryLogEngine['control']['shared']>['records']

function withLogs(change: (log: Log) => void) {
  return (engine: MemoryLogEngine): MemoryLogEngine => {
    const changed = (name: string, node: string) => {
      const log = engine(name, node)
      change(log)
      return log
    }
    return Object.assign(changed, { clock: engine.clock, control: engine.control })
  }
}

function withRecords(change: (records: Records) => void) {
  return (engine: MemoryLogEngine, name: string): MemoryLogEngine => {
    change(engine.control.shared(name).records)
    return engine
  }
}

/** Replaces methods of the replica that the journal gets. */
function withReplica(change: (replica: Replica) => Partial<Replica>): Pick<Mutant, 'open'> {
  return withJournal((journal) => ({
    open: (session: JournalSession) =>
      journal.open({ ...session, replica: overridden(session.replica, change(session.replica)) }),
  }))
}

/** Calls back after every append, with the sequence of its last event. */
function withAppends(after: (sequence: number, replica: Replica) => void): Pick<Mutant, 'open'> {
  return withJournal((journal) => {
    let replica: Replica
    const appended = (first: number, count: number) => {
      if (count > 0) queueMicrotask(() => after(first + count - 1, replica))
      return first
    }
    return {
      open: (session: JournalSession) => {
        replica = session.replica
        return journal.open(session)
      },
      append: (events, note) => appended(journal.append(events, note), events.length),
      appendSet: undefined,
    }
  })
}

function withJournal(
  change: (journal: Journal) => Partial<Record<keyof Journal, unknown>> & Partial<Pick<Journal, 'append'>>,
): Pick<Mutant, 'open'> {
  return {
    open: (options, around) => {
      const journal = options.journal as Journal // the cluster gives one
      return openWithin({ ...options, journal: overridden(journal, change(journal) as Partial<Journal>) }, around)
    },
  }
}

/** The object with other members: its own keep their `this`. */
function overridden<T extends object>(inner: T, members: { [K in keyof T]?: T[K] | undefined }): T {
  return new Proxy(inner, {
    get(target, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof T]
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  })
}

function withoutNotes(source: SnapshotSource): SnapshotSource {
  return overridden(source, { notes: [] })
}
