import test from 'ava'
import { fromWireError, toWireError } from '../../../../src/edges/remote/wire/wire-error.js'
import {
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  JournalWriteError,
  NotLeaderError,
  ValueError,
} from '../../../../src/index.js'

const cause = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', errno: -28, syscall: 'write' })
const damage = { file: 'journal/0.log', offset: 7, sequence: 3, reason: 'a bad checksum', advice: 'Load another.' }

const ERRORS: readonly Error[] = [
  new CacheError('SAVE_FAILED', 'not saved', { cause }),
  new ValueError('no', { cause: new TypeError('deep', { cause: 'deeper' }) }),
  new CacheClosedError('closed'),
  new CacheLockedError('locked'),
  new CorruptionError(damage, { cause }),
  new JournalWriteError('OUTCOME_UNKNOWN', 'unknown', { cause }),
  new NotLeaderError('node 2', { cause }),
  new NotLeaderError(undefined),
  new TypeError('type'),
  new RangeError('range', { cause: { plain: 'object' } }),
  new SyntaxError('syntax'),
  Object.assign(new Error('custom'), { name: 'CustomError', details: { of: [1] } }),
  new Error('undefined cause', { cause: undefined }),
]

for (const error of ERRORS) {
  test(`the same class, code, message and cause: ${error.name} ${error.message}`, (t) => {
    const copy = fromWireError(structuredClone(toWireError(error))) as Error
    t.is(copy.constructor, error.constructor)
    t.true(copy instanceof Error)
    t.deepEqual(copy, error)
    t.is(copy.name, error.name)
    t.is(copy.message, error.message)
    t.is(Object.hasOwn(copy, 'cause'), Object.hasOwn(error, 'cause'))
    t.deepEqual(copy.cause, error.cause)
    t.deepEqual({ ...copy, name: error.name }, { ...error, name: error.name })
  })
}

test('a thrown value that is not an error also arrives; as text if it cannot be cloned', (t) => {
  for (const thrown of ['text', 5, null, undefined, { a: 1 }]) {
    t.deepEqual(fromWireError(structuredClone(toWireError(thrown))), thrown)
  }
  t.is(fromWireError(structuredClone(toWireError(() => 1))), 'a function')
  const odd = Object.assign(new Error('odd'), { run: () => 1, kept: 1 })
  t.deepEqual({ ...(fromWireError(structuredClone(toWireError(odd))) as Error) }, { kept: 1 } as never)
})

test('a circular chain of causes ends', (t) => {
  const error = new Error('a')
  error.cause = error
  t.notThrows(() => structuredClone(toWireError(error)))
})

test('an error that cannot be read arrives as an error, and the sender does not throw', (t) => {
  const odd = [
    Object.defineProperty(new Error('m'), 'message', {
      get() {
        throw new Error('no message')
      },
    }),
    Object.defineProperty(new Error('m'), 'field', {
      enumerable: true,
      get() {
        throw new Error('no field')
      },
    }),
    new Proxy(new Error('m'), {
      get() {
        throw new Error('nothing')
      },
    }),
    Object.assign(new Error('m'), { message: Symbol('s'), name: Symbol('n') }),
  ]
  for (const error of odd) t.true(fromWireError(structuredClone(toWireError(error))) instanceof Error)
})
