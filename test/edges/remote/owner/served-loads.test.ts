/** Loaders of clients: which answer counts. */
import test from 'ava'
import { ServedLoads } from '../../../../src/edges/remote/owner/served-loads.js'
import type { Part } from '../../../../src/edges/remote/wire/protocol.js'

const context = () => ({ signal: new AbortController().signal, staleValues: new Map() })

test('what a loader returned to an owner before this one, or for an earlier question, is not taken for the answer', async (t) => {
  const owner = () => {
    const asked: Part[] = []
    return { asked, loads: new ServedLoads((part) => asked.push(part)) }
  }
  const [before, now] = [owner(), owner()]
  before.loads.lease(['k'], 7, context()).catch(() => undefined)
  const loaded = now.loads.lease(['k'], 7, context())
  now.loads.loaded(7, ['k', 'old', undefined], before.asked[0]?.[4])
  now.loads.failed(7, ['Error', 'old', 'Error'], before.asked[0]?.[4])
  now.loads.loaded(7, ['k', 'of no lease', undefined], undefined)
  now.loads.loaded(7, ['k', 'new', undefined], now.asked[0]?.[4])
  t.is((await loaded).get('k')?.value, 'new')
  const next = now.loads.lease(['k'], 7, context())
  now.loads.loaded(7, ['k', 'late', undefined], now.asked[0]?.[4])
  now.loads.loaded(7, ['k', 'newer', undefined], now.asked[1]?.[4])
  t.is((await next).get('k')?.value, 'newer')
})
