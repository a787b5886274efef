import test from 'ava'
import { BRIEFLY, LONG, NOT_AT_ALL, Patience } from '../../../../src/edges/threads/line/patience.js'

const never = () => false
const always = () => true

/** Waits in vain until it has given up. */
function disappointed(looks = 10): Patience {
  const patience = new Patience(looks)
  while (patience.next !== NOT_AT_ALL) patience.await(never)
  return patience
}

/** How many waits pass without polling until it tries again. */
function skipsOf(patience: Patience): number {
  let skips = 0
  for (; patience.next === NOT_AT_ALL; skips++) patience.await(always)
  return skips
}

test('a few failures are forgiven, more end the polling', (t) => {
  const patience = new Patience(10)
  t.false(patience.await(never))
  t.is(patience.next, BRIEFLY)
  t.true(patience.await(always))
  for (let failures = 0; failures < 4; failures++) patience.await(never)
  t.is(patience.next, NOT_AT_ALL)
  t.false(patience.await(always))
})

test('it tries again after a while, for longer, and goes on if that succeeds', (t) => {
  const patience = disappointed(10)
  skipsOf(patience)
  t.is(patience.next, LONG)
  let looks = 0
  t.true(patience.await(() => ++looks === 100))
  t.is(patience.next, BRIEFLY)
})

test('as long as it fails it tries less and less often', (t) => {
  const patience = disappointed()
  const skips: number[] = []
  for (let attempt = 0; attempt < 9; attempt++) {
    skips.push(skipsOf(patience))
    patience.await(never)
  }
  t.deepEqual(skips, [8, 8, 16, 32, 64, 128, 256, 512, 512])
})

test('an owner that has given up polls as soon as its client tries again', (t) => {
  const client = disappointed()
  const owner = disappointed()
  t.false(owner.awaitClient(always, client.next))
  skipsOf(client)
  t.true(owner.awaitClient(always, client.next))
  t.true(client.await(always))
  t.true(owner.awaitClient(always, client.next))
})

test('an owner does not lose hope because of a client that sleeps', (t) => {
  const owner = new Patience(10)
  for (let waits = 0; waits < 100; waits++) t.false(owner.awaitClient(never, NOT_AT_ALL))
  t.true(owner.awaitClient(always, BRIEFLY))
})

test('with one processor it never polls', (t) => {
  const patience = new Patience(0)
  for (let waits = 0; waits < 1_000; waits++) t.false(patience.await(always))
})
