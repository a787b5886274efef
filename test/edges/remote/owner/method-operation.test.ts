/** The owner's operation for a method is derived from its row in the table. */
import test from 'ava'
import type { Method, MethodName } from '../../../../src/cache/arguments/methods.js'
import { answerOf } from '../../../../src/edges/remote/client/answers.js'
import type { Caller } from '../../../../src/edges/remote/owner/caller.js'
import { operationOf } from '../../../../src/edges/remote/owner/method-operation.js'
import { toWire } from '../../../../src/edges/remote/wire/wire-value.js'
import { storeValue } from '../../../../src/values/encode.js'

/** A cache with one method, which returns `result` and records its arguments. */
function called(row: Method, result: unknown, batch: readonly unknown[]): { parameters: unknown[]; answer: unknown } {
  let parameters: unknown[] = []
  const cache = {
    method(...given: unknown[]) {
      parameters = given
      return result
    },
  }
  const [first, ...rest] = batch
  const answer = operationOf('method' as MethodName, row)(
    { cache } as unknown as Caller,
    first,
    [undefined, ...rest],
    0,
  )
  return { parameters, answer: answerOf(answer) }
}

const wire = (value: unknown) => toWire(storeValue(value, 'copy'))

test('arguments reach the method in order, and no more than its row names', (t) => {
  t.deepEqual(called({ takes: [] }, 1, ['of the next request']), { parameters: [], answer: 1 })
  t.deepEqual(called({ takes: ['key'] }, true, ['k', 'next']), { parameters: ['k'], answer: true })
  t.deepEqual(called({ takes: ['key', 'by'] }, 1, ['k', 2, 'next']).parameters, ['k', 2])
})

test('options are reassembled; missing ones are omitted', (t) => {
  const row = { takes: ['key'], options: ['ttl', 'onProgress', 'only'] }
  t.deepEqual(called(row, 1, ['k', 5, 'absent', 'next']).parameters, ['k', { ttl: 5, only: 'absent' }])
  t.deepEqual(called(row, 1, ['k', undefined, undefined, 'next']).parameters, ['k'])
})

test('values are decoded for the method, and its result is encoded', (t) => {
  const value = { at: new Date(5), bytes: Buffer.from('b') }
  t.deepEqual(called({ takes: ['key', 'value'], gives: 'value' }, value, ['k', wire(value)]), {
    parameters: ['k', value],
    answer: value,
  })
  t.deepEqual(
    called(
      { takes: ['entries'], gives: 'values' },
      [value, undefined],
      [['a', wire(value), undefined, 'b', 2, { ttl: 5 }]],
    ),
    {
      parameters: [
        [
          ['a', value],
          ['b', 2, { ttl: 5 }],
        ],
      ],
      answer: [value, undefined],
    },
  )
  const { answer } = called({ takes: [], gives: 'entries' }, new Map([['a', value]]), [])
  t.deepEqual([...(answer as Iterable<unknown>)], [['a', value]])
})

test('plain data is sent unchanged, and a promise is awaited', async (t) => {
  t.deepEqual(called({ takes: [] }, { keys: ['a'], cursor: undefined }, []).answer, { keys: ['a'], cursor: undefined })
  const cache = { method: async () => ({ ok: false, error: new RangeError('no') }) }
  const row: Method = { takes: [], gives: 'outcome', waits: true }
  const answer = answerOf(
    await operationOf('method' as MethodName, row)({ cache } as unknown as Caller, undefined, [], 0),
  )
  t.deepEqual(answer, { ok: false, error: new RangeError('no') })
})
