import test from 'ava'
import { openCluster } from '../../../src/cluster.js'
import { memoryLog } from '../../../src/testing.js'

test('a node leads, another follows and forwards', async (t) => {
  const engine = memoryLog()
  const one = await openCluster({ name: 'c', engine })
  t.is(await one.set('a', 1), true)
  const two = await openCluster({ name: 'c', engine })
  t.is(two.local.get('a'), 1)
  t.is(await two.increment('a'), 2)
  t.is(two.local.get('a'), 2)
  t.is(await one.get('a'), 2)
  await one.close()
  t.is(await two.increment('a'), 3)
  await two.close()
})
