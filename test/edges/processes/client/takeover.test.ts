/** What a shared cache promises while its owner changes. The owners here close in order; kills.test.ts kills them. */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import test from 'ava'
import { filter, firstValueFrom, type Observable, take, toArray } from 'rxjs'
import { writeSocket } from '../../../../src/durable/storage/owner-file.js'
import { bind, removeSocket } from '../../../../src/durable/storage/socket-path.js'
import { ownerGreeting } from '../../../../src/edges/processes/greeting.js'
import { SocketLine } from '../../../../src/edges/processes/line/socket-line.js'
import { CLOSED } from '../../../../src/edges/remote/wire/protocol.js'
import { toWireError } from '../../../../src/edges/remote/wire/wire-error.js'
import { CacheClosedError, CacheError, openCache } from '../../../../src/index.js'
import type { Role } from '../../../../src/processes.js'
import { sharedPlace } from '../../../helpers/edges/shared.js'

test('the first process owns the cache, the others are its clients, and each knows', async (t) => {
  const { join } = sharedPlace(t)
  const first = await join({ owner: 'prefer' })
  const second = await join()
  t.deepEqual(await firstValueFrom(first.role$), { role: 'owner', pid: process.pid })
  t.deepEqual(await firstValueFrom(second.role$), { role: 'client', pid: process.pid })
  t.is(await first.increment('visits'), 1)
  t.is(await second.increment('visits'), 2)
})

test('when the owner closes, another process takes over, and calls that were made meanwhile take effect once', async (t) => {
  const { join } = sharedPlace(t)
  const first = await join({ owner: 'prefer' })
  const second = await join({ owner: 'prefer' })
  const third = await join({ owner: 'never' })
  const roles: Role['role'][] = []
  second.role$.subscribe(({ role }) => roles.push(role))
  const calls: Promise<number>[] = []
  for (let count = 0; count < 50; count++) calls.push(third.increment('visits'))
  const closing = first.close()
  for (let count = 0; count < 50; count++) calls.push(third.increment('visits'))
  await closing
  for (let count = 0; count < 50; count++) calls.push(third.increment('visits'))
  t.deepEqual(
    await Promise.all(calls),
    Array.from({ length: 150 }, (_, at) => at + 1),
  )
  t.deepEqual(roles, ['client', 'reconnecting', 'owner'])
  t.is(await second.get('visits'), 150)
})

test("with fsync: 'always' a call resolves when its change is on disk", async (t) => {
  const { join } = sharedPlace(t)
  await join({ owner: 'prefer', fsync: 'always' })
  const client = await join({ owner: 'never' })
  for (let count = 1; count <= 5; count++) {
    await client.increment('n')
    t.true((await client.stats()).journal.durableSequence >= count)
  }
})

test('closing completes the streams, and role$', async (t) => {
  const { join } = sharedPlace(t)
  await join({ owner: 'prefer' })
  const client = await join({ owner: 'never' })
  const streams: Observable<unknown>[] = [client.changes$, client.stats$, client.lifecycle$, client.role$]
  const ends = streams.map((stream) => firstValueFrom(stream.pipe(toArray())))
  await client.get('a')
  await client.close()
  t.is((await Promise.all(ends)).length, 4)
  await t.throwsAsync(client.get('a'), { code: 'CACHE_CLOSED' })
})

test('changes$ goes on after the last sequence over a takeover, without a gap', async (t) => {
  const { join } = sharedPlace(t)
  const first = await join({ owner: 'prefer' })
  await join({ owner: 'prefer' })
  const third = await join<number>({ owner: 'never' })
  const sequences = firstValueFrom(third.changes$.pipe(take(40), toArray()))
  for (let count = 0; count < 20; count++) await third.set('a', count)
  const closing = first.close()
  for (let count = 0; count < 20; count++) await third.set('a', count)
  await closing
  t.deepEqual(
    (await sequences).map(({ sequence }) => sequence),
    Array.from({ length: 40 }, (_, at) => at + 1),
  )
})

