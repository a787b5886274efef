/** What a cluster requires of the messages between its nodes: part of the cases for logs. */
import assert from 'node:assert/strict'
import { UnservedError } from '../../edges/cluster/log.js'
import type { Case } from './case.js'
import { type LogsOfOneName, opened, text, textOf, until } from './log-nodes.js'

const reversed = async (body: Uint8Array) => body.slice().reverse()

export const wireCases: readonly Case<LogsOfOneName>[] = [
  {
    name: 'a request is answered by whoever serves the address, also in the same node',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        a.wire.serve('one', reversed)
        b.wire.serve('two', async () => new Uint8Array())
        assert.equal(textOf(await b.wire.request('one', text('abc'))), 'cba')
        assert.equal(textOf(await a.wire.request('one', text('abc'))), 'cba')
        assert.equal((await a.wire.request('two', text('abc'))).length, 0)
        const many = await Promise.all(Array.from({ length: 100 }, (_, at) => b.wire.request('one', text(`${at}`))))
        assert.deepEqual(
          many.map(textOf),
          Array.from({ length: 100 }, (_, at) => [...`${at}`].reverse().join('')),
        )
      }),
  },

  {
    name: 'a message of the largest size passes',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        a.wire.serve('one', reversed)
        const body = Uint8Array.from({ length: Math.min(a.bodyBytesMax, 4 * 1024 * 1024) }, (_, at) => at % 251)
        const answer = await b.wire.request('one', body)
        assert.equal(Buffer.compare(answer, body.slice().reverse()), 0)
      }),
  },

  {
    name: 'a handler that rejects rejects the request',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        a.wire.serve('one', async () => Promise.reject(new Error('not now')))
        await assert.rejects(b.wire.request('one', text('')), /not now/)
      }),
  },

  {
    name: 'a request to an address that nobody serves is refused at once, also when its server has stopped or closed',
    run: (logs) =>
      opened(logs, ['a', 'b', 'c'], async ([a, b, c]) => {
        await assert.rejects(a.wire.request('one', text('')), UnservedError)
        const serving = b.wire.serve('one', reversed)
        c.wire.serve('two', reversed)
        await a.wire.request('one', text(''))
        await a.wire.request('two', text(''))
        serving.stop()
        serving.stop()
        await c.close()
        await a.open()
        await b.open()
        await assert.rejects(a.wire.request('one', text('')), UnservedError)
        await assert.rejects(a.wire.request('two', text('')), UnservedError)
      }),
  },

  {
    name: 'another node can serve an address after the first one has stopped',
    run: (logs) =>
      opened(logs, ['a', 'b', 'c'], async ([a, b, c]) => {
        const serving = b.wire.serve('one', async () => text('b'))
        assert.equal(textOf(await a.wire.request('one', text(''))), 'b')
        serving.stop()
        c.wire.serve('one', async () => text('c'))
        await Promise.all([b.open(), c.open()])
        assert.equal(textOf(await a.wire.request('one', text(''))), 'c')
      }),
  },

  {
    name: 'a cast reaches whoever serves the address, and is lost without notice if nobody does',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        const received: string[] = []
        a.wire.serve('one', async (body) => {
          received.push(textOf(body))
          return new Uint8Array()
        })
        await a.open()
        b.wire.cast('nobody', text('lost'))
        b.wire.cast('one', text('1'))
        b.wire.cast('one', text('2'))
        await until(() => received.length >= 2, 'the messages')
        assert.deepEqual(received, ['1', '2'])
      }),
  },

  {
    name: 'an address is any text, and none is a pattern of others',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        a.wire.serve('leader', async () => text('leader'))
        a.wire.serve('leader.1', async () => text('leader.1'))
        a.wire.serve('leader 1', async () => text('leader 1'))
        for (const address of ['leader', 'leader.1', 'leader 1'])
          assert.equal(textOf(await b.wire.request(address, text(''))), address)
        await assert.rejects(b.wire.request('*', text('')), UnservedError)
        await assert.rejects(b.wire.request('>', text('')), UnservedError)
      }),
  },
]
