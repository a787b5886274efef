import test, { type ExecutionContext } from 'ava'
import { connect } from '../../../../src/edges/threads/threads.js'
import { type JournalWriteError, openCache } from '../../../../src/index.js'
import { BreakableJournal } from '../../../helpers/breakable-journal.js'
import { inWorker } from '../../../helpers/edges/in-worker.js'
import { loopTurn, until } from '../../../helpers/loop-turn.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

/** A journal whose fsyncs end when the test ends them. */
class HeldJournal extends BreakableJournal {
  readonly held: { resolve(): void; reject(error: Error): void }[] = []
  isHeld = true
  override async flush(): Promise<number> {
    if (this.isHeld) await new Promise<void>((resolve, reject) => this.held.push({ resolve, reject }))
    return super.flush()
  }
}

async function openHeld(t: ExecutionContext) {
  const journal = new HeldJournal()
  const cache = await openCache({ journal, fsync: 'always' })
  t.teardown(() => {
    journal.isHeld = false
    for (const { resolve } of journal.held) resolve()
    return cache.close()
  })
  return { cache, journal }
}

test('fsync always: a change is acknowledged when it is durable, a read at once', async (t) => {
  const { cache, journal } = await openHeld(t)
  const [writer, reader] = await Promise.all([connect(cache.share()), connect(cache.share())])
  let isAcknowledged = false
  const set = writer.set('k', 1).then(() => (isAcknowledged = true))
  await until(() => journal.held.length === 1, 'the fsync')
  t.is(await reader.get('k'), 1) // it has taken effect, but is not durable
  t.false(isAcknowledged)
  journal.held.shift()?.resolve()
  await set
  t.true(isAcknowledged)
})

test('fsync always: waiting changes of all ports share one fsync', async (t) => {
  const { cache, journal } = await openHeld(t)
  const clients = await Promise.all(Array.from({ length: 10 }, () => connect(cache.share())))
  const first = clients.flatMap((client) => [client.increment('n'), client.set('k', 1), client.delete('none')])
  await until(() => cache.peek('n') === 10, 'all increments')
  for (let turn = 0; turn < 10; turn++) await loopTurn()
  t.true(journal.held.length <= 2) // one, unless the ports' messages arrived in two turns of the loop
  for (const { resolve } of journal.held.splice(0)) resolve()
  t.is((await Promise.all(first)).length, 30)
})

test('fsync always: when it fails, no change is acknowledged', async (t) => {
  const { cache, journal } = await openHeld(t)
  const client = await connect(cache.share())
  const calls = Promise.allSettled([
    client.set('k', 1),
    client.get('k'),
    client.increment('text'),
    client.increment('k', Number.NaN),
  ])
  await until(() => journal.held.length === 1, 'the fsync')
  journal.held.shift()?.reject(new Error('EIO'))
  const [set, get] = await calls
  t.is((set as PromiseRejectedResult).reason.message, 'EIO')
  t.deepEqual(get, { status: 'fulfilled', value: 1 })
})

test('fsync always: closing a client waits until its changes are durable', async (t) => {
  const { cache, journal } = await openHeld(t)
  const client = await connect(cache.share())
  let isClosed = false
  const set = client.set('k', 1)
  const closed = client.close().then(() => (isClosed = true))
  await until(() => journal.held.length === 1, 'the fsync')
  t.false(isClosed)
  journal.held.shift()?.resolve()
  t.true(await set)
  await closed
})

test('fsync always on a real disk: acknowledged means durable, for both kinds of client', async (t) => {
  const cache = await openCache({ directory: temporaryDirectory(t), fsync: 'always' })
  t.teardown(() => cache.close())
  const client = await connect(cache.share())
  for (let count = 0; count < 20; count++) {
    await client.set(`k${count}`, count)
    const { sequence, durableSequence } = cache.stats().journal
    t.is(durableSequence, sequence)
  }
  const { result } = inWorker(cache.share(), 'sync', (each) => {
    const seen: boolean[] = []
    for (let count = 0; count < 20; count++) {
      each.increment('n')
      const { durableSequence } = each.stats().journal
      seen.push(durableSequence >= 21 + count)
    }
    return seen
  })
  t.deepEqual(await result, Array(20).fill(true))
})

test('flush over a port resolves with the durable sequence, and rejects when the fsync fails', async (t) => {
  const journal = new BreakableJournal()
  const cache = await openCache({ journal })
  t.teardown(() => cache.close().catch(() => undefined))
  const client = await connect(cache.share())
  await client.set('k', 1)
  t.is(await client.flush(), 1)
  journal.break('failed', Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
  const error = (await t.throwsAsync(client.flush())) as JournalWriteError
  t.is((error as unknown as { code: string }).code, 'EIO')
})

test('fsync always: a flush and a load that are requested together with a change are answered, although they overtake it', async (t) => {
  const { cache, journal } = await openHeld(t)
  const client = await connect(cache.share())
  const calls = [client.set('k', 1), client.flush(), client.getOrSet('l', () => 'loaded')]
  const all = Promise.all(calls as Promise<unknown>[])
  let isDone = false
  all.then(() => (isDone = true)).catch(() => undefined)
  await until(() => {
    journal.held.pop()?.resolve() // the last one first
    return isDone
  }, 'all answers')
  t.deepEqual((await all).toSpliced(1, 1), [true, 'loaded'])
})
