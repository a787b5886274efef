/**
 * Every error that daybook raises on its own account, with a stable `code` that programs may compare. The message says
 * what happened, what it means for the data, and what to do.
 */

/** The stable codes of {@link CacheError}. Messages may be reworded; codes stay. */
export type ErrorCode =
  | 'INVALID_VALUE'
  | 'CACHE_CLOSED'
  | 'CACHE_LOCKED'
  | 'CORRUPTION'
  | 'JOURNAL_WRITE_FAILED'
  | 'JOURNAL_READ_ONLY'
  | 'OUTCOME_UNKNOWN'
  | 'JOURNAL_UNREADABLE'
  | 'UNSUPPORTED_VERSION'
  | 'NOT_A_FILE'
  | 'COMPACTION_FAILED'
  | 'SAVE_FAILED'
  | 'LOAD_FAILED'
  | 'INSIDE_TRANSACTION'
  | 'LOAD_TIMEOUT'
  | 'LOAD_CYCLE'
  | 'UNKNOWN_COMMAND'
  | 'WOULD_DEADLOCK'
  | 'CONDITION_FAILED'
  | 'LOADER_GONE'
  | 'SUBSCRIBER_TOO_SLOW'
  | 'INTERNAL'

export interface CacheErrorOptions {
  cause?: unknown
}

/** The base of every error of the cache itself. Wrong arguments are native `TypeError`s and `RangeError`s. */
export class CacheError extends Error {
  override readonly name: string = 'CacheError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options: CacheErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
  }
}

/** A value that the cache cannot hold or cannot count with. Nothing was changed. */
export class ValueError extends CacheError {
  override readonly name = 'ValueError'
  constructor(message: string, options?: CacheErrorOptions) {
    super('INVALID_VALUE', message, options)
  }
}

/** The cache is closed, closing, or could not be opened. */
export class CacheClosedError extends CacheError {
  override readonly name = 'CacheClosedError'
  constructor(message: string, options?: CacheErrorOptions) {
    super('CACHE_CLOSED', message, options)
  }
}

/** Another cache, here or in another process, has the directory open. */
export class CacheLockedError extends CacheError {
  override readonly name = 'CacheLockedError'
  constructor(message: string, options?: CacheErrorOptions) {
    super('CACHE_LOCKED', message, options)
  }
}

/** Where a journal is damaged: the file, the byte offset in it, and the sequence that should stand there. */
export interface Damage {
  file: string
  offset: number
  sequence: number
  reason: string
  /** What it means and what to do, where that differs from what is true of a journal. */
  advice?: string
}

const JOURNAL_ADVICE =
  'No file was changed. Look at it with "daybook verify", restore a backup, or give up what follows with "daybook repair".'

/** The journal holds bytes that no crash can explain. Nothing was changed; `daybook verify` and `daybook repair` help. */
export class CorruptionError extends CacheError {
  override readonly name = 'CorruptionError'
  /** The damaged file. */
  readonly file: string
  /** Bytes from the start of the file to the first damaged frame. */
  readonly offset: number
  /** The sequence that was expected there. */
  readonly sequence: number
  readonly reason: string

  constructor(damage: Damage, options?: CacheErrorOptions) {
    super(
      'CORRUPTION',
      `${damage.file} is damaged at byte ${damage.offset}, where sequence ${damage.sequence} should be: ${damage.reason}. ${damage.advice ?? JOURNAL_ADVICE}`,
      options,
    )
    this.file = damage.file
    this.offset = damage.offset
    this.sequence = damage.sequence
    this.reason = damage.reason
  }
}

/** The journal cannot take this change (or could not make it durable). Reads go on. */
export class JournalWriteError extends CacheError {
  override readonly name = 'JournalWriteError'
  constructor(
    code: 'JOURNAL_WRITE_FAILED' | 'JOURNAL_READ_ONLY' | 'OUTCOME_UNKNOWN',
    message: string,
    options?: CacheErrorOptions,
  ) {
    super(code, message, options)
  }
}

/** What was given, short enough for a message, and never throwing itself. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `'${value.slice(0, 57)}...'` : `'${value}'`
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return String(value)
}
