/** `close` takes one option, whatever it closes. */
import { join } from 'node:path'
import test from 'ava'
import { openCluster } from '../../../../src/cluster.js'
import { connect } from '../../../../src/edges/threads/threads.js'
import { openShared } from '../../../../src/processes.js'
import { memoryLog } from '../../../../src/testing.js'
import { inWorker } from '../../../helpers/edges/in-worker.js'
import { openMemory } from '../../../helpers/open-memory.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

const REFUSED = /'forse' is not an option here\. Did you mean force\?/

test('close of a cache and of each client rejects for an option that does not exist, and closes nothing', async (t) => {
  const { cache } = await openMemory<number>(t)
  const closable = {
    cache,
    'a client in a thread': await connect<number>(cache.share()),
    'an owner': await openShared<number>({ directory: join(temporaryDirectory(t), 'journal'), owner: 'prefer' }),
    'a node': await openCluster<number>({ name: 'close', engine: memoryLog() }),
  }
  for (const [name, one] of Object.entries(closable).reverse()) {
    await t.throwsAsync(one.close({ forse: true } as never), { instanceOf: TypeError, message: REFUSED }, name)
    await t.throwsAsync(one.close({ force: 1 } as never), { instanceOf: TypeError, message: /true or false/ }, name)
    t.is(await one.increment('still open'), name === 'cache' ? 2 : 1)
    await one.close({ force: true })
    await one.close()
  }
})

test('so does a synchronous client', async (t) => {
  const { cache } = await openMemory<number>(t)
  const { result } = inWorker(cache.share(), 'sync', (sync) => {
    let message = ''
    try {
      sync.close({ forse: true } as never)
    } catch (error) {
      message = String(error)
    }
    const open = sync.increment('still open')
    sync.close({ force: true })
    return [message, open]
  })
  const [message, open] = (await result) as [string, number]
  t.regex(message, REFUSED)
  t.is(open, 1)
})
