/**
 * Calls as messages: a method's name as the `type`, its arguments and options by name. `{ type: 'set', key, value, ttl }` is
 * `cache.set(key, value, { ttl })`. This is what the actor takes, what an inspector sees and what a step of a remote
 * transaction is; all of it follows from the table of methods.
 */
import type { AnyActorRef } from 'xstate'
import { METHODS, type Method, type MethodName } from './methods.js'

/** Whatever has these methods: a `Cache`. Not named here, so that it may name what its actor takes. */
type Methods<M extends MethodName> = { readonly [N in M]: unknown }

export type ParametersOf<C extends Methods<M>, M extends MethodName> = C[M] extends (...parameters: infer P) => unknown
  ? P
  : []

/** What a method returns, or a property holds. */
export type ResultOf<C extends Methods<M>, M extends MethodName> = C[M] extends (...parameters: never) => infer R
  ? R
  : C[M]

/** Arguments by their names; optional where the method's own are. */
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

/** The message that stands for a call of one method of `C`. */
export type Message<C extends Methods<M>, M extends MethodName> = { type: M } & Named<
  (typeof METHODS)[M]['takes'],
  ParametersOf<C, M>
> &
  OptionsOf<(typeof METHODS)[M]['takes'], ParametersOf<C, M>>

interface Addressed {
  /** Who gets the answer: `{ type: 'reply', ok: true, value }` or `{ type: 'reply', ok: false, error }`. */
  replyTo?: Pick<AnyActorRef, 'send'> | undefined
  /** Comes back in the reply, if given: tells the answers to several messages apart. */
  id?: unknown
}

/** What the actor of `C` takes. */
export type MessageTo<C extends Methods<MethodName>> = { [M in MethodName]: Message<C, M> }[MethodName] & Addressed

/** What `replyTo` gets. */
export type CacheReply =
  | { type: 'reply'; ok: true; value: unknown; id?: unknown }
  | { type: 'reply'; ok: false; error: unknown; id?: unknown }

/** The arguments of a call, from its message. */
export function parametersOf(name: MethodName, message: object): unknown[] {
  const { takes, options }: Method = METHODS[name]
  const given = message as Record<string, unknown>
  const parameters = takes.map((argument) => given[argument])
  if (options !== undefined) parameters.push(Object.fromEntries(options.map((option) => [option, given[option]])))
  return parameters
}

/** The message that a call stands for; the inverse of {@link parametersOf}. */
export function messageOf(name: MethodName, parameters: readonly unknown[]): { type: MethodName } {
  const { takes }: Method = METHODS[name]
  const message: { type: MethodName } & Record<string, unknown> = { type: name }
  parameters.forEach((parameter, index) => {
    const argument = takes[index]
    if (argument !== undefined) message[argument] = parameter
    else Object.assign(message, parameter)
  })
  return message
}
