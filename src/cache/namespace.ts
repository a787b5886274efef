/**
 * A view of the keys that begin with a prefix. Before: `cache.namespace()`, or that of a client. After: the methods of the same
 * names, with the prefix added to every key, pattern and prefix that goes in, and taken from every key that comes out.
 *
 * It has the methods of the table that take keys, so a method that is added there is added here.
 */
import type { Observable } from 'rxjs'
import { escapePattern } from '../core/decide/glob.js'
import { splitItems } from './actor/messages.js'
import { checkPrefix } from './arguments/key-pattern.js'
import { METHOD_NAMES, METHODS, type Method, type MethodName } from './arguments/methods.js'
import type { ScanOptions, ScanResult } from './door/scans.js'
import { consoleText, INSPECT, type Inspect } from './lifecycle/console-text.js'
import type { LoadManyContext } from './loads/load-options.js'
import { within } from './streams/within.js'

type KeyArgument = 'key' | 'keys' | 'entries' | 'pattern' | 'prefix'

type NamesIn<Row> = Row extends { takes: readonly (infer A)[]; options: readonly (infer O)[] }
  ? A | O
  : Row extends { takes: readonly (infer A)[] }
    ? A
    : never

/** The methods that take keys. */
export type KeyedMethod = {
  [M in MethodName]: Extract<NamesIn<(typeof METHODS)[M]>, KeyArgument> extends never ? never : M
}[MethodName]

/** What a namespace has, of the cache or client that it is a view of. */
export type NamespaceMember =
  | KeyedMethod
  | 'transact'
  | 'size'
  | 'clear'
  | 'watch'
  | 'at'
  | 'history'
  | 'diff'
  | 'changes$'
  | 'expirations$'
  | 'evictions$'
  | 'removals$'

const KEY_ARGUMENTS: readonly string[] = ['key', 'keys', 'entries', 'pattern', 'prefix'] satisfies KeyArgument[]

export const KEYED_METHODS = METHOD_NAMES.filter((name): name is KeyedMethod => {
  const { takes, options = [] }: Method = METHODS[name]
  return [...takes, ...options].some((argument) => KEY_ARGUMENTS.includes(argument))
})

type Events = Observable<{ readonly key?: string | undefined }>

/** A cache or a client: the methods return results or promises of them. */
type Target = Record<KeyedMethod, (...parameters: unknown[]) => unknown> &
  Record<'changes$' | 'expirations$' | 'evictions$' | 'removals$', Events> & {
    watch(pattern: unknown): Events
    history(key: unknown, options: unknown): AsyncIterable<{ key?: string }>
    diff(from: unknown, to: unknown, options: unknown): AsyncIterable<{ key: string }>
  }

export interface NamespaceOptions {
  /** How many entries are stored under a prefix. */
  count(prefix: string): unknown
  transact(steps: unknown, prefix: string): unknown
  /** `at` of the target, for a view whose keys are without the prefix. A target that blocks does not look back. */
  at?(when: unknown, options: unknown, prefix: string): unknown
}

/** Creates the view. The caller casts it to a type that is derived from that of the target. */
export function createNamespace(target: object, prefix: unknown, options: NamespaceOptions): object {
  checkPrefix(prefix)
  const view = new NamespaceView(target as Target, prefix, options)
  if (options.at === undefined)
    for (const name of ['at', 'history', 'diff']) Object.defineProperty(view, name, { value: undefined })
  const iterator = Symbol.iterator in target ? Symbol.iterator : Symbol.asyncIterator
  const value = iterator === Symbol.iterator ? () => view.entries() : () => iterateLater(view)
  return Object.defineProperty(view, iterator, { value })
}

async function* iterateLater(view: NamespaceView): AsyncGenerator {
  yield* (await view.entries()) as Iterable<unknown>
}

export interface NamespaceView extends Record<KeyedMethod, (...parameters: unknown[]) => unknown> {}

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: a loop below defines the methods, and a test looks for each of them
export class NamespaceView {
  readonly #target: Target
  readonly #prefix: string
  readonly #options: NamespaceOptions
  readonly changes$: Events
  readonly expirations$: Events
  readonly evictions$: Events
  readonly removals$: Events