test('the other streams subscribe again', async (t) => {
  const { join } = sharedPlace(t)
  const first = await join({ owner: 'prefer' })
  await join({ owner: 'prefer' })
  const third = await join<number>({ owner: 'never' })
  const watched = firstValueFrom(third.watch('after *').pipe(filter(({ type }) => type === 'set')))
  const states = firstValueFrom(third.lifecycle$.pipe(take(2), toArray()))
  await third.set('before', 1)
  await first.close()
  await third.set('after all', 1)
  t.like(await watched, { key: 'after all', value: 1 })
  t.is((await states).at(-1)?.state, 'running')
})

test('whoever takes over keeps the limits of the journal and the default ttl of the owner before', async (t) => {
  const { join } = sharedPlace(t)
  const first = await join({ owner: 'prefer', maxSize: 7, ttl: 60 })
  const second = await join({ owner: 'prefer', maxSize: 2, ttl: 5 })
  for (let count = 0; count < 7; count++) await second.set(`key ${count}`, count)
  const warned = firstValueFrom(second.role$.pipe(filter(({ role }) => role === 'owner')))
  await first.close()
  const { warning } = await warned
  t.is(warning?.code, 'OPTIONS_DIFFER')
  t.regex(String(warning?.message), /maxSize is 7, not 2, ttl is 60, not 5/)
  await second.set('key 0', 0)
  t.is(await second.size, 7)
  await second.set('key 7', 7)
  t.is(await second.size, 7)
  t.true(((await second.ttl('key 0')) ?? 0) > 50)
})

test('whoever takes over keeps as much of the past as the owner before', async (t) => {
  const { join } = sharedPlace(t)
  const owning = ({ role$ }: { role$: Observable<Role> }) =>
    firstValueFrom(role$.pipe(filter(({ role }) => role === 'owner')))
  const first = await join({ owner: 'prefer', history: { keep: '1h', bytes: 1_000_000 } })
  const second = await join<number>({ owner: 'prefer' })
  await second.set('a', 1)
  await second.set('a', 2)
  await first.close()
  const { warning } = await owning(second)
  t.is(warning?.code, 'OPTIONS_DIFFER')
  t.regex(String(warning?.message), /history is 3600 s and 1000000 bytes, not none\./)
  await second.compact()
  const third = await join<number>({ owner: 'prefer', history: { keep: 3_600, bytes: 1_000_000 } })
  await second.close()
  t.is((await owning(third)).warning, undefined)
  await third.set('b', 1)
  await third.compact()
  t.is(await (await third.at({ sequence: 1 })).get('a'), 1)
})

test('where no process may own the cache, openShared and calls reject with OWNER_UNAVAILABLE in time', async (t) => {
  const { directory, join } = sharedPlace(t)
  await t.throwsAsync(join({ owner: 'never', reconnectTimeout: '700ms' }), {
    code: 'OWNER_UNAVAILABLE',
    instanceOf: CacheError,
  })
  const owner = await join({ owner: 'prefer' })
  const client = await join({ owner: 'never', reconnectTimeout: '700ms' })
  const load = client.getOrSet('loading', () => new Promise<never>(() => undefined))
  await owner.close()
  await t.throwsAsync(client.set('a', 1), { code: 'OWNER_UNAVAILABLE' })
  await t.throwsAsync(load, { code: 'OWNER_UNAVAILABLE' })
  const again = await join({ owner: 'prefer' })
  t.is(await client.get('a'), undefined)
  t.is(await client.increment('a'), 1)
  await again.close()
  const alone = await openCache({ directory })
  t.is(alone.get('a'), 1)
  const { message } = await t.throwsAsync(join({ reconnectTimeout: '700ms' }), { code: 'OWNER_UNAVAILABLE' })
  t.regex(message, /is open in another cache, in this process\)/)
  await alone.close()
})

