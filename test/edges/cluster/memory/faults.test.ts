/** The faults of a log in memory: all from its seed, by its clock; and the log keeps its promises nevertheless. */
import test from 'ava'
import { LogConflict, type Position } from '../../../../src/edges/cluster/log.js'
import { type MemoryLogEngine, memoryLog } from '../../../../src/edges/cluster/memory/engine.js'
import { Collected, record } from '../../../../src/testing/conformance/log-nodes.js'
import { ManualClock } from '../../../../src/testing.js'

async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 10) {
    clock.advance('10ms')
    await new Promise(setImmediate)
  }
}

/** Two nodes append behind what they see last; everything that happened, in order. */
async function history(
  seed: number,
): Promise<{ told: string[]; engine: MemoryLogEngine; stored: Map<Position, string> }> {
  const clock = new ManualClock(0)
  const engine = memoryLog({ seed, clock })
  const told: string[] = []
  const stored = new Map<Position, string>()
  const logs = ['a', 'b'].map((node) => engine('test', node))
  for (const [index, log] of logs.entries()) {
    const node = 'ab'[index]
    let last = 0
    let count = 0
    log.follow(1, {
      take: (_, at) => void (last = at),
      gap: () => told.push('gap'),
    })
    const step = async (): Promise<void> => {
      const content = `${node}${count++}`
      try {
        const at = await log.append(record(content), last)
        if (stored.has(at)) told.push(`two records are said to be at ${at}`)
        stored.set(at, content)
        told.push(`${clock.now()} ${content} at ${at}`)
      } catch (error) {
        told.push(`${clock.now()} ${content} ${error instanceof LogConflict ? 'conflict' : 'unknown'}`)
      }
      clock.setTimeout(() => void step(), 20)
    }
    void step()
  }
  await pass(clock, 60_000)
  return { told, engine, stored }
}

test('the same seed gives the same history, another one another', async (t) => {
  const [first, second, other] = [await history(1), await history(1), await history(2)]
  t.deepEqual(first.told, second.told)
  t.notDeepEqual(first.told, other.told)
})

test('whatever the seed, what was acknowledged is stored once at its position, and no conflict was stored', async (t) => {
  let unknown = 0
  let landed = 0
  for (let seed = 1; seed <= 10; seed++) {
    const { told, engine, stored } = await history(seed)
    const { records } = engine.control.shared('test')
    const contents = Array.from({ length: records.last }, (_, at) => `${Buffer.from(records.at(at + 1)?.body ?? [])}`)
    t.is(new Set(contents).size, contents.length)
    for (const [at, content] of stored) t.is(contents[at - 1], content)
    for (const line of told) {
      const [, content = '', outcome] = line.split(' ')
      if (outcome === 'conflict') t.false(contents.includes(content), line)
      if (outcome !== 'unknown') continue
      unknown++
      if (contents.includes(content)) landed++
    }
  }
  t.true(
    landed > 0 && landed < unknown,
    `${landed} of ${unknown} appends that failed with an unknown outcome are stored`,
  )
})

test('an append that is lost, stored without an answer, or stored after it was given up', async (t) => {
  const clock = new ManualClock(0)
  const engine = memoryLog({ clock })
  const log = engine('test', 'a')
  const { network } = engine.control
  const { records } = engine.control.shared('test')
  for (const [what, fate, before, after] of [
    ['append', 'lose', 0, 0],
    ['append answered', 'lose', 1, 1],
    ['append', 7_000, 1, 2],
  ] as const) {
    network.judge = (message) => (message.what === what ? fate : undefined)
    const failed = t.throwsAsync(log.append(record(what), records.last))
    await pass(clock, 5_010)
    t.false((await failed) instanceof LogConflict)
    t.is(records.last, before)
    await pass(clock, 5_000)
    t.is(records.last, after)
  }
})

test('a paused node gets what it missed when it goes on; a crashed one nothing, and a cut one when it is healed', async (t) => {
  const clock = new ManualClock(0)
  const engine = memoryLog({ clock })
  const [writer, paused, crashed, cut] = ['writer', 'paused', 'crashed', 'cut'].map((node) => engine('test', node))
  const seen = [new Collected(), new Collected(), new Collected()]
  for (const [at, log] of [paused, crashed, cut].entries()) log!.follow(1, seen[at]!)
  crashed!.wire.serve('it', async (body) => body)
  const fired: string[] = []
  engine.control.clock('paused').setTimeout(() => fired.push('paused'), 1)
  engine.control.clock('crashed').setTimeout(() => fired.push('crashed'), 1)
  engine.control.pause('paused')
  engine.control.crash('crashed')
  engine.control.cut('cut')
  await writer!.append(record('1'), 0)
  await pass(clock, 1_000)
  t.deepEqual(
    seen.map((one) => one.positions()),
    [[], [], []],
  )
  await t.throwsAsync(writer!.wire.request('it', new Uint8Array()), { name: 'UnservedError' })
  t.deepEqual(fired, [])
  engine.control.resume('paused')
  engine.control.heal('cut')
  await pass(clock, 1_000)
  t.deepEqual(
    seen.map((one) => one.positions()),
    [[1], [], [1]],
  )
  t.deepEqual(fired, ['paused'])
  t.is((await engine('test', 'crashed').open()).last, 1)
})

test('an option that does not exist is refused with the nearest that does, and so is a clock that is none', (t) => {
  t.throws(() => memoryLog({ sead: 1 } as never), { instanceOf: TypeError, message: /Did you mean seed\?/ })
  t.throws(() => memoryLog({ clock: {} } as never), { instanceOf: TypeError, message: /clock must be/ })
  t.throws(() => memoryLog(null as never), { instanceOf: TypeError, message: /options must be an object/ })
})
