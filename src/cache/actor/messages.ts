/**
 * Calls as messages: a method's name as the `type`, its arguments and options by name. `{ type: 'set', key, value, ttl }` is
 * `cache.set(key, value, { ttl })`. The actor accepts these messages, an inspector sees them, and the steps of a remote
 * transaction have this form. All of it is derived from the table of methods.
 */
import { listOf, type TagOptions } from '../arguments/arguments.js'
import { METHODS, type Method, type MethodName } from '../arguments/methods.js'
import type { Receiver } from './actor-shapes.js'

/** Something with these methods, such as a `Cache`. `Cache` is not imported here, because it imports this file. */
type Methods<M extends MethodName> = { readonly [N in M]: unknown }

export type ParametersOf<C extends Methods<M>, M extends MethodName> = C[M] extends (...parameters: infer P) => unknown
  ? P
  : []

/** What a method returns, or the type of a property. */
export type ResultOf<C extends Methods<M>, M extends MethodName> = C[M] extends (...parameters: never) => infer R
  ? R
  : C[M]

/** Arguments by name; optional where the method's parameters are. */
type Named<N, P extends readonly unknown[]> = N extends readonly [infer H extends string, ...infer T]
  ? P extends readonly [infer A, ...infer R]
    ? { [K in H]: A } & Named<T, R>
    : P extends readonly [(infer A)?, ...infer R]
      ? { [K in H]?: A | undefined } & Named<T, R>
      : unknown
  : unknown

/** The options of a method, which come after its arguments. */
type OptionsOf<N, P extends readonly unknown[]> = N extends readonly [unknown, ...infer T]
  ? P extends readonly [unknown?, ...infer R]
    ? OptionsOf<T, R>
    : unknown
  : P extends readonly [(infer O)?]
    ? NonNullable<O>
    : unknown

/** The message for a call of one method of `C`. */
export type Message<C extends Methods<M>, M extends MethodName> = { type: M } & ((typeof METHODS)[M] extends {
  isVariadic: true
}
  ? { tags: Iterable<string> } & TagOptions
  : Named<(typeof METHODS)[M]['takes'], ParametersOf<C, M>> &
      OptionsOf<(typeof METHODS)[M]['takes'], ParametersOf<C, M>>)

interface Addressed {
  /** Receives the reply: `{ type: 'reply', ok: true, value }` or `{ type: 'reply', ok: false, error }`. */
  replyTo?: Receiver | undefined
  /** Returned in the reply, to match it with its message. */
  id?: unknown
}

/** A message to the actor of `C`. */
export type MessageTo<C extends Methods<MethodName>> = { [M in MethodName]: Message<C, M> }[MethodName] & Addressed

/** What `replyTo` receives. */
export type CacheReply =
  | { type: 'reply'; ok: true; value: unknown; id?: unknown }
  | { type: 'reply'; ok: false; error: unknown; id?: unknown }

/** The names that a message may have beside its `type`. */
export function namesOf(name: MethodName): readonly string[] {
  const { takes, options = [] }: Method = METHODS[name]
  return [...takes, ...options]
}

/** The arguments of a call, from its message. The inverse of {@link messageOf}. */
export function parametersOf(name: MethodName, message: object): unknown[] {
  const { takes, options, isVariadic }: Method = METHODS[name]
  const named = message as Record<string, unknown>
  const parameters =
    isVariadic === true
      ? listOf(named[takes[0] as string], takes[0] as string) // it takes one
      : takes.map((argument) => named[argument])
  if (options !== undefined) parameters.push(Object.fromEntries(options.map((option) => [option, named[option]])))
  return parameters
}

/** The message for a call; the inverse of {@link parametersOf}. */
export function messageOf(name: MethodName, given: readonly unknown[]): { type: MethodName } {
  const { takes, options, isVariadic }: Method = METHODS[name]
  const message: { type: MethodName } & Record<string, unknown> = { type: name }
  const parameters = isVariadic === true ? splitItems(given) : given
  parameters.forEach((parameter, index) => {
    const argument = takes[index]
    if (argument !== undefined) message[argument] = parameter
    else for (const option of options ?? []) copyOption(message, parameter as object, option)
  })
  return message
}

/** The arguments of a variadic method: the list of its items, and the options if the last argument is an object. */
export function splitItems(parameters: readonly unknown[]): [items: readonly unknown[], options?: object] {
  const last = parameters.at(-1)
  if (typeof last !== 'object' || last === null || Array.isArray(last)) return [parameters]
  return [parameters.slice(0, -1), last]
}

function copyOption(message: Record<string, unknown>, options: object | undefined, option: string): void {
  const value = (options as Record<string, unknown> | null | undefined)?.[option]
  if (value !== undefined) message[option] = value
}
