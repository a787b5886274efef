import test from 'ava'
import { Windows } from '../../../src/core/evolve/windows.js'
import type { Slot } from '../../../src/core/model/state.js'

const NEVER = Number.POSITIVE_INFINITY
const slot = (number: number) => number as Slot

test('no entry becomes stale until one is said to, and nothing is allocated', (t) => {
  const windows = new Windows(8)
  windows.set(slot(3), NEVER)
  windows.grow(16)
  t.deepEqual([windows.get(slot(3)), windows.count, windows.bytes], [NEVER, 0, 0])
})

test('each entry has its own end of the fresh time, also after the column has grown', (t) => {
  const windows = new Windows(8)
  windows.set(slot(2), 0)
  windows.set(slot(7), -5)
  windows.grow(16)
  windows.set(slot(15), 9)
  t.deepEqual(
    [2, 3, 7, 15].map((each) => windows.get(slot(each))),
    [0, NEVER, -5, 9],
  )
  t.is(windows.count, 3)
  windows.set(slot(2), 1)
  windows.set(slot(7), NEVER)
  t.deepEqual(
    [2, 7].map((each) => windows.get(slot(each))),
    [1, NEVER],
  )
  t.is(windows.count, 2)
})

test('room that is reserved is not allocated again', (t) => {
  const windows = new Windows(8)
  windows.reserve()
  const { bytes } = windows
  windows.set(slot(2), 1)
  t.deepEqual([bytes, windows.bytes], [64, 64])
})
