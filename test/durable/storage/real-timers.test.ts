import test from 'ava'
import { createPortQueue, realImmediate, waitingTimers } from '../../../src/durable/storage/real-timers.js'

test('tasks of the port queue run in order, in a later turn', async (t) => {
  const queue = createPortQueue()
  const ran: string[] = []
  queue(() => ran.push('first'))
  queue(() => {
    ran.push('second')
    queue(() => ran.push('third'))
  })
  await Promise.resolve()
  t.deepEqual(ran, [])
  await new Promise<void>((resolve) => queue(() => queue(resolve)))
  t.deepEqual(ran, ['first', 'second', 'third'])
})

test('a task of the port queue runs before an immediate that is queued after it', async (t) => {
  const queue = createPortQueue()
  const ran: string[] = []
  await new Promise<void>((resolve) => realImmediate(resolve))
  queue(() => ran.push('task'))
  await new Promise<void>((resolve) => realImmediate(resolve))
  t.deepEqual(ran, ['task'])
})

test('a waiting timer fires, unless it is cleared', async (t) => {
  const fired: string[] = []
  waitingTimers.clear(undefined)
  waitingTimers.clear(waitingTimers.set(() => fired.push('cleared'), 1))
  const held = setInterval(() => undefined, 1_000) // waiting for memory keeps no process alive
  await new Promise<void>((resolve) => waitingTimers.set(resolve, 5))
  clearInterval(held)
  t.deepEqual(fired, [])
})
