import test from 'ava'
import { ExpiryTimer } from '../../../src/cache/turns/expiry-timer.js'
import { evolve } from '../../../src/core/evolve/evolve.js'
import { turnParts } from '../../helpers/turn-parts.js'

test('a stopped timer is not set, by a change either, until it resumes', (t) => {
  const { clock, state } = turnParts()
  let fired = 0
  const timer = new ExpiryTimer(clock, state, () => {
    fired++
    return 'blocked'
  })
  evolve(state, { type: 'set', key: 'a', value: 1, expiresAtMs: clock.now() + 10 })
  const armed = clock.armed
  timer.arm(clock.now())
  t.is(clock.armed, armed + 1)
  timer.stop()
  timer.arm(clock.now())
  t.is(clock.armed, armed)
  clock.advance('20ms')
  t.is(fired, 0)
  timer.resume()
  timer.arm(clock.now())
  clock.advance('1ms')
  t.is(fired, 1)
})
