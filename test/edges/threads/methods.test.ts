/** A client has every method of the cache: a method that is added to one and not to the other fails here. */
import test from 'ava'
import { Cache } from '../../../src/cache/cache.js'
import { RemoteClient } from '../../../src/edges/remote/client/remote-client.js'
import { OPERATION_NAMES } from '../../../src/edges/remote/wire/codes.js'
import { SyncThreadClient } from '../../../src/edges/threads/client/sync-client.js'
import { connect } from '../../../src/edges/threads/threads.js'
import { METHODS } from '../../conformance/cache.js'
import { openMemory } from '../../helpers/open-memory.js'

/** A synchronous client does not have these. */
const LOOKING_BACK = ['at', 'history', 'diff', 'changesSince']

/** There in the owner's thread only. */
const OWNERS_ALONE = ['actor']

function membersOf(prototype: object): string[] {
  return Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor')
}

test('a client has every method of the cache, and the same properties', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const wanted = [...membersOf(Cache.prototype), ...Object.keys(cache)].filter((name) => !OWNERS_ALONE.includes(name))
  t.true(wanted.length > 35) // the list itself is not empty
  for (const name of wanted) {
    t.true(name in client, `connect(): ${name}`)
    const isStream = name.endsWith('$')
    if (!isStream && !LOOKING_BACK.includes(name)) t.true(name in SyncThreadClient.prototype, `connectSync(): ${name}`)
    const own = Object.getOwnPropertyDescriptor(Cache.prototype, name)
    if (typeof own?.value !== 'function') continue
    const method = (client as unknown as Record<string, (...parameters: unknown[]) => unknown>)[name]
    t.is(typeof method, 'function', name)
    t.is(method?.name, name)
  }
  t.is(typeof client[Symbol.asyncDispose], 'function')
  t.is(typeof SyncThreadClient.prototype[Symbol.dispose], 'function')
})

test('a client has no method that the cache does not have', (t) => {
  const ours = [...membersOf(RemoteClient.prototype), ...membersOf(SyncThreadClient.prototype)]
  for (const name of ours) t.true(name in Cache.prototype, name)
})

test('the conformance suite covers every method', (t) => {
  // Of these it asks in its own words, because they are properties, mean different things here and there, or give streams.
  const apart = ['size', 'recovery', 'transact', 'watch', 'share', 'namespace', 'close', ...LOOKING_BACK]
  t.deepEqual([...METHODS, ...apart].sort(), membersOf(Cache.prototype).sort())
})

test('every method of the cache is an operation of the protocol', (t) => {
  // subscribe, bye, what only ports have, a view, and openPast
  const none = ['watch', 'close', 'share', 'namespace', ...LOOKING_BACK]
  for (const name of membersOf(Cache.prototype)) {
    t.true(none.includes(name) || (OPERATION_NAMES as readonly string[]).includes(name), name)
  }
})
