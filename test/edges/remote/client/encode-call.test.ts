/** How a client encodes the arguments of a call, during the call. */
import test from 'ava'
import { connect } from '../../../../src/edges/threads/threads.js'
import { connectOver } from '../../../helpers/edges/connected.js'
import { openMemory } from '../../../helpers/open-memory.js'
import { temporaryDirectory } from '../../../helpers/temporary-directory.js'

/** An object whose properties change each time they are read, and that counts the reads. */
function readOnce<T extends object>(values: T): { object: T; reads: Record<string, number> } {
  const reads: Record<string, number> = {}
  const object = {} as T
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(object, name, {
      enumerable: true,
      get: () => {
        reads[name] = (reads[name] ?? 0) + 1
        return reads[name] === 1 ? value : Symbol(`read ${reads[name]} times`)
      },
    })
  }
  return { object, reads }
}

test('every option is read once, here and through a port: a getter cannot return another value after the check', async (t) => {
  const { cache } = await openMemory(t)
  const path = `${temporaryDirectory(t)}/saved.pickle`
  const client = await connect(cache.share())
  const { client: other } = connectOver(cache, { isTakeable: false })
  for (const each of [cache, client, other]) {
    const set = readOnce({ ttl: 5, only: 'present' as const })
    cache.set('k', 0)
    t.true(await each.set('k', 1, set.object))
    t.deepEqual(set.reads, { ttl: 1, only: 1 })
    const at = readOnce({ expiresAt: 2_000_000_000_000 })
    t.true(await each.set('k', 1, at.object))
    t.deepEqual(at.reads, { expiresAt: 1 })
    const many = readOnce({ ttl: 5, only: 'absent' as const })
    const entries: [string, number][] = [
      ['k', 2],
      ['m', 2],
      ['n', 2],
    ]
    t.is(await each.setMany(entries, many.object), 2)
    t.deepEqual(many.reads, { ttl: 1, only: 1 })
    const counting = readOnce({ ttl: 5 })
    t.is(await each.increment('k', 2, counting.object), 3)
    t.is(await each.decrement('k', 2, readOnce({ ttl: 5 }).object), 1)
    t.deepEqual(counting.reads, { ttl: 1 })
    const loading = readOnce({ ttl: 5, timeout: 5 })
    t.is(await each.getOrSet('loaded', () => 7, loading.object), 7)
    t.deepEqual(loading.reads, { ttl: 1, timeout: 1 })
    const saving = readOnce({ format: 'pickle' as const })
    t.true((await each.save(path, saving.object)).ok)
    t.true((await each.load(path, readOnce({ format: 'pickle' as const }).object)).ok)
    t.deepEqual(saving.reads, { format: 1 })
    cache.clear()
  }
})

test('every part of a step and of a condition is read once', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const condition = readOnce({ key: 'n', exists: false })
  const step = readOnce({ type: 'increment' as const, key: 'n', by: 2, ttl: 5, when: condition.object })
  const requirement = readOnce({ type: 'require' as const, key: 'n', atLeast: 2, atMost: 2 })
  t.deepEqual(await client.transact([step.object, requirement.object]), [2, true])
  t.deepEqual(step.reads, { type: 1, key: 1, by: 1, ttl: 1, when: 1 })
  t.deepEqual(condition.reads, { key: 1, exists: 1 })
  t.deepEqual(requirement.reads, { type: 1, key: 1, atLeast: 1, atMost: 1 })
})

test('buffers to transfer are also read once', async (t) => {
  const { cache } = await openMemory(t)
  const client = await connect(cache.share())
  const bytes = new Uint8Array(100).fill(5)
  const options = readOnce({ transfer: [bytes.buffer as ArrayBuffer], ttl: 5, only: 'absent' as const })
  t.true(await client.set('k', bytes, options.object))
  t.deepEqual(options.reads, { transfer: 1, ttl: 1, only: 1 })
  t.is(bytes.byteLength, 0)
})
