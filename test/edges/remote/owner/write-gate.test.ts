/** What clients of other processes are sent leaves after the write, or the fsync, of everything before it. */
import test from 'ava'
import type { Door } from '../../../../src/cache/door/door.js'
import { queueTask } from '../../../../src/durable/storage/event-loop.js'
import { WriteGate } from '../../../../src/edges/remote/owner/write-gate.js'
import { loopTurn } from '../../../helpers/loop-turn.js'

function scene(options: { isEverythingDurable?: boolean; writeFailure?: Error; flush?: () => Promise<number> } = {}) {
  const log: unknown[] = []
  const door = { isEverythingDurable: false, writeFailure: undefined, flush: async () => 0, ...options }
  const gate = new WriteGate(door as unknown as Door) // it uses nothing else
  return { log, gate, pass: (name: string) => gate.pass((failure) => log.push(failure === undefined ? name : failure)) }
}

test('in order, and after the write that a turn has queued', async (t) => {
  const { log, pass } = scene()
  queueTask(() => log.push('written'))
  pass('a')
  pass('b')
  t.deepEqual(log, [])
  await loopTurn()
  await loopTurn()
  t.deepEqual(log, ['written', 'a', 'b'])
})

test('not before a write that was queued after something else began to wait', async (t) => {
  const { log, pass } = scene()
  pass('a read')
  queueTask(() => log.push('written'))
  pass('a change')
  for (let turn = 0; turn < 3; turn++) await loopTurn()
  t.deepEqual(log, ['a read', 'written', 'a change'])
})

test('a write that failed: the change stays pending', async (t) => {
  const { log, pass } = scene({ writeFailure: new Error('ENOSPC') })
  pass('a')
  await loopTurn()
  await loopTurn()
  t.like(log[0], { code: 'JOURNAL_WRITE_FAILED' })
  t.regex(String(log[0]), /ENOSPC.*stays pending/)
})

test("fsync: 'always': after the fsync; idle() resolves when nothing waits", async (t) => {
  let finish: (_: number) => void = () => undefined
  const flush = () =>
    new Promise<number>((resolve) => {
      finish = resolve
    })
  const { log, gate, pass } = scene({ isEverythingDurable: true, flush })
  pass('a')
  const idle = gate.idle()
  for (let turn = 0; turn < 3; turn++) await loopTurn()
  t.deepEqual(log, [])
  finish(1)
  await loopTurn()
  t.deepEqual(log, ['a'])
  await loopTurn()
  finish(1) // idle() has passed the gate once more
  await idle
  t.pass()
})
