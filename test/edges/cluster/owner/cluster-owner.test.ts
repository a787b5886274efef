/** What a leader keeps for its clients, and for how long. */
import test from 'ava'
import { drivenNodes } from '../../../helpers/cluster/driven-nodes.js'

test('a client that has been silent for 10 minutes of log time is forgotten; its next command is a new one', async (t) => {
  const { open, during, clock, nodes, pass } = drivenNodes(t)
  const one = await open('one')
  const two = await open('two')
  await during(two.increment('n'))
  const answers = () => nodes.get('one')?.journal.applier.clients.size
  t.is(answers(), 1)
  clock.jump(11 * 60_000)
  await pass(12_000)
  await during(one.increment('n'))
  t.is(answers(), 1, 'only that of the node that has just asked')
  t.is(await during(two.increment('n')), 3)
})

test('a command that is asked again after its answer may have been forgotten is OUTCOME_UNKNOWN, and not done twice', async (t) => {
  const { open, during, clock, nodes, pass, engine } = drivenNodes(t)
  const one = await open('one', { reconnectTimeout: '5m' })
  await open('two', { reconnectTimeout: '5m' })
  await during(one.set('n', 0))
  const { network } = engine.control
  const leader = nodes.get('one')?.journal.state === 'leading' ? 'one' : 'two'
  const follower = leader === 'one' ? 'two' : 'one'
  t.is(leader, 'one')
  const asking = await open('three', { reconnectTimeout: '5m' })
  network.judge = ({ from, to, what }) => (from === leader && to === 'three' && what === 'request' ? 'lose' : undefined) // its answers
  const asked = asking.increment('n')
  await pass(200)
  t.is(nodes.get(follower)?.cache.peek('n'), 1)
  clock.jump(11 * 60_000)
  await pass(12_000)
  await during(one.set('other', 1)) // that it is forgotten is written with the next change
  engine.control.crash(leader)
  network.judge = () => undefined
  await t.throwsAsync(during(asked), { code: 'OUTCOME_UNKNOWN' })
  t.is(await during(asking.get('n')), 1)
})
