import test from 'ava'
import { Ghosts, hashOf } from '../../../../src/core/evolve/eviction/ghosts.js'

test('a key is a ghost among the last that were added, and only once', (t) => {
  const ghosts = new Ghosts(1024)
  for (let index = 0; index < 10; index++) ghosts.add(hashOf(`${index}`))
  t.true(ghosts.take(hashOf('9'), 1))
  t.false(ghosts.take(hashOf('9'), 10))
  t.false(ghosts.take(hashOf('4'), 5))
  t.true(ghosts.take(hashOf('5'), 5))
  t.false(ghosts.take(hashOf('other'), 10))
})

test('a key that was added again counts from then', (t) => {
  const ghosts = new Ghosts(1024)
  ghosts.add(hashOf('a'))
  for (let index = 0; index < 10; index++) ghosts.add(hashOf(`${index}`))
  ghosts.add(hashOf('a'))
  t.true(ghosts.take(hashOf('a'), 1))
  t.false(ghosts.take(hashOf('a'), 100))
})

test('nearly all of as many keys as the columns have room for are found, and hardly any other', (t) => {
  const capacity = 2 ** 14
  const ghosts = new Ghosts(capacity)
  for (let index = 0; index < 5 * capacity; index++) ghosts.add(hashOf(`key ${index}`))
  let found = 0
  let mistaken = 0
  for (let index = 0; index < capacity; index++) {
    if (ghosts.take(hashOf(`other ${index}`), capacity)) mistaken++
    if (ghosts.take(hashOf(`key ${4 * capacity + index}`), capacity)) found++
  }
  t.true(found > 0.95 * capacity, `${found} of ${capacity}`)
  t.true(mistaken < 0.002 * capacity, `${mistaken} of ${capacity}`)
})

test('in a large table a key is a ghost for as many evictions, give or take a step', (t) => {
  const ghosts = new Ghosts(2 ** 17) // in steps of 8
  for (let index = 0; index < 1000; index++) ghosts.add(hashOf(`${index}`))
  t.false(ghosts.take(hashOf('480'), 500))
  t.true(ghosts.take(hashOf('520'), 500))
  t.true(ghosts.take(hashOf('999'), 1))
})

test('after growing there are no ghosts', (t) => {
  const ghosts = new Ghosts(1024)
  ghosts.add(hashOf('a'))
  ghosts.grow(2048)
  t.false(ghosts.take(hashOf('a'), 10))
  ghosts.add(hashOf('b'))
  t.true(ghosts.take(hashOf('b'), 1))
})
