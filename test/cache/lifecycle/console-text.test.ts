import { inspect, stripVTControlCharacters as plain } from 'node:util'
import test from 'ava'
import { connect } from '../../../src/edges/threads/threads.js'
import { openCache } from '../../../src/index.js'
import { BreakableJournal } from '../../helpers/breakable-journal.js'
import { inWorker } from '../../helpers/edges/in-worker.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

function lines(shown: unknown): number {
  return inspect(shown).split('\n').length
}

test('console.log of a cache shows its state, size and limits in a few lines', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory, maxSize: 12_345, maxBytes: 67_890 })
  cache.set('a', 1)
  cache.get('a')
  const text = inspect(cache)
  for (const fact of [
    /^Cache \{/,
    /state: 'running'/,
    /\bsize: 1\b/,
    /maxSize: 12345/,
    /maxBytes: 67890/,
    /\bhits: 1\b/,
  ])
    t.regex(text, fact)
  t.true(text.includes(inspect(directory)))
  t.true(lines(cache) <= 12)
  t.true(lines({ nested: [cache] }) <= 14)
  t.is(inspect({ nested: cache }, { depth: 0 }), '{ nested: [Cache] }')
  const words = (shown: string) => plain(shown).split(/\s+/) // lines break elsewhere
  t.deepEqual(words(inspect(cache, { colors: true })), words(text))
  await cache.close()
  t.regex(inspect(cache), /state: 'closed'/)
})

test('while a cache cannot write, console.log says why', async (t) => {
  const journal = new BreakableJournal()
  const { cache } = await openMemory(t, { journal })
  journal.break('stalled', new Error('ENOSPC: no space left'))
  t.regex(inspect(cache), /state: 'read-only', reason: '.*ENOSPC/)
  t.true(lines(cache) <= 12)
  journal.mend()
})

test('console.log of a recovery report shows what there is to report in a few lines', async (t) => {
  const directory = temporaryDirectory(t)
  const first = await openCache({ directory })
  first.set('a', 1)
  await first.compact()
  await first.close()
  const cache = await openCache({ directory })
  const text = inspect(cache.recovery)
  t.regex(text, /^RecoveryReport \{/)
  t.regex(text, /sequence: 1/)
  t.regex(text, /snapshot: \{ file: .*, sequence: 1, entries: 1 \}/)
  t.notRegex(text, /damage|setAside/)
  t.true(lines(cache.recovery) <= 12)
  t.deepEqual(Object.keys(structuredClone(cache.recovery)), Object.keys(cache.recovery))
  await cache.close()
})

test('console.log of a client shows whether it is connected', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  t.is(inspect(client), "RemoteCache {\n  state: 'connected'\n}")
  const closing = client.close()
  t.is(inspect(client), "RemoteCache {\n  state: 'closing'\n}")
  await closing
  t.is(inspect(client), "RemoteCache {\n  state: 'closed'\n}")
  const { result } = inWorker(cache.share(), 'sync', (sync) => process.getBuiltinModule('util').inspect(sync))
  t.is(await result, "SyncThreadCache {\n  state: 'connected'\n}")
})

test('console.log of a namespace, here and of a client, shows its prefix', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  for (const view of [cache.namespace('a:'), client.namespace('a:'), cache.namespace('a').namespace(':')])
    t.is(inspect(view), "Namespace {\n  prefix: 'a:'\n}")
})
