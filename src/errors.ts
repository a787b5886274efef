/**
 * Every error that daybook raises itself, as a table: what happened, what it means for the data, and what to do. A call
 * site says what happened in its case (which key, which file, why); the table adds the rest, unless the call site is more
 * specific. `docs/errors.md` is generated from it (`npm run docs`).
 */

type ErrorClassName =
  | 'CacheError'
  | 'ValueError'
  | 'CacheClosedError'
  | 'CacheLockedError'
  | 'CorruptionError'
  | 'JournalWriteError'
  | 'NotLeaderError'

interface ErrorRow {
  classes: readonly ErrorClassName[]
  /** What happened, in general. An error's own message says it for the case at hand. */
  message: string
  /** What it means for the data. */
  consequence: string
  advice: string
}

/** Sentences may be reworded; codes stay. */
export const ERRORS = {
  INVALID_VALUE: {
    classes: ['ValueError'],
    message: 'A value cannot be stored, read, incremented, saved or loaded.',
    consequence: 'Nothing was changed.',
    advice: 'Store what structuredClone() accepts, and null for "nothing".',
  },
  CACHE_CLOSED: {
    classes: ['CacheClosedError'],
    message: 'The cache is closed, closing or not open yet.',
    consequence: 'Nothing was changed.',
    advice: 'Open the cache again, then repeat the call.',
  },
  CACHE_LOCKED: {
    classes: ['CacheLockedError'],
    message: 'Another cache, in this process or another one, has the directory open.',
    consequence: 'Nothing was changed.',
    advice: 'Close that cache first, or use another directory.',
  },
  LOCK_UNAVAILABLE: {
    classes: ['CacheError'],
    message:
      'The directory cannot be locked: the native addon has no build for this system, or the file system has no locks.',
    consequence: 'No file of a journal was read or changed.',
    advice:
      'Leave fs-native-extensions out of a bundle and install it beside the bundle. Where it has no build, and only if nothing else opens this directory meanwhile, use the option lock: false.',
  },
  CORRUPTION: {
    classes: ['CorruptionError'],
    message: "A file, or a record or an object of a cluster's log, is damaged in a way that no crash can explain.",
    consequence: 'No file was changed.',
    advice:
      'Run "daybook verify" on the directory. Then restore a backup, run "daybook repair" to see what a repair would lose, or open the cache with onCorruption: "salvage".',
  },
  JOURNAL_WRITE_FAILED: {
    classes: ['JournalWriteError'],
    message: 'The journal cannot be written, for example because the disk is full.',
    consequence: 'Nothing was changed, and reads still work.',
    advice: 'The write is retried every second: free some space, then try again.',
  },
  JOURNAL_READ_ONLY: {
    classes: ['JournalWriteError'],
    message: 'The journal could not be forced to disk, so the cache has become read-only.',
    consequence: 'Nothing was changed, and reads still work.',
    advice: 'Close the cache and open it again to recover.',
  },
  OUTCOME_UNKNOWN: {
    classes: ['JournalWriteError', 'CacheError'],
    message: 'A change was written but could not be forced to disk, or its answer was lost.',
    consequence: 'What was not yet durable may or may not survive a power cut.',
    advice: 'Close the cache and open it again to see what was kept.',
  },
  JOURNAL_UNREADABLE: {
    classes: ['CacheError'],
    message: 'The directory cannot be opened as a journal, its past cannot be read, or the log of a cluster has a gap.',
    consequence: 'No file was changed.',
    advice: 'Check that it is a directory that this process may read and write.',
  },
  UNSUPPORTED_VERSION: {
    classes: ['CacheError'],
    message: 'A file, or the other end of a connection, has a version that this daybook does not support.',
    consequence: 'Nothing was changed.',
    advice: 'Use the newest daybook in all threads, processes and nodes.',
  },
  NOT_A_FILE: {
    classes: ['CacheError'],
    message: 'A symbolic link, a directory or a FIFO is where a file of the journal should be.',
    consequence: 'No file was changed.',
    advice: 'Move it away, or use another directory.',
  },
  COMPACTION_FAILED: {
    classes: ['CacheError'],
    message: 'A snapshot could not be written.',
    consequence: 'The journal is kept as it was, and the cache keeps running.',
    advice: 'Free some space, or call compact() again.',
  },
  SAVE_FAILED: {
    classes: ['CacheError'],
    message: 'A file could not be saved.',
    consequence: 'The cache is unchanged, and so is a file that was already there.',
    advice: 'Check the path, the permissions and the free space.',
  },
  LOAD_FAILED: {
    classes: ['CacheError'],
    message: 'A file could not be loaded.',
    consequence: 'The cache is unchanged.',
    advice: 'Check the path and the permissions.',
  },
  INSIDE_TRANSACTION: {
    classes: ['CacheError'],
    message: 'A method that returns a promise was called inside transact().',
    consequence: 'The call changed nothing.',
    advice: 'Call it before or after the transaction.',
  },
  LOAD_TIMEOUT: {
    classes: ['CacheError'],
    message:
      'A loader of getOrSet() took longer than `timeout`, or than `hardTimeout`, which ends the load instead; and there is no stale value.',
    consequence: 'The load continues, and its value will be stored.',
    advice: 'Call getOrSet() again to wait for it.',
  },
  LOAD_CYCLE: {
    classes: ['CacheError'],
    message: 'Loaders of getOrSet() would wait for each other forever.',
    consequence: 'Nothing was stored.',
    advice: 'Load what both of them need first.',
  },
  UNKNOWN_COMMAND: {
    classes: ['CacheError'],
    message: 'A message to the actor, or a step of a transaction, has an unknown type.',
    consequence: 'Nothing was changed.',
    advice: 'Use one of the types that the message lists.',
  },
  WOULD_DEADLOCK: {
    classes: ['CacheError'],
    message: 'The thread that owns the cache called connectSync(), and would wait for itself.',
    consequence: 'Nothing was changed.',
    advice: 'Use the cache itself there, or connect(); connectSync() is for other threads.',
  },
  CONDITION_FAILED: {
    classes: ['CacheError'],
    message: 'A condition that a transaction requires does not hold.',
    consequence: 'No step of the transaction has taken effect.',
    advice: 'Read the entry and try again.',
  },
  LOADER_GONE: {
    classes: ['CacheError'],
    message: 'The client that was loading a key is gone.',
    consequence: 'Nothing was stored.',
    advice: 'Call getOrSet() again to load it elsewhere.',
  },
  OWNER_UNAVAILABLE: {
    classes: ['CacheError'],
    message: 'No process that owns the cache, or no leader of the cluster, could be reached in time.',
    consequence: 'Nothing was changed.',
    advice: 'Start a process that may own the cache, or raise reconnectTimeout.',
  },
  NOT_LEADER: {
    classes: ['NotLeaderError'],
    message: 'Another node of the cluster writes the log, and this one follows.',
    consequence: 'Nothing was changed, and reads still work.',
    advice: 'Use the cache that openCluster() returns: it asks the leader.',
  },
  OPTIONS_DIFFER: {
    classes: ['CacheError'],
    message: 'The options of a process or node are not those of the cache that it shares, or it is another cache.',
    consequence: 'Those of the cache apply, so that nothing was evicted or forgotten.',
    advice: 'Pass the same options everywhere, and change limits with resize().',
  },
  OWNER_STALLED: {
    classes: ['CacheError'],
    message:
      'The process that owns the cache has not answered for seconds: it is stopped, or busy with something else.',
    consequence: 'Calls wait; nothing is lost.',
    advice: 'Let a process that does nothing else own the cache: "daybook serve".',
  },
  SUBSCRIBER_TOO_SLOW: {
    classes: ['CacheError'],
    message: 'A subscriber elsewhere fell too far behind the cache.',
    consequence: 'Its subscription has ended; every event before that was delivered.',
    advice: 'Read what you need, then subscribe again; do less in the subscriber, or watch() fewer keys.',
  },
  HISTORY_GONE: {
    classes: ['CacheError'],
    message: 'The journal does not reach back that far, or is kept nowhere that could be read again.',
    consequence: 'Nothing was changed.',
    advice: 'Ask for a later time. The option history of openCache() makes compaction keep more of the past.',
  },
  SEQUENCE_AHEAD: {
    classes: ['CacheError'],
    message: 'A sequence that was given to changesSince() has not been reached by the journal.',
    consequence: 'No change was given.',
    advice: 'The journal was replaced or has lost its end: build what follows its changes anew from the entries.',
  },
  FORK_FAILED: {
    classes: ['CacheError'],
    message: 'A fork could not be written.',
    consequence: 'The cache is unchanged.',
    advice: 'Name a directory without a journal, and check the permissions and the free space.',
  },
  ENGINE_UNAVAILABLE: {
    classes: ['CacheError'],
    message: 'The servers that keep the log of a cluster cannot be reached, or do not let this node in.',
    consequence: 'Nothing was changed.',
    advice: 'Check the addresses, and that the servers run.',
  },
  ENGINE_REFUSED: {
    classes: ['CacheError'],
    message: 'The servers that keep the log of a cluster are too old or configured otherwise, or refuse.',
    consequence: 'Nothing was changed.',
    advice: 'Change the configuration of the servers, or the options of the engine.',
  },
  INTERNAL: {
    classes: ['CacheError'],
    message: 'An invariant inside daybook was violated.',
    consequence: 'The call may or may not have taken effect.',
    advice: 'Open the cache again, and report this as a bug.',
  },
} as const satisfies Record<string, ErrorRow>