test('one load per key across all processes; after a takeover loads begin anew', async (t) => {
  const { join } = sharedPlace(t)
  const first = await join({ owner: 'prefer' })
  const second = await join<string>({ owner: 'prefer' })
  const third = await join<string>({ owner: 'never' })
  let loads = 0
  let finish = (_: string): void => undefined
  const load = () => {
    loads++
    return new Promise<string>((resolve) => {
      finish = resolve
    })
  }
  const waiting = [second.getOrSet('a', load), third.getOrSet('a', load)]
  await third.get('a')
  t.is(loads, 1)
  await first.close()
  await third.get('a')
  finish('loaded')
  t.deepEqual(await Promise.all(waiting), ['loaded', 'loaded'])
  t.is(await third.get('a'), 'loaded')
})

test('a loader whose process ends hands its place to the next one that waits', async (t) => {
  const { join } = sharedPlace(t)
  await join({ owner: 'prefer' })
  const second = await join<string>({ owner: 'never' })
  const third = await join<string>({ owner: 'never' })
  const abandoned = second.getOrSet('a', () => new Promise<never>(() => undefined))
  await second.get('a')
  const waiting = third.getOrSet('a', () => 'loaded by the third')
  await third.get('a')
  await Promise.all([second.close(), t.throwsAsync(abandoned, { code: 'CACHE_CLOSED' })])
  t.is(await waiting, 'loaded by the third')
})

test('an owner that closes in order answers the loads and restores that it has begun: they take effect once', async (t) => {
  const { directory, join } = sharedPlace(t)
  const first = await join({ owner: 'prefer', history: '1h' })
  const second = await join<number>({ owner: 'prefer', history: '1h' })
  await second.set('a', 1)
  const path = `${directory}-saved`
  await second.save(path)
  await second.set('a', 2)
  const calls = [second.load(path), second.restore({ sequence: 1 }, { pattern: 'none' })] as const
  await second.get('a') // they have begun
  await first.close()
  const [loaded, restored] = await Promise.all(calls)
  t.like(loaded, { ok: true })
  t.like(restored, { set: 0, deleted: 0 })
  t.is(await second.get('a'), 1)
})

for (const goodbye of [true, false])
  test(`an owner that ends right after its greeting, ${goodbye ? 'with' : 'without'} a goodbye: the client looks for another one`, async (t) => {
    const { directory, join } = sharedPlace(t)
    const server = createServer((socket) => {
      const line = new SocketLine(socket)
      line.onMessage(() => {
        server.close()
        removeSocket(path)
        line.greet(ownerGreeting({ ttlMs: Number.POSITIVE_INFINITY, eviction: 'lru', retention: undefined }))
        if (goodbye) line.post([[CLOSED, toWireError(new CacheClosedError('The owner of the cache has closed it'))]])
        socket.destroySoon() // so that all of it arrives together
      })
    })
    const path = await bind(server, directory)
    writeSocket(directory, path)
    const cache = await join({ owner: 'prefer' })
    t.is(await cache.increment('n'), 1)
    t.is((await firstValueFrom(cache.role$)).role, 'owner')
  })

test('an option that does not exist, or that only one process can have, is a TypeError', async (t) => {
  const { join } = sharedPlace(t)
  for (const options of [
    { maxsize: 1 },
    { clock: undefined },
    { isolation: 'share' },
    { journal: undefined },
    { lock: false },
  ])
    await t.throwsAsync(join(options as never), { instanceOf: TypeError })
  await t.throwsAsync(join({ lock: false as never }), { message: /lock must be true or omitted/ })
  t.is(await (await join({ lock: true })).increment('n'), 1)
  await t.throwsAsync(join({ owner: 'always' as never }), { instanceOf: TypeError })
  await t.throwsAsync(join({ maxSize: 0 }), { instanceOf: RangeError })
})

test('a directory in which other users could put a socket is refused', async (t) => {
  const { directory, join } = sharedPlace(t)
  const open = `${directory}/open`
  mkdirSync(open)
  const { chmodSync } = await import('node:fs')
  chmodSync(open, 0o777)
  await t.throwsAsync(join({ directory: open }), { code: 'JOURNAL_UNREADABLE' })
})
