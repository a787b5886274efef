/**
 * The table of a cache's methods. To add a method, write it in `cache.ts` and add a row here. Derived from the rows, by type
 * or by loop: the actor's messages, which an inspector also sees (`actor/messages.ts`); the operations and methods of remote
 * clients, and the steps of their `transact` (`edges/`); and the simple commands of the shell.
 *
 * It holds only data, so that anything may import it. Each row is a call with one reply, which a message can carry. So methods that
 * return an object with methods of its own have no row: `watch`, `share`, `namespace`, `at` (a view), and `history`, `diff` and
 * `changesSince` (iterators, read at the consumer's pace).
 */
export interface Method {
  /** The names of its arguments, in order. A name means the same in every row, except `stale`: how long in `set`, whether in `get`. */
  readonly takes: readonly string[]
  /** Whether its argument is a list whose items a caller passes one by one. */
  readonly isVariadic?: true
  /** The names of its options, if its last argument is an object of options. */
  readonly options?: readonly string[]
  /** Whether it may change the cache. */
  readonly changes?: true
  /** Whether it returns a promise, so that it cannot be part of a turn. */
  readonly waits?: true
  /** Whether its turn may take milliseconds. The owner then serves other clients before this client's next request. */
  readonly mayTakeLong?: true
  /** Whether it may be a step of a remote `transact`. */
  readonly isStep?: true
  /** Whether it is a property, not a method. */
  readonly isGetter?: true
  /** The kind of result, unless it is plain data: cached values, or the result of a save or load. */
  readonly gives?: 'value' | 'values' | 'entry' | 'entries' | 'outcome'
  /** Whether a remote client applies it to itself, not to the cache. */
  readonly isLocal?: true
}

const LOAD_OPTIONS = ['ttl', 'stale', 'tags', 'jitter', 'refresh', 'timeout', 'hardTimeout'] as const

// biome-ignore format: a row is a line
export const METHODS = {
  get:           { takes: ['key'], options: ['stale'], gives: 'value', isStep: true },
  peek:          { takes: ['key'], gives: 'value', isStep: true },
  entry:         { takes: ['key'], gives: 'entry', isStep: true },
  has:           { takes: ['key'], isStep: true },
  exists:        { takes: ['key'], isStep: true },
  set:           { takes: ['key', 'value'], options: ['ttl', 'expiresAt', 'only', 'tags', 'stale'], changes: true, isStep: true },
  delete:        { takes: ['key'], changes: true, isStep: true },
  take:          { takes: ['key'], gives: 'value', changes: true, isStep: true },
  touch:         { takes: ['key', 'ttl'], changes: true, isStep: true },
  increment:     { takes: ['key', 'by'], options: ['ttl'], changes: true, isStep: true },
  decrement:     { takes: ['key', 'by'], options: ['ttl'], changes: true, isStep: true },
  ttl:           { takes: ['key'], isStep: true },
  expire:        { takes: ['key', 'ttl'], changes: true, isStep: true },
  persist:       { takes: ['key'], changes: true, isStep: true },
  hasMany:       { takes: ['keys'], mayTakeLong: true, isStep: true },
  getMany:       { takes: ['keys'], gives: 'values', mayTakeLong: true, isStep: true },
  setMany:       { takes: ['entries'], options: ['ttl', 'expiresAt', 'only', 'tags', 'stale'], changes: true, mayTakeLong: true, isStep: true },
  deleteMany:    { takes: ['keys'], changes: true, mayTakeLong: true, isStep: true },
  keys:          { takes: ['pattern'], mayTakeLong: true, isStep: true },
  deletePattern: { takes: ['pattern'], changes: true, mayTakeLong: true, isStep: true },
  deleteTag:     { takes: ['tags'], isVariadic: true, options: ['prefix'], changes: true, mayTakeLong: true, isStep: true },
  expireTag:     { takes: ['tags'], isVariadic: true, options: ['prefix'], changes: true, mayTakeLong: true, isStep: true },
  scan:          { takes: [], options: ['cursor', 'limit', 'pattern', 'prefix'], mayTakeLong: true, isStep: true },
  deletePrefix:  { takes: ['prefix'], changes: true, mayTakeLong: true, isStep: true },
  entries:       { takes: ['pattern'], gives: 'entries', mayTakeLong: true, isStep: true },
  clear:         { takes: [], changes: true, mayTakeLong: true, isStep: true },
  size:          { takes: [], isGetter: true, isStep: true },
  stats:         { takes: [], isStep: true },
  resize:        { takes: [], options: ['maxSize', 'maxBytes'], changes: true, mayTakeLong: true, isStep: true },
  cleanup:       { takes: [], changes: true, mayTakeLong: true, isStep: true },
  transact:      { takes: ['fn'], changes: true, mayTakeLong: true },
  getOrSet:      { takes: ['key', 'loader'], options: LOAD_OPTIONS, gives: 'value', changes: true, waits: true },
  getOrSetMany:  { takes: ['keys', 'loadMissing'], options: LOAD_OPTIONS, gives: 'values', changes: true, waits: true, mayTakeLong: true },
  flush:         { takes: [], waits: true },
  compact:       { takes: [], waits: true },
  save:          { takes: ['path'], options: ['format', 'onProgress'], gives: 'outcome', waits: true },
  load:          { takes: ['path'], options: ['format', 'onProgress'], gives: 'outcome', changes: true, waits: true },
  restore:       { takes: ['when'], options: ['pattern', 'dryRun'], changes: true, waits: true },
  fork:          { takes: ['directory', 'when'], waits: true },
  recovery:      { takes: [], isGetter: true },
  close:         { takes: [], options: ['force'], waits: true, isLocal: true },
} as const satisfies Readonly<Record<string, Method>>

export type MethodName = keyof typeof METHODS

export const METHOD_NAMES = Object.keys(METHODS) as MethodName[]

/** The methods whose rows extend `Row`. */
export type MethodsWith<Row> = { [M in MethodName]: (typeof METHODS)[M] extends Row ? M : never }[MethodName]

/** Every name of an argument or an option. */
export type ArgumentName = {
  [M in MethodName]:
    | (typeof METHODS)[M]['takes'][number]
    | ((typeof METHODS)[M] extends { options: infer O extends readonly string[] } ? O[number] : never)
}[MethodName]