/** The stable codes of {@link CacheError}, for programs to compare. */
export type ErrorCode = keyof typeof ERRORS

export interface CacheErrorOptions {
  cause?: unknown
  /** Whole sentences, in place of those in the table. */
  consequence?: string
  advice?: string
}

/** `what` as a sentence, then consequence and advice. */
function compose(code: ErrorCode, what: string, options: CacheErrorOptions): string {
  const { consequence = ERRORS[code].consequence, advice = ERRORS[code].advice } = options
  return `${what}. ${consequence} ${advice}`
}

/** The base of every error of the cache itself. Wrong arguments are native `TypeError`s and `RangeError`s. */
export class CacheError extends Error {
  override readonly name: string = 'CacheError'
  readonly code: ErrorCode

  /** @param what What happened, without a full stop. */
  constructor(code: ErrorCode, what: string, options: CacheErrorOptions = {}) {
    super(compose(code, what, options), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
  }
}

/** A value that cannot be stored, incremented, saved or loaded. */
export class ValueError extends CacheError {
  override readonly name = 'ValueError'
  constructor(what: string, options?: CacheErrorOptions) {
    super('INVALID_VALUE', what, options)
  }
}

/** The cache is closed, closing or not open yet. */
export class CacheClosedError extends CacheError {
  override readonly name = 'CacheClosedError'
  constructor(what: string, options?: CacheErrorOptions) {
    super('CACHE_CLOSED', what, options)
  }
}

/** Another cache, in this process or another one, has the directory open. */
export class CacheLockedError extends CacheError {
  override readonly name = 'CacheLockedError'
  constructor(what: string, options?: CacheErrorOptions) {
    super('CACHE_LOCKED', what, options)
  }
}

/** Where a journal is damaged: the file, the byte offset in it, and the sequence number expected there. */
export interface Damage {
  file: string
  offset: number
  sequence: number
  reason: string
}

/**
 * A file is damaged in a way that no crash can explain. No file was changed; see `daybook verify` and `daybook repair`. In a cluster: a record
 * or an object of its log.
 */
export class CorruptionError extends CacheError {
  override readonly name = 'CorruptionError'
  /** The damaged file; in a cluster `record 12 of the log`, or the name of the object. */
  readonly file: string
  /** Bytes from the start of the file to the first damaged frame. */
  readonly offset: number
  /** The sequence number expected there; 0 if none is. */
  readonly sequence: number
  readonly reason: string

