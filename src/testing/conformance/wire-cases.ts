/** What a cluster requires of the messages between its nodes: part of the cases for logs. */
import assert from 'node:assert/strict'
import { type Log, UnservedError } from '../../edges/cluster/log.js'
import type { Case } from './case.js'
import { type LogsOfOneName, opened, pause, text, textOf, until } from './log-nodes.js'

/** The answer, once the address is known to be served. */
async function answerOf(from: Log, address: string, body = text('')): Promise<Uint8Array> {
  for (let tries = 0; ; tries++) {
    try {
      return await from.wire.request(address, body)
    } catch (error) {
      if (!(error instanceof UnservedError) || tries === TRIES_MAX) throw error
      await pause()
    }
  }
}

/** Resolves once it is known that nobody serves the address; rejects if that does not become known. */
async function becomesUnserved(from: Log, address: string): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const error: unknown = await from.wire.request(address, text('')).then(pause, (one: unknown) => one)
    if (error instanceof UnservedError) return
  }
  assert.fail(`${address} is still served`)
}

const TRIES_MAX = 500

const reversed = async (body: Uint8Array) => body.slice().reverse()

export const wireCases: readonly Case<LogsOfOneName>[] = [
  {
    name: 'a request is answered by whoever serves the address, also in the same node',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        a.wire.serve('one', reversed)
        b.wire.serve('two', async () => new Uint8Array())
        assert.equal(textOf(await answerOf(b, 'one', text('abc'))), 'cba')
        assert.equal(textOf(await answerOf(a, 'one', text('abc'))), 'cba')
        assert.equal((await answerOf(a, 'two', text('abc'))).length, 0)
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
        const answer = await answerOf(b, 'one', body)
        assert.equal(Buffer.compare(answer, body.slice().reverse()), 0)
      }),
  },

  {
    name: 'a handler that rejects rejects the request',
    run: (logs) =>
      opened(logs, ['a', 'b'], async ([a, b]) => {
        a.wire.serve('one', async () => Promise.reject(new Error('not now')))
        await assert.rejects(answerOf(b, 'one'), /not now/)
      }),
  },

  {
    name: 'a request to an address that nobody serves is refused as such, also when its server has stopped or closed',
    run: (logs) =>
      opened(logs, ['a', 'b', 'c'], async ([a, b, c]) => {
        await assert.rejects(a.wire.request('one', text('')), UnservedError)
        const serving = b.wire.serve('one', reversed)
        c.wire.serve('two', reversed)
        await answerOf(a, 'one')
        await answerOf(a, 'two')
        serving.stop()
        serving.stop()
        await c.close()
        await becomesUnserved(a, 'one')
        await becomesUnserved(a, 'two')
      }),
  },

  {
    name: 'another node can serve an address after the first one has stopped',
    run: (logs) =>
      opened(logs, ['a', 'b', 'c'], async ([a, b, c]) => {
        const serving = b.wire.serve('one', async () => text('b'))
        assert.equal(textOf(await answerOf(a, 'one')), 'b')
        serving.stop()
        await becomesUnserved(a, 'one')
        c.wire.serve('one', async () => text('c'))
        assert.equal(textOf(await answerOf(a, 'one')), 'c')
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
        await answerOf(b, 'one', text('0'))
        b.wire.cast('nobody', text('lost'))
        b.wire.cast('one', text('1'))
        b.wire.cast('one', text('2'))
        await until(() => received.length >= 3, 'the messages')
        assert.deepEqual(received, ['0', '1', '2'])
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
          assert.equal(textOf(await answerOf(b, address)), address)
        await assert.rejects(b.wire.request('*', text('')), UnservedError)
        await assert.rejects(b.wire.request('>', text('')), UnservedError)
      }),
  },
]
