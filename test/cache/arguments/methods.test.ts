/** The table of methods describes the class correctly: types, messages and remote operations follow from its rows. */
import test from 'ava'
import { type Message, messageOf, parametersOf } from '../../../src/cache/actor/messages.js'
import { METHOD_NAMES, METHODS, type Method, type MethodName } from '../../../src/cache/arguments/methods.js'
import { Cache } from '../../../src/cache/cache.js'
import { openMemory } from '../../helpers/open-memory.js'

type OptionNames<M extends MethodName> = (typeof METHODS)[M] extends { options: infer O extends readonly string[] }
  ? O[number]
  : never
type NamesInRow<M extends MethodName> = 'type' | (typeof METHODS)[M]['takes'][number] | OptionNames<M>
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

test('each row names every argument and every option of its method, and no other', (t) => {
  // The compiler checks it: a missing name makes a `false` where `true` is required.
  const rows = {} as { [M in MethodName]: Same<keyof Message<Cache, M>, NamesInRow<M>> }
  const allTrue: Record<MethodName, true> = rows
  t.truthy(allTrue)
})

test('every method of the cache has a row, except those that return something with methods of its own', (t) => {
  const members = Object.getOwnPropertyNames(Cache.prototype).filter((name) => name !== 'constructor')
  t.deepEqual(
    [...METHOD_NAMES, 'watch', 'share', 'namespace', 'at', 'history', 'diff', 'changesSince'].sort(),
    members.sort(),
  )
})

test('a row says whether its method is a property, and whether it returns a promise', async (t) => {
  const { cache } = await openMemory(t)
  await cache.close() // so that each call is refused, by a throw or by a rejection
  const parameters: Record<string, unknown> = {
    key: 'k',
    value: 1,
    by: 1,
    ttl: 1,
    keys: [],
    entries: [],
    pattern: '*',
    prefix: '',
    path: 'p',
    when: { ago: 1 },
    directory: 'd',
    fn: () => 1,
    loader: () => 1,
  }
  for (const name of METHOD_NAMES) {
    const { takes, isGetter, waits }: Method = METHODS[name]
    const own = Object.getOwnPropertyDescriptor(Cache.prototype, name)
    t.is(own?.get !== undefined, isGetter === true, name)
    if (isGetter === true) continue
    const method = own?.value as (...parameters: unknown[]) => unknown
    let result: unknown
    try {
      result = method.apply(
        cache,
        takes.map((argument) => parameters[argument]),
      )
    } catch {
      // Not a promise.
    }
    t.is(result instanceof Promise, waits === true, name)
    if (result instanceof Promise) await result.catch(() => undefined)
  }
})

test('a call and its message are each made from the other', (t) => {
  for (const name of METHOD_NAMES) {
    const { takes, options = [], isVariadic }: Method = METHODS[name]
    const message = Object.fromEntries([['type', name], ...[...takes, ...options].map((each) => [each, `the ${each}`])])
    if (isVariadic === true) message[takes[0] as string] = ['one', 'two']
    t.deepEqual(messageOf(name, parametersOf(name, message)) as object, message)
  }
  t.deepEqual(messageOf('set', ['k', 1]) as object, { type: 'set', key: 'k', value: 1 })
})

test('a message has only the options of its method: no option replaces its type or an argument', (t) => {
  const options = { ttl: 5, type: 'clear', key: 'other', value: 2, more: 3, only: undefined }
  t.deepEqual(messageOf('set', ['a', 1, options]), { type: 'set', key: 'a', value: 1, ttl: 5 } as never)
  t.deepEqual(messageOf('increment', ['a', 1, options]), { type: 'increment', key: 'a', by: 1, ttl: 5 } as never)
})
