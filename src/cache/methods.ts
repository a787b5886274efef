/**
 * The methods of a cache, each once. To add a method, write it in `cache.ts` and add a row here. From the rows follow, by
 * type or by loop: the messages that the actor takes and an inspector sees (`messages.ts`), the operations that remote clients
 * send, the methods of those clients and the steps of their `transact` (`edges/`), and the plain commands of the shell.
 *
 * Data only, so that everything may import it. Not here: `watch`, which gives a stream, and `share`, which gives a port.
 */
export interface Method {
  /** Its arguments by name, in order. What a name stands for is the same in every row: a `key` is a key. */
  readonly takes: readonly string[]
  /** The options of the object that comes last, if it takes one. */
  readonly options?: readonly string[]
  /** It may change the cache. */
  readonly changes?: true
  /** It returns a promise, and so cannot be part of a turn. */
  readonly waits?: true
  /** A turn of it may take milliseconds: whoever serves several callers lets the others have their turns after it. */
  readonly mayTakeLong?: true
  /** It may be a step of a remote `transact`. */
  readonly isStep?: true
  /** It is a property that is read, not a method that is called. */
  readonly isGetter?: true
  /** What it gives, unless it is plain data: values of the cache, or how something with a file went. */
  readonly gives?: 'value' | 'values' | 'entries' | 'outcome'
  /** It concerns the object that it is called on: a remote client does it to itself, not to the cache. */
  readonly isLocal?: true
}

// biome-ignore format: a row is a line
export const METHODS = {
  get:           { takes: ['key'], gives: 'value', isStep: true },
  peek:          { takes: ['key'], gives: 'value', isStep: true },
  has:           { takes: ['key'], isStep: true },
  exists:        { takes: ['key'], isStep: true },
  set:           { takes: ['key', 'value'], options: ['ttl', 'expiresAt', 'only'], changes: true, isStep: true },
  delete:        { takes: ['key'], changes: true, isStep: true },
  increment:     { takes: ['key', 'by'], options: ['ttl'], changes: true, isStep: true },
  decrement:     { takes: ['key', 'by'], options: ['ttl'], changes: true, isStep: true },
  ttl:           { takes: ['key'], isStep: true },
  expire:        { takes: ['key', 'ttl'], changes: true, isStep: true },
  persist:       { takes: ['key'], changes: true, isStep: true },
  getMany:       { takes: ['keys'], gives: 'values', mayTakeLong: true, isStep: true },
  setMany:       { takes: ['entries'], options: ['ttl', 'expiresAt', 'only'], changes: true, mayTakeLong: true, isStep: true },
  deleteMany:    { takes: ['keys'], changes: true, mayTakeLong: true, isStep: true },
  keys:          { takes: ['pattern'], mayTakeLong: true, isStep: true },
  deletePattern: { takes: ['pattern'], changes: true, mayTakeLong: true, isStep: true },
  entries:       { takes: ['pattern'], gives: 'entries', mayTakeLong: true, isStep: true },
  clear:         { takes: [], changes: true, mayTakeLong: true, isStep: true },
  size:          { takes: [], isGetter: true, isStep: true },
  stats:         { takes: [], isStep: true },
  cleanup:       { takes: [], changes: true, mayTakeLong: true, isStep: true },
  transact:      { takes: ['fn'], changes: true, mayTakeLong: true },
  getOrSet:      { takes: ['key', 'loader'], options: ['ttl', 'timeout', 'hardTimeout'], gives: 'value', changes: true, waits: true },
  flush:         { takes: [], waits: true },
  compact:       { takes: [], waits: true },
  save:          { takes: ['path'], options: ['format', 'onProgress'], gives: 'outcome', waits: true },
  load:          { takes: ['path'], options: ['format', 'onProgress'], gives: 'outcome', changes: true, waits: true },
  recovery:      { takes: [], isGetter: true },
  close:         { takes: [], waits: true, isLocal: true },
} as const satisfies Readonly<Record<string, Method>>

export type MethodName = keyof typeof METHODS

export const METHOD_NAMES = Object.keys(METHODS) as MethodName[]

/** The methods whose rows say something in particular. */
export type MethodsWith<Said> = { [M in MethodName]: (typeof METHODS)[M] extends Said ? M : never }[MethodName]

/** Every name of an argument or an option. */
export type ArgumentName = {
  [M in MethodName]:
    | (typeof METHODS)[M]['takes'][number]
    | ((typeof METHODS)[M] extends { options: infer O extends readonly string[] } ? O[number] : never)
}[MethodName]
