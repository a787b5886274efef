/**
 * The options of `getOrSet` and `getOrSetMany` of a client. A `ttl` that is a function stays here: the client evaluates it for what
 * its loader returns and, with `refresh`, for what the owner finds. Before: remote-loads, or the synchronous client. After:
 * encode-call.
 */
import { checkOptions } from '../../../cache/arguments/arguments.js'
import { METHODS } from '../../../cache/arguments/methods.js'
import { type LoadOptions, type TtlOf, ttlMsOf } from '../../../cache/loads/load-options.js'
import { isDue } from '../../../cache/loads/refresh.js'
import { BY_VALUE } from '../wire/codes.js'
import { Dated } from './answers.js'
import { encodeCall } from './encode-call.js'

export interface EncodedLoad {
  parameters: unknown[]
  ttlOf: TtlOf | undefined
  /** Returns the arguments of `reload` for those of the answers that are due, if there are any. */
  due(answers: Iterable<readonly [key: string, answer: unknown]>): unknown[] | undefined
}

const { takes, options: OPTIONS } = METHODS.getOrSet
const TTL_AT = takes.length + OPTIONS.indexOf('ttl')

export function encodeLoad(
  name: 'getOrSet' | 'getOrSetMany',
  first: unknown,
  loader: unknown,
  options: LoadOptions<never> = {},
): EncodedLoad {
  const given = checkOptions(options as Record<string, unknown>, OPTIONS)
  const read = Object.fromEntries(OPTIONS.map((option) => [option, given[option]])) // each once
  if (typeof read['ttl'] !== 'function')
    return { parameters: encodeCall(name, [first, loader, read]), ttlOf: undefined, due: () => undefined }
  const ttlOf = read['ttl'] as TtlOf
  const parameters = encodeCall(name, [first, loader, { ...read, ttl: undefined }])
  const others = parameters.slice(takes.length)
  parameters[TTL_AT] = BY_VALUE // the owner sends the times of what it finds
  return {
    parameters,
    ttlOf,
    due(answers) {
      const due = [...answers].filter(
        ([, answer]) => answer instanceof Dated && isDueBy(answer, ttlOf, read['refresh']),
      )
      if (due.length === 0) return undefined
      return [due.map(([key]) => key), undefined, due.map(([, answer]) => (answer as Dated).untilMs), ...others]
    },
  }
}

/** If the function fails, so does the reload, and the owner emits the error. */
function isDueBy({ value, leftMs, defaultTtlMs }: Dated, ttlOf: TtlOf, refresh: unknown): boolean {
  try {
    return isDue(leftMs, ttlMsOf(value, ttlOf) ?? defaultTtlMs, refresh as number)
  } catch {
    return true
  }
}
