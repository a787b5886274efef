/** Commands that are methods of the cache: how words become a method's arguments follows from the table of methods. */
import type { Cache } from '../../cache/cache.js'
import type { ResultOf } from '../../cache/messages.js'
import { METHODS, type Method, type MethodName } from '../../cache/methods.js'
import { UsageError } from '../failures.js'
import { parseDuration } from '../options.js'
import type { ShellCommand, ShellContext } from './shell-command.js'

/** What a word stands for, by the name of the argument or option; any other is text. */
const PARSE: Readonly<Record<string, (word: string) => unknown>> = { by: parseBy, ttl: parseDuration }

type Answer<M extends MethodName> = Awaited<ResultOf<Cache, M>>

/** Calls a method with the words, the first option last, and prints what it gives. */
export function calling<M extends MethodName>(
  name: M,
  print: (answer: Answer<M>, context: ShellContext) => void = (answer, context) => context.print(String(answer)),
): ShellCommand['run'] {
  const { takes, options = [] }: Method = METHODS[name]
  const [option] = options
  const parse = (argument: string, word: string | undefined) =>
    word === undefined ? undefined : (PARSE[argument] ?? String)(word)
  return (context, words) => {
    const parameters = takes.map((argument, index) =>
      argument === 'keys' ? words.slice(index) : parse(argument, words[index]),
    )
    if (option !== undefined) parameters.push({ [option]: parse(option, words[takes.length]) })
    const method = context.cache[name] as (...parameters: unknown[]) => unknown
    const result = method.apply(context.cache, parameters)
    return result instanceof Promise
      ? result.then((answer) => print(answer as Answer<M>, context))
      : print(result as Answer<M>, context)
  }
}

function parseBy(word: string): number {
  const by = Number(word)
  if (word.trim() === '' || Number.isNaN(by)) throw new UsageError(`BY must be a number; "${word}" is not`)
  return by
}