  constructor(target: Target, prefix: string, options: NamespaceOptions) {
    this.#target = target
    this.#prefix = prefix
    this.#options = options
    this.changes$ = within(target.changes$, prefix)
    this.expirations$ = within(target.expirations$, prefix)
    this.evictions$ = within(target.evictions$, prefix)
    this.removals$ = within(target.removals$, prefix)
  }

  static {
    for (const name of KEYED_METHODS) {
      const method = takesKeyFirst(name)
        ? function (this: NamespaceView, key: unknown, ...others: unknown[]) {
            return this.#target[name](keyWithin(key, this.#prefix), ...others)
          }
        : function (this: NamespaceView, ...parameters: unknown[]) {
            const result = this.#target[name](...enter(name, parameters, this.#prefix))
            return result instanceof Promise
              ? result.then((settled) => leave(name, settled, this.#prefix))
              : leave(name, result, this.#prefix)
          }
      Object.defineProperty(method, 'name', { value: name })
      Object.defineProperty(NamespaceView.prototype, name, { value: method, writable: true, configurable: true })
    }
  }

  get size(): unknown {
    return this.#options.count(this.#prefix)
  }

  /** `deleted` events of one turn. The counters stay. */
  clear(): unknown {
    const result = this.#target.deletePrefix(this.#prefix)
    return result instanceof Promise ? result.then(() => undefined) : undefined
  }

  transact(steps: unknown): unknown {
    return this.#options.transact(steps, this.#prefix)
  }

  at(when: unknown, options?: unknown): unknown {
    return this.#options.at?.(when, patternOptionWithin(options, this.#prefix), this.#prefix)
  }

  history(key: unknown, options?: unknown): unknown {
    return withoutPrefix(this.#target.history(keyWithin(key, this.#prefix), options), this.#prefix.length)
  }

  diff(from: unknown, to?: unknown, options?: unknown): unknown {
    const differences = this.#target.diff(from, to, patternOptionWithin(options, this.#prefix))
    return withoutPrefix(differences, this.#prefix.length)
  }

  watch(pattern: unknown): Events {
    return within(this.#target.watch(patternWithin(pattern, this.#prefix)), this.#prefix)
  }

  namespace(prefix: unknown): object {
    checkPrefix(prefix)
    return createNamespace(this.#target, this.#prefix + prefix, this.#options)
  }

  /** What `console.log` prints. */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    return consoleText('Namespace', { prefix: this.#prefix }, depth, options, inspect)
  }
}

/**
 * The arguments of a call in a namespace as those of the target's method. Nothing is checked here: what is not an argument goes
 * in as it is, and the target refuses it.
 */
export function enter(name: KeyedMethod, parameters: readonly unknown[], prefix: string): unknown[] {
  const [first, ...others] = parameters
  if (name === 'scan') return [scanWithin(first, prefix)]
  if (name === 'restore') return [first, patternOptionWithin(others[0], prefix)]
  if ((name === 'keys' || name === 'entries') && first === undefined) return [{ prefix }]
  const { takes, isVariadic }: Method = METHODS[name]
  if (isVariadic === true) return taggedWithin(parameters, prefix)
  const entered = [enterArgument(takes[0] as KeyArgument, first, prefix), ...others] // every other row begins with one
  const loader = parameters[1]
  if (typeof loader !== 'function') return entered
  // It gets the keys without the prefix.
  if (takes[1] === 'loader') entered[1] = (_full: string, ...context: unknown[]) => loader(first, ...context)
  if (takes[1] === 'loadMissing') entered[1] = loadMissingWithin(loader as LoadMissing, prefix)
  return entered
}

type LoadMissing = (keys: string[], context: LoadManyContext) => unknown

function loadMissingWithin(loadMissing: LoadMissing, prefix: string): LoadMissing {
  const { length } = prefix
  const full = (pairs: unknown) =>
    isList(pairs) ? Array.from(pairs, (pair) => entryWithin(pair, (key) => keyWithin(key, prefix))) : pairs
  return (keys, { signal, staleValues }) => {
    const loaded = loadMissing(
      keys.map((key) => key.slice(length)),
      { signal, staleValues: new Map(shortened(staleValues, length)) },
    )
    const isLater = typeof (loaded as PromiseLike<unknown> | undefined)?.then === 'function'
    return isLater ? Promise.resolve(loaded).then(full) : full(loaded)
  }
}

/** The most common methods: the rest of their arguments, and their results, are those of the target. */
function takesKeyFirst(name: KeyedMethod): boolean {
  const { takes }: Method = METHODS[name]
  return takes[0] === 'key' && !takes.includes('loader')
}

function taggedWithin(parameters: readonly unknown[], prefix: string): unknown[] {
  const [tags, options] = splitItems(parameters)
  const { prefix: own }: { prefix?: unknown } = options ?? {}
  return [...tags, { ...options, prefix: keyWithin(own ?? '', prefix) }]
}

function keyWithin(key: unknown, prefix: string): unknown {
  return typeof key === 'string' ? prefix + key : key
}

function enterArgument(name: KeyArgument, argument: unknown, prefix: string): unknown {
  const withPrefix = (key: unknown) => keyWithin(key, prefix)
  switch (name) {
    case 'key':
    case 'prefix':
      return withPrefix(argument)
    case 'keys':
      return isList(argument) ? Array.from(argument, withPrefix) : argument
    case 'entries':
      return isList(argument) ? Array.from(argument, (entry) => entryWithin(entry, withPrefix)) : argument
    case 'pattern':
      return patternWithin(argument, prefix)
  }
}

function entryWithin(entry: unknown, withPrefix: (key: unknown) => unknown): unknown {
  if (!isList(entry)) return entry
  const [key, ...rest] = entry
  return [withPrefix(key), ...rest]
}

function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

function patternWithin(pattern: unknown, prefix: string): unknown {
  if (typeof pattern === 'string') return pattern === '' ? '' : escapePattern(prefix) + pattern // the empty pattern matches nothing
  if (typeof pattern !== 'object' || pattern === null) return pattern
  const own: unknown = (pattern as { prefix?: unknown }).prefix
  return { ...pattern, prefix: typeof own === 'string' ? prefix + own : own }
}

/** Options that have a `pattern`. Without one they mean every key. */
function patternOptionWithin(options: unknown, prefix: string): unknown {
  if (options === undefined) return { pattern: { prefix } }
  if (typeof options !== 'object' || options === null) return options
  const { pattern } = options as { pattern?: unknown }
  return { ...options, pattern: pattern === undefined ? { prefix } : patternWithin(pattern, prefix) }
}

async function* withoutPrefix<T extends { key?: string }>(
  items: AsyncIterable<T>,
  length: number,
): AsyncGenerator<T, void, undefined> {
  for await (const item of items) yield item.key === undefined ? item : { ...item, key: item.key.slice(length) }
}

function scanWithin(options: unknown, prefix: string): unknown {
  if (options === undefined) return { prefix }
  if (typeof options !== 'object' || options === null) return options
  const { cursor, limit, pattern, prefix: own } = options as ScanOptions
  const place = { ...options, cursor, limit }
  if (pattern !== undefined) return { ...place, pattern: patternWithin(pattern, prefix), prefix: own }
  return { ...place, pattern, prefix: enterArgument('prefix', own === undefined ? '' : own, prefix) }
}

/** A result of the target's method as that of the call in a namespace. */
export function leave(name: KeyedMethod, result: unknown, prefix: string): unknown {
  const { length } = prefix
  switch (name) {
    case 'keys':
      return (result as string[]).map((key) => key.slice(length))
    case 'scan': {
      const { keys, cursor } = result as ScanResult
      return { keys: keys.map((key) => key.slice(length)), cursor }
    }
    case 'getOrSetMany':
      return new Map(shortened(result as ReadonlyMap<string, unknown>, length))
    case 'entries':
      return shortened(result as Iterable<[string, unknown]>, length)
    default:
      return result
  }
}

function* shortened(entries: Iterable<[string, unknown]>, length: number): Generator<[string, unknown]> {
  for (const [key, value] of entries) yield [key.slice(length), value]
}
