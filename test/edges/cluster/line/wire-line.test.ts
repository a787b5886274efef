/** A line between nodes, over a wire that loses, doubles and delays. */
import test from 'ava'
import { AppliedLine, positioned } from '../../../../src/edges/cluster/line/as-of.js'
import { NodeWire } from '../../../../src/edges/cluster/line/node-wire.js'
import type { WireLine } from '../../../../src/edges/cluster/line/wire-line.js'
import { ManualClock, memoryLog } from '../../../../src/testing.js'
import { loopTurn } from '../../../helpers/loop-turn.js'

function scene(seed?: number) {
  const clock = new ManualClock()
  const engine = memoryLog({ clock, seed })
  let ids = 0
  const accepted: WireLine[] = []
  const nodes = ['one', 'two'].map((node) => {
    const log = engine('c', node)
    return new NodeWire({
      wire: log.wire,
      clock,
      node,
      bytesMax: 100,
      newId: () => (++ids).toString(16).padStart(16, '0'),
      accept: (_client, epoch, line) => {
        if (epoch !== 1) return false
        accepted.push(line)
        return true
      },
      touched: () => undefined,
      status: () => ({ role: 'follower', term: 1, position: 5, lagMs: 0, entries: 2 }),
    })
  })
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance('10ms')
      for (let turn = 0; turn < 4; turn++) await loopTurn()
    }
  }
  const open = async (epoch = 1) => {
    let found: unknown
    ;(nodes[0] as NodeWire).open('two', 'client', epoch).then((line) => {
      found = line
    })
    while (found === undefined) await pass(10)
    return found as WireLine
  }
  return { engine, nodes, accepted, pass, open, clock }
}

test('messages of any length arrive whole, once and in order, whatever the wire loses, doubles or delays', async (t) => {
  for (let seed = 1; seed <= 5; seed++) {
    const { engine, accepted, pass, open } = scene(seed)
    engine.control.network.rates = { lost: 0, doubled: 0, stuck: 0, slow: 0, refused: 0 }
    const line = await open()
    engine.control.network.rates = { lost: 0.1, doubled: 0.1, stuck: 0.05, slow: 0.1, refused: 0 }
    const got: unknown[] = []
    const back: unknown[] = []
    accepted[0]?.onMessage((message) => {
      got.push(message)
      accepted[0]?.post(message)
    })
    line.onMessage((message) => back.push(message))
    const messages = Array.from({ length: 30 }, (_, at) => [at, 'x'.repeat((at * 37) % 400)])
    for (const message of messages) line.post(message)
    for (let count = 0; back.length < 30 && count < 30_000; count++) await pass(10)
    t.deepEqual(got, messages)
    t.deepEqual(back, messages)
  }
})

test('a line is refused by a node that does not lead in that term', async (t) => {
  const { open } = scene()
  t.is((await open(2)) as unknown, 'retry')
})

test('an end that is gone is noticed: by who opened the line at once, by the other after a while', async (t) => {
  const { engine, accepted, pass, open } = scene()
  const line = await open()
  let ended = 0
  line.onClose(() => ended++)
  accepted[0]?.onClose(() => ended++)
  accepted[0]?.close()
  await pass(100)
  t.is(ended, 2)
  const other = await open()
  let isEnded = false
  accepted[1]?.onClose(() => {
    isEnded = true
  })
  engine.control.crash('one')
  await pass(20_000)
  t.true(isEnded)
  other.close()
})

test('what arrives late does not begin a line anew that has ended', async (t) => {
  const { engine, accepted, pass, open } = scene()
  const requests: { what: string }[] = []
  engine.control.network.judge = ({ what }) => {
    requests.push({ what })
    return what === 'request' && requests.length === 1 ? 'double' : undefined
  }
  const line = await open()
  line.close()
  await pass(2_000)
  t.is(accepted.length, 1)
})

test('an answer is delivered when the node has applied what it is as of, and those behind it wait', async (t) => {
  const { accepted, pass, open } = scene()
  let position = 5
  const line = new AppliedLine(await open(), () => position)
  const got: unknown[] = []
  line.onMessage((message) => got.push(message))
  let asOf = 7
  const owner = positioned(accepted[0] as WireLine, () => asOf)
  owner.post('seven')
  asOf = 6
  owner.post('six')
  await pass(100)
  t.deepEqual(got, [])
  position = 6
  line.deliver()
  t.deepEqual(got, [])
  position = 7
  line.deliver()
  t.deepEqual(got, ['seven', 'six'])
})
