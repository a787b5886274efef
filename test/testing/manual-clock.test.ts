import test from 'ava'
import { createActor, setup } from 'xstate'
import { ManualClock } from '../../src/testing.js'
import { CountingClock } from '../helpers/counting-clock.js'

test('now starts at the given time, in epoch milliseconds', (t) => {
  t.is(new ManualClock(123.5).now(), 123.5)
  t.is(new ManualClock(0).now(), 0)
})

test('time passes only by advance and jump', async (t) => {
  const clock = new ManualClock(0)
  clock.setTimeout(() => t.fail(), 0)
  await new Promise((resolve) => setTimeout(resolve, 2)) // a real timer of 0 ms would fire before
  t.is(clock.now(), 0)
})

test('advance takes durations: a bare number is seconds', (t) => {
  const clock = new ManualClock(0)
  clock.advance(1)
  clock.advance('250ms')
  clock.advance('2m')
  t.is(clock.now(), 121_250)
})

test('advance fires what falls due, in order of time, then of arming', (t) => {
  const clock = new ManualClock(0)
  const fired: string[] = []
  for (const [name, delayMs] of [
    ['c', 300],
    ['a', 100],
    ['b1', 200],
    ['b2', 200],
    ['late', 1_001],
  ] as const) {
    clock.setTimeout(() => fired.push(`${name}@${clock.now()}`), delayMs)
  }
  clock.advance(1)
  t.deepEqual(fired, ['a@100', 'b1@200', 'b2@200', 'c@300'])
  t.is(clock.now(), 1_000)
  clock.advance('1ms')
  t.deepEqual(fired.at(-1), 'late@1001')
})

test('advance also fires timers that are armed on the way', (t) => {
  const clock = new ManualClock(0)
  const fired: number[] = []
  const again = () => {
    fired.push(clock.now())
    if (fired.length < 20) clock.setTimeout(again, 100)
  }
  clock.setTimeout(again, 100)
  clock.advance(1)
  t.deepEqual(fired, [100, 200, 300, 400, 500, 600, 700, 800, 900, 1_000])
})

test('advance by 0 fires what is due now', (t) => {
  const clock = new ManualClock(0)
  const fired: string[] = []
  clock.setTimeout(() => {
    fired.push('first')
    clock.setTimeout(() => fired.push('armed on the way'), 0)
  }, 0)
  clock.setTimeout(() => fired.push('negative'), -5)
  clock.advance(0)
  t.deepEqual(fired, ['first', 'negative', 'armed on the way'])
  t.is(clock.now(), 0)
})

test('a cleared timer does not fire, even when it is cleared on the way', (t) => {
  const clock = new ManualClock(0)
  const fired: string[] = []
  const timer = clock.setTimeout(() => fired.push('cleared on the way'), 10)
  clock.setTimeout(() => clock.clearTimeout(timer), 5)
  clock.clearTimeout(clock.setTimeout(() => fired.push('cleared at once'), 1))
  clock.clearTimeout(undefined)
  clock.clearTimeout('not a timer')
  clock.setTimeout(() => fired.push('not cleared'), 10)
  clock.advance(1)
  t.deepEqual(fired, ['not cleared'])
})

test('jump moves now either way and fires nothing; remaining delays stay the same', (t) => {
  const clock = new ManualClock(1_000_000)
  const fired: number[] = []
  clock.setTimeout(() => fired.push(clock.now()), 500)
  clock.jump(3_600_000)
  t.is(clock.now(), 4_600_000)
  t.deepEqual(fired, [])
  clock.jump(-7_200_000)
  t.is(clock.now(), -2_600_000)
  clock.advance('499ms')
  t.deepEqual(fired, [])
  clock.advance('1ms')
  t.deepEqual(fired, [-2_599_500])
})

test('an advance inside a timer does not move the outer one back', (t) => {
  const clock = new ManualClock(0)
  clock.setTimeout(() => clock.advance(10), 100)
  clock.advance(1)
  t.true(clock.now() >= 10_100)
})

test('a bad duration is refused and changes nothing', (t) => {
  const clock = new ManualClock(0)
  t.throws(() => clock.advance(-1), { name: 'RangeError' })
  t.throws(() => clock.advance(Number.NaN), { name: 'RangeError' })
  t.throws(() => clock.advance('soon' as never), { name: 'TypeError' })
  t.is(clock.now(), 0)
})

test('advance throws the error of a timer, and the others fire in the next advance', (t) => {
  const clock = new ManualClock(0)
  const fired: string[] = []
  clock.setTimeout(() => {
    throw new Error('mine')
  }, 1)
  clock.setTimeout(() => fired.push('second'), 2)
  t.throws(() => clock.advance(1), { message: 'mine' })
  clock.advance(1)
  t.deepEqual(fired, ['second'])
})

test('XState can use it as its clock', (t) => {
  const clock = new ManualClock(0)
  const machine = setup({}).createMachine({
    initial: 'waiting',
    states: { waiting: { after: { 60000: 'done' } }, done: { type: 'final' } },
  })
  const actor = createActor(machine, { clock: clock as never }).start()
  clock.advance('59999ms')
  t.is(actor.getSnapshot().value, 'waiting')
  clock.advance('1ms')
  t.is(actor.getSnapshot().value, 'done')
})

test('its methods work without their object', (t) => {
  const { now, setTimeout, clearTimeout } = new ManualClock(5)
  t.is(now(), 5)
  clearTimeout(setTimeout(() => t.fail(), 0))
})

test('NaN is refused as a time, and as a delay means 0', (t) => {
  t.throws(() => new ManualClock(Number.NaN), { instanceOf: RangeError, message: /startMs/ })
  const clock = new ManualClock(1_000)
  t.throws(() => clock.jump(Number.NaN), { instanceOf: RangeError })
  let fired = 0
  clock.setTimeout(() => fired++, Number.NaN)
  clock.advance(1)
  t.is(fired, 1)
  t.is(clock.now(), 2_000)
})

test('CountingClock, for the tests here, counts armed timers', (t) => {
  const clock = new CountingClock(0)
  clock.clearTimeout(clock.setTimeout(() => undefined, 5))
  clock.setTimeout(() => undefined, 1)
  t.is(clock.armed, 1)
  clock.advance(1)
  t.is(clock.armed, 0)
  t.is(clock.total, 2)
})
