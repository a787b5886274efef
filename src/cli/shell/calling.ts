/** Commands that call a method of the cache. The table of methods decides how words become arguments. */
import type { ResultOf } from '../../cache/actor/messages.js'
import { METHODS, type Method, type MethodName } from '../../cache/arguments/methods.js'
import type { Cache } from '../../cache/cache.js'
import { whenThere } from '../journal/any-cache.js'
import { parseDuration } from '../journal/options.js'
import { UsageError } from '../terminal/failures.js'
import type { ShellCommand, ShellContext } from './shell-command.js'

/** How a word is parsed, by the name of the argument or option. Other arguments are text. */
const PARSE: Readonly<Record<string, (word: string) => unknown>> = { by: parseBy, ttl: parseDuration }

type Result<M extends MethodName> = Awaited<ResultOf<Cache, M>>

/** Calls a method with the words, the first option last, and prints the result. */
export function calling<M extends MethodName>(
  name: M,
  print: (result: Result<M>, context: ShellContext) => void = (result, context) => context.print(String(result)),
): ShellCommand['run'] {
  const { takes, options = [], isVariadic }: Method = METHODS[name]
  const [option] = isVariadic === true ? [] : options
  const parse = (argument: string, word: string | undefined) =>
    word === undefined ? undefined : (PARSE[argument] ?? String)(word)
  return (context, words) => {
    const parameters: unknown[] =
      isVariadic === true
        ? [...words]
        : takes.map((argument, index) => (argument === 'keys' ? words.slice(index) : parse(argument, words[index])))
    if (option !== undefined) parameters.push({ [option]: parse(option, words[takes.length]) })
    const method = context.cache[name as 'get'] as (...parameters: unknown[]) => unknown
    const result = method.apply(context.cache, parameters) as Result<M> | Promise<Result<M>>
    return whenThere(result, (settled) => print(settled, context))
  }
}

function parseBy(word: string): number {
  const by = Number(word)
  if (word.trim() === '' || Number.isNaN(by)) throw new UsageError(`BY must be a number; "${word}" is not`)
  return by
}