  constructor(damage: Damage, options?: CacheErrorOptions) {
    const { file, offset, sequence, reason } = damage
    const place = sequence === 0 ? '' : `, where sequence ${sequence} should be`
    super('CORRUPTION', `${file} is damaged at byte ${offset}${place}: ${reason}`, options)
    this.file = file
    this.offset = offset
    this.sequence = sequence
    this.reason = reason
  }
}

/** The journal cannot record a change, or could not make one durable. Reads still work. */
export class JournalWriteError extends CacheError {
  override readonly name = 'JournalWriteError'
  constructor(
    code: 'JOURNAL_WRITE_FAILED' | 'JOURNAL_READ_ONLY' | 'OUTCOME_UNKNOWN',
    what: string,
    options?: CacheErrorOptions,
  ) {
    super(code, what, options)
  }
}

/** Another node of the cluster writes the log. Reads of this node's copy still work. */
export class NotLeaderError extends CacheError {
  override readonly name = 'NotLeaderError'
  /** The node that leads, if it is known. */
  readonly leader: string | undefined

  constructor(leader: string | undefined, options?: CacheErrorOptions) {
    const what =
      leader === undefined ? 'No node of the cluster is known to lead it' : `Node '${leader}' leads the cluster`
    super('NOT_LEADER', what, options)
    this.leader = leader
  }
}

/** Why an argument is refused, for a TypeError or RangeError: "ttl must be a number; 'x' is not. Nothing was changed." */
export function mustBe(name: string, expected: string, value: unknown): string {
  return `${name} must be ${expected}; ${describe(value)} is not. Nothing was changed.`
}

/** What an error says, to continue a sentence with: without a full stop. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/\.$/, '') : describe(error)
}

/** Larger bigints take long to write in decimal, and say nothing to a reader. */
const LONG = 2n ** 200n

/** Any value, short enough for a message. Never throws. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 57)}...'` : `'${value}'`
  if (typeof value === 'bigint') return value > LONG || value < -LONG ? 'a long bigint' : `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
