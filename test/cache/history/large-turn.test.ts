/** Looking back at one turn that fills a frame. DAYBOOK_TURN_MIB: how large it is; a frame holds 256. */
import test from 'ava'
import { openCache } from '../../../src/index.js'
import { countFrom } from '../../helpers/runs.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const MIB = countFrom('DAYBOOK_TURN_MIB', 8)
const PIECES = MIB * 16
const piece = (at: number) => String(at).padEnd(65_000, '.')

/** How many turns the event loop has while something is done. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0
  let isDone = false
  const count = () => {
    turns++
    if (!isDone) setImmediate(count)
  }
  count()
  const result = await work
  isDone = true
  return { result, turns }
}

test('a turn that is one large frame is read in slices by everything that looks back', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory, maxSize: PIECES + 2, history: '1d', fsync: 'never' })
  cache.set('before', 1)
  cache.transact(() => {
    for (let at = 0; at < PIECES; at++) cache.set(`k${at}`, piece(at))
  })
  cache.set('after', 1)
  const { result: view, turns } = await turnsDuring(cache.at({ sequence: PIECES + 1 }))
  t.true(turns >= MIB, `${turns} turns for ${MIB} MiB`)
  t.deepEqual([view.size, view.get('k0'), view.get(`k${PIECES - 1}`)], [PIECES + 1, piece(0), piece(PIECES - 1)])
  const half = await cache.at({ sequence: 1 + PIECES / 2 })
  t.deepEqual([half.size, half.has(`k${PIECES / 2}`)], [1 + PIECES / 2, false])
  half.close()
  view.close()

  const changes = cache.changesSince(1)
  const { result: first, turns: turnsOfChanges } = await turnsDuring(changes.next())
  t.true(turnsOfChanges >= MIB)
  t.like(first.value, { sequence: 2, key: 'k0' })
  for (let at = 1; at < PIECES; at++) {
    const { value } = await changes.next()
    if (value?.type !== 'set' || value.key !== `k${at}`) t.fail(`change ${at} is of ${value?.type}`)
  }
  t.like((await changes.next()).value, { key: 'after' })
  await changes.return?.()

  t.deepEqual(await cache.restore({ sequence: 1 }), { set: 0, deleted: PIECES + 1, unchanged: 1 })
  t.deepEqual(await cache.restore({ sequence: PIECES + 2 }), { set: PIECES + 1, deleted: 0, unchanged: 1 })
  await cache.close()
})
