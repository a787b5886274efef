/** A line that is replaced: what was not answered is asked again, with its numbers. */
import test from 'ava'
import { Requests } from '../../../../src/edges/remote/client/requests.js'
import { OP } from '../../../../src/edges/remote/wire/codes.js'
import { ANSWERS, LATER } from '../../../../src/edges/remote/wire/protocol.js'
import { LATER_TAG } from '../../../../src/edges/remote/wire/wire-value.js'
import { CacheClosedError, CacheError } from '../../../../src/index.js'
import { MemoryLine } from '../../../helpers/edges/memory-lines.js'
import { loopTurn } from '../../../helpers/loop-turn.js'

function scene() {
  const lost: (CacheError | undefined)[] = []
  const connect = () => {
    const [owner, line] = MemoryLine.pair({ isTakeable: false })
    const messages: [received: number, batch: unknown[]][] = []
    owner.onMessage((message) => messages.push(message as [number, unknown[]]))
    return { owner, line, messages, answer: (...parts: unknown[][]) => owner.post(parts) }
  }
  const first = connect()
  const requests = new Requests(
    first.line,
    { closed: () => new CacheClosedError('closed'), lost: () => new CacheClosedError('lost') },
    {
      onLost: (reason) => lost.push(reason),
      hold: () => undefined,
      full: () => new CacheError('OWNER_UNAVAILABLE', 'full'),
      now: () => performance.now(),
    },
  )
  return { requests, first, connect, lost }
}

const unavailable = (wasSent: boolean) => new CacheError('OWNER_UNAVAILABLE', wasSent ? 'sent' : 'not sent')

async function settled(turns = 4): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await loopTurn()
}

test('what is unanswered is asked again in order, and received never passes it', async (t) => {
  const { requests, first, connect, lost } = scene()
  const one = requests.askByKey(OP.add, 'a', 1)
  await settled()
  const two = requests.askByKey(OP.add, 'b', 1)
  await settled()
  first.answer([ANSWERS, 1, 7])
  t.is(await one, 7)
  const three = requests.askByKey(OP.add, 'c', 1)
  await settled()
  t.deepEqual(first.messages, [
    [0, [1, OP.add, 'a', 1]],
    [0, [2, OP.add, 'b', 1]],
    [1, [3, OP.add, 'c', 1]],
  ])
  first.owner.close()
  await settled()
  t.deepEqual(lost, [undefined])
  const four = requests.askByKey(OP.add, 'd', 1)
  await settled()
  const second = connect()
  requests.resume(second.line)
  await settled()
  t.deepEqual(second.messages, [
    [1, [2, OP.add, 'b', 1]],
    [1, [3, OP.add, 'c', 1]],
    [1, [4, OP.add, 'd', 1]],
  ])
  second.answer([ANSWERS, 2, 1], [ANSWERS, 3, 2], [ANSWERS, 4, 3])
  t.deepEqual(await Promise.all([two, three, four]), [1, 2, 3])
  requests.askByKey(OP.add, 'e', 1).catch(() => undefined)
  await settled()
  t.deepEqual(second.messages.at(-1), [4, [5, OP.add, 'e', 1]])
  requests.end()
})

test('a long call that the lost owner had begun is begun again, under its number, and is no numbered command', async (t) => {
  const { requests, first, connect } = scene()
  const flushed = requests.ask(OP.flush, [])
  await settled()
  first.answer([ANSWERS, 1, [LATER_TAG]])
  await settled()
  for (let count = 0; count < 3; count++) {
    const call = requests.askByKey(OP.add, 'a', 1)
    await settled()
    first.answer([ANSWERS, count + 2, count])
    t.is(await call, count)
  }
  first.owner.close()
  await settled()
  const second = connect()
  requests.resume(second.line)
  await settled()
  t.deepEqual(second.messages, [[4, [1, OP.flush]]])
  second.answer([ANSWERS, 1, [LATER_TAG]])
  second.answer([LATER, 1, 9])
  t.is(await flushed, 9)
  requests.end()
})

