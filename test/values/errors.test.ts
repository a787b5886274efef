/** What is kept of the errors in a value. */
import vm from 'node:vm'
import test, { type ExecutionContext } from 'ava'
import { openMemory, reopen } from '../helpers/open-memory.js'

class HttpError extends TypeError {
  override readonly name = 'HttpError'
  constructor(
    message: string,
    readonly status: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
  toJSON() {
    return 'not this'
  }
}

/** What comes back at once, and what comes back from the journal and from a snapshot. */
async function eachWay<T>(t: ExecutionContext, value: T, look: (copy: T) => void): Promise<void> {
  const opened = await openMemory<T>(t)
  opened.cache.set('key', value)
  const get = (cache: typeof opened.cache) => look(cache.get('key') as T)
  get(opened.cache)
  const fromJournal = await reopen(t, opened)
  get(fromJournal.cache)
  await fromJournal.cache.compact()
  get((await reopen(t, fromJournal)).cache)
}

test('an error keeps its name, message, stack, cause and properties, and comes back as the native class it extends', (t) => {
  const error = Object.assign(new HttpError('gone', 410, { cause: new RangeError('why') }), {
    code: 'E_GONE',
    extra: [1],
  })
  return eachWay(t, error, (copy) => {
    t.is(Object.getPrototypeOf(copy), TypeError.prototype)
    t.is(copy.name, 'HttpError')
    t.is(copy.message, 'gone')
    t.is(copy.stack, error.stack)
    t.deepEqual(Object.entries(copy), Object.entries(error))
    t.true(copy.cause instanceof RangeError)
    t.is((copy.cause as Error).message, 'why')
    t.false(Object.prototype.propertyIsEnumerable.call(copy, 'cause'))
  })
})

for (const native of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError]) {
  test(`a ${native.name}, and one from another realm, comes back as one`, async (t) => {
    const foreign = vm.runInNewContext(`Object.assign(new ${native.name}('m'), { code: 1 })`) as Error
    for (const error of [new native('m'), foreign]) {
      await eachWay(t, { error }, (copy) => {
        t.is(Object.getPrototypeOf(copy.error), native.prototype)
        t.is(copy.error.name, native.name)
        t.is(copy.error.message, 'm')
        t.false(Object.hasOwn(copy.error, 'name'))
      })
    }
  })
}

test('a class of a program with the name of a native one is none', (t) => {
  class Own extends RangeError {}
  Object.defineProperty(Own, 'name', { value: 'TypeError' })
  return eachWay(t, new Own('m'), (copy) => t.is(Object.getPrototypeOf(copy), RangeError.prototype))
})

test('an AggregateError keeps its errors, each of them whole', (t) => {
  const inner = Object.assign(new SyntaxError('b'), { line: 3 })
  return eachWay(t, new AggregateError([new HttpError('a', 500), inner, 'text'], 'all'), (copy) => {
    t.is(Object.getPrototypeOf(copy), AggregateError.prototype)
    t.is(copy.message, 'all')
    const [first, second, third] = copy.errors
    t.is(first.name, 'HttpError')
    t.is(first.status, 500)
    t.true(second instanceof SyntaxError)
    t.is(second.line, 3)
    t.is(third, 'text')
    t.deepEqual(Object.keys(copy), [])
  })
})

test('errors that occur twice, and errors that are inside themselves, are kept as they are', (t) => {
  const error = new HttpError('a', 1)
  const cycle = new Error('b') as Error & { holder?: unknown }
  cycle.cause = cycle
  cycle.holder = { cycle, error }
  return eachWay(t, { error, again: [error], map: new Map([[error, cycle]]), set: new Set([cycle]) }, (copy) => {
    t.is(copy.error, copy.again[0] as HttpError)
    const [key, found] = [...copy.map][0] as [HttpError, typeof cycle]
    t.is(key, copy.error)
    t.is(key.status, 1)
    t.is(found.cause, found)
    t.deepEqual([...copy.set], [found])
    t.is((found.holder as { cycle: unknown }).cycle, found)
    t.is((found.holder as { error: unknown }).error, copy.error)
  })
})

test('two errors that cause each other are kept', (t) => {
  const first = new Error('first')
  first.cause = new Error('second', { cause: { first } })
  return eachWay(t, first, (copy) => {
    const second = copy.cause as Error
    t.is(second.message, 'second')
    t.is((second.cause as { first: unknown }).first, copy)
  })
})