test('a load or restore that was sent is rejected when its owner is lost, begun or not, and never asked again', async (t) => {
  for (const isBegun of [true, false]) {
    const { requests, first, connect } = scene()
    const before = requests.askByKey(OP.add, 'a', 1)
    const loaded = requests.ask(OP.load, ['file'])
    const after = requests.askByKey(OP.add, 'b', 1)
    await settled()
    t.deepEqual(
      first.messages.map((message) => (message as unknown[])[1]),
      [
        [1, OP.add, 'a', 1],
        [2, OP.load, 'file', undefined],
        [3, OP.add, 'b', 1],
      ],
    )
    if (isBegun) first.answer([ANSWERS, 2, [LATER_TAG]])
    first.owner.close()
    await settled()
    requests.rejectOnce(unavailable(true))
    await t.throwsAsync(loaded, { code: 'OWNER_UNAVAILABLE' })
    const restored = requests.ask(OP.restore, [1]) // not sent yet
    await settled()
    const second = connect()
    requests.resume(second.line)
    await settled()
    t.deepEqual(
      second.messages.map((message) => ((message as unknown[])[1] as unknown[]).slice(0, 2)),
      [
        [1, OP.add],
        [3, OP.add],
        [4, OP.restore],
      ],
    )
    second.answer([ANSWERS, 1, 1], [ANSWERS, 3, 1], [ANSWERS, 4, [LATER_TAG]])
    second.answer([LATER, 4, 7])
    t.deepEqual(await Promise.all([before, after, restored]), [1, 1, 7])
    requests.end()
  }
})

test('without an owner, calls reject when they have waited too long, and when too much waits', async (t) => {
  const { requests, first } = scene()
  const sent = requests.askByKey(OP.add, 'a', 1)
  await settled()
  first.owner.close()
  await settled()
  const waiting = requests.askByKey(OP.add, 'b', 1)
  await settled()
  requests.expire(0, unavailable) // nothing has waited since then
  t.false(requests.isIdle)
  const results = Promise.allSettled([sent, waiting])
  requests.expire(performance.now(), unavailable)
  const messages = (await results).map(
    (result) => String((result as PromiseRejectedResult).reason.message).split('.')[0],
  )
  t.deepEqual(messages, ['sent', 'not sent'])
  t.true(requests.isIdle)
  const large = requests.ask(OP.keys, ['x'.repeat(65 * 1024 * 1024)])
  await settled()
  await t.throwsAsync(requests.askByKey(OP.get, 'a'), { code: 'OWNER_UNAVAILABLE' })
  requests.end()
  await t.throwsAsync(large, { code: 'CACHE_CLOSED' })
})

test('what an owner refuses is not asked again; an orderly goodbye rejects nothing', async (t) => {
  const { CLOSED } = await import('../../../../src/edges/remote/wire/protocol.js')
  const { toWireError } = await import('../../../../src/edges/remote/wire/wire-error.js')
  const { requests, first, connect, lost } = scene()
  const refused = requests.askByKey(OP.get, 'a')
  await settled()
  first.answer([CLOSED, toWireError(new CacheError('INTERNAL', 'too large'))])
  await t.throwsAsync(refused, { code: 'INTERNAL' })
  const second = connect()
  requests.resume(second.line)
  const kept = requests.askByKey(OP.get, 'b')
  await settled()
  second.answer([CLOSED, toWireError(new CacheClosedError('goodbye'))])
  await settled()
  t.deepEqual(
    lost.map((reason) => reason?.code),
    ['INTERNAL', 'CACHE_CLOSED'],
  )
  const third = connect()
  requests.resume(third.line)
  await settled()
  third.answer([ANSWERS, 2, 'b'])
  t.is(await kept, 'b')
  requests.end()
})