test('an undefined cause is kept, and an error without one gets none', (t) =>
  eachWay(t, [new Error('a', { cause: undefined }), new Error('b')], ([a, b]) => {
    t.true(Object.hasOwn(a as Error, 'cause'))
    t.false(Object.hasOwn(b as Error, 'cause'))
  }))

test('an error without a message has none', (t) =>
  eachWay(t, Object.assign(new Error(), { code: 1 }), (copy) => {
    t.false(Object.hasOwn(copy, 'message'))
    t.is(copy.code, 1)
  }))

test('a DOMException comes back as an Error with its name, message and code', (t) =>
  eachWay<{ error: DOMException }>(t, { error: new DOMException('late', 'TimeoutError') }, ({ error }) => {
    t.is(Object.getPrototypeOf(error), Error.prototype)
    t.is(error.name, 'TimeoutError')
    t.is(error.message, 'late')
    t.is(error.code, 23)
  }))

test('getters of an error are called once: for a message, a stack, a name and a property', async (t) => {
  const calls: string[] = []
  const error = new Error('m')
  for (const name of ['stack', 'message', 'name', 'extra']) {
    const get = () => {
      calls.push(name)
      return `the ${name}`
    }
    Object.defineProperty(error, name, { get, enumerable: name === 'extra' })
  }
  const { cache } = await openMemory<typeof error>(t)
  cache.set('key', error)
  t.deepEqual(calls.sort(), ['extra', 'message', 'name', 'stack'])
  const copy = cache.get('key') as Error & { extra?: unknown }
  t.deepEqual([copy.stack, copy.message, copy.name, copy.extra], ['the stack', 'the message', 'the name', 'the extra'])
})

test('a stack of a megabyte is kept, and a stack that is no text is left out', async (t) => {
  const huge = new Error('m')
  huge.stack = 'x'.repeat(1_000_000)
  const odd = Object.assign(new Error('n'), { code: 1 })
  Object.defineProperty(odd, 'stack', { value: [() => 1] })
  await eachWay(t, { huge, odd }, (copy) => {
    t.is(copy.huge.stack, huge.stack)
    t.is(copy.odd.stack, undefined)
    t.is(copy.odd.code, 1)
  })
})

test('properties of an error that structured cloning would not look at are left out if they cannot be cloned, with all that is in them', (t) => {
  const part = { n: 1, send: () => 1 }
  const throwing = {
    get a(): never {
      throw new Error('mine')
    },
  }
  const error = Object.assign(new Error('m'), {
    status: 500,
    send: () => 1,
    request: { part, url: new URL('http://a'), inner: new HttpError('x', 1) },
    throwing,
    kept: { n: 2 },
  })
  return eachWay(t, error, (copy) => {
    t.deepEqual(Object.entries(copy), [
      ['status', 500],
      ['kept', { n: 2 }],
    ])
  })
})

test('a part that is left out of an error is still looked at where it is not in an error', async (t) => {
  const part = { n: 1, send: () => 1 }
  const inner = new HttpError('inner', 404)
  const error = Object.assign(new Error('m'), { request: { inner, part } })
  const { cache } = await openMemory(t)
  t.throws(() => cache.set('key', [error, { part }]), { message: /its part \[1\]\['part'\]\['send'\] is a function/ })
  t.throws(() => cache.set('key', [error, new URL('http://a')]), { message: /its part \[1\] is an instance of URL/ })
  await eachWay(t, [error, inner] as const, ([first, second]) => {
    t.deepEqual(Object.keys(first), [])
    t.is(second.status, 404)
  })
})

test('the names of an error that are properties of Object.prototype are properties of its own', (t) => {
  const error = Object.defineProperty(new Error('m'), '__proto__', { value: { polluted: 1 }, enumerable: true })
  return eachWay(t, error, (copy) => {
    t.deepEqual(Object.keys(copy), ['__proto__'])
    t.is(Object.getPrototypeOf(copy), Error.prototype)
  })
})

test('an object that only inherits from Error is an error', (t) => {
  const old = Object.assign(Object.create(HttpError.prototype) as HttpError, { message: 'old', status: 1 })
  return eachWay(t, old, (copy) => {
    t.true(copy instanceof TypeError)
    t.is(copy.message, 'old')
    t.is(copy.status, 1)
  })
})
