import test, { type ExecutionContext } from 'ava'
import { assign, createActor, fromCallback, sendTo, setup, spawnChild, stopChild, waitFor } from 'xstate'
import {
  type Cache,
  CacheClosedError,
  CacheError,
  type CacheMessage,
  type CacheReply,
  cacheLogic,
  type Journal,
  memoryJournal,
  openCache,
  ValueError,
} from '../../../src/index.js'
import { CountingClock } from '../../helpers/counting-clock.js'
import { loopTurn, until } from '../../helpers/loop-turn.js'
import { openMemory } from '../../helpers/open-memory.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

/** Collects replies. */
class Inbox {
  readonly replies: CacheReply[] = []
  readonly send = (reply: unknown): void => {
    this.replies.push(reply as CacheReply)
  }

  get last(): CacheReply {
    return this.replies.at(-1) as CacheReply
  }
}

function ask(cache: Cache, message: CacheMessage): CacheReply {
  const inbox = new Inbox()
  cache.actor.send({ ...message, replyTo: inbox })
  return inbox.last
}

/** The entries of a journal once its cache has released it. */
async function entriesWhenReleased(journal: Journal): Promise<[string, unknown][]> {
  let cache: Cache | undefined
  await until(async () => {
    cache = await openCache({ journal }).catch(() => undefined)
    return cache !== undefined
  }, 'the journal is released')
  const entries = [...(cache as Cache).entries()]
  await cache?.close()
  return entries
}

function accepted(t: ExecutionContext, reply: CacheReply | undefined, value: unknown): void {
  t.deepEqual(reply, { type: 'reply', ok: true, value })
}

test('every command can be sent by its name, and replies to replyTo before send returns', async (t) => {
  const { cache } = await openMemory(t)
  accepted(t, ask(cache, { type: 'set', key: 'a', value: 1, ttl: 10 }), true)
  accepted(t, ask(cache, { type: 'set', key: 'a', value: 2, only: 'absent' }), false)
  accepted(t, ask(cache, { type: 'get', key: 'a' }), 1)
  accepted(t, ask(cache, { type: 'get', key: 'nothing' }), undefined)
  accepted(t, ask(cache, { type: 'peek', key: 'a' }), 1)
  accepted(t, ask(cache, { type: 'has', key: 'a' }), true)
  accepted(t, ask(cache, { type: 'entry', key: 'nothing' }), undefined)
  accepted(t, ask(cache, { type: 'touch', key: 'a', ttl: 10 }), true)
  accepted(t, ask(cache, { type: 'touch', key: 'nothing' }), false)
  accepted(t, ask(cache, { type: 'set', key: 'a', value: 1, ttl: 'keep' }), true)
  accepted(t, ask(cache, { type: 'hasMany', keys: ['a', 'b'] }), [true, false])
  accepted(t, ask(cache, { type: 'exists', key: 'b' }), false)
  accepted(t, ask(cache, { type: 'ttl', key: 'a' }), 10)
  accepted(t, ask(cache, { type: 'expire', key: 'a', ttl: 20 }), true)
  accepted(t, ask(cache, { type: 'persist', key: 'a' }), true)
  accepted(t, ask(cache, { type: 'increment', key: 'n' }), 1)
  accepted(t, ask(cache, { type: 'increment', key: 'n', by: 5, ttl: 10 }), 6)
  accepted(t, ask(cache, { type: 'decrement', key: 'n', by: 2 }), 4)
  accepted(t, ask(cache, { type: 'setMany', entries: [['b', 3]], ttl: 5 }), 1)
  accepted(t, ask(cache, { type: 'getMany', keys: ['a', 'b'] }), [1, 3])
  accepted(t, ask(cache, { type: 'keys' }), ['n', 'a', 'b'])
  accepted(t, ask(cache, { type: 'keys', pattern: 'b*' }), ['b'])
  accepted(t, ask(cache, { type: 'entries', pattern: '[ab]' }), [
    ['a', 1],
    ['b', 3],
  ])
  accepted(t, ask(cache, { type: 'keys', pattern: { prefix: 'b' } }), ['b'])
  accepted(t, ask(cache, { type: 'scan', prefix: 'n', limit: 100 }), { keys: ['n'], cursor: undefined })
  accepted(
    t,
    ask(cache, {
      type: 'setMany',
      entries: [
        ['p:1', 1, { ttl: 5 }],
        ['p:2', 2],
      ],
    }),
    2,
  )
  accepted(t, ask(cache, { type: 'take', key: 'p:1' }), 1)
  accepted(t, ask(cache, { type: 'entry', key: 'p:2' }), { value: 2, tags: [] })
  accepted(t, ask(cache, { type: 'deletePrefix', prefix: 'p:' }), 1)
  accepted(t, ask(cache, { type: 'set', key: 's', value: 1, ttl: 0, stale: 5, tags: ['t'] }), true)
  accepted(t, ask(cache, { type: 'get', key: 's' }), undefined)
  accepted(t, ask(cache, { type: 'get', key: 's', stale: true }), 1)
  accepted(t, ask(cache, { type: 'expireTag', tags: ['t', 'u'] }), 0)
  accepted(t, ask(cache, { type: 'deleteTag', tags: new Set(['t']), prefix: 'x' }), 0)
  accepted(t, ask(cache, { type: 'deleteTag', tags: new Set(['t']) }), 1)
  accepted(t, ask(cache, { type: 'size' }), 3)
  accepted(t, ask(cache, { type: 'cleanup' }), 0)
  accepted(t, ask(cache, { type: 'deleteMany', keys: ['b', 'x'] }), 1)
  accepted(t, ask(cache, { type: 'deletePattern', pattern: 'n' }), 1)
  accepted(t, ask(cache, { type: 'delete', key: 'a' }), true)
  accepted(t, ask(cache, { type: 'transact', fn: () => cache.set('z', 1) && 'done' }), 'done')
  t.deepEqual(ask(cache, { type: 'stats' }), { type: 'reply', ok: true, value: cache.stats() })
  accepted(t, ask(cache, { type: 'clear' }), undefined)
  t.is(cache.size, 0)
})

test('asynchronous commands reply when they have finished', async (t) => {
  const { cache } = await openMemory(t)
  const inbox = new Inbox()
  const replyTo = inbox as never
  cache.set('a', 1)
  for (const message of [
    { type: 'flush' },
    { type: 'getOrSet', key: 'b', loader: async () => 2, ttl: 5 },
    { type: 'compact' },
    { type: 'close' },
  ] as CacheMessage[]) {
    const before = inbox.replies.length
    cache.actor.send({ ...message, replyTo })
    t.is(inbox.replies.length, before)
    await until(() => inbox.replies.length > before, message.type)
    t.true(inbox.last.ok, message.type)
  }
  t.is(inbox.replies[0]?.ok && inbox.replies[0].value, 1)
  t.is(inbox.replies[1]?.ok && inbox.replies[1].value, 2)
})

test('the id of a message is in its reply', async (t) => {
  const { cache } = await openMemory(t)
  const inbox = new Inbox()
  cache.actor.send({ type: 'get', key: 'a', id: 7, replyTo: inbox })
  cache.actor.send({ type: 'increment', key: 5 as never, id: 8, replyTo: inbox })
  t.like(inbox.replies[0], { ok: true, id: 7 })
  t.like(inbox.replies[1], { ok: false, id: 8 })
})

test('a refusal is a reply with the error that the method throws', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('text', 'x')
  const refusals: [CacheMessage, { new (...parameters: never[]): Error }][] = [
    [{ type: 'increment', key: 'text' }, ValueError],
    [{ type: 'set', key: 'a', value: undefined }, ValueError],
    [{ type: 'set', key: 5 as never, value: 1 }, TypeError],
    [{ type: 'set', key: 'a', value: 1, ttl: -1 }, RangeError],
    [{ type: 'set', key: 'a', value: 1, ttl: 1, expiresAt: 1 }, TypeError],
    [{ type: 'get' } as never, TypeError],
    [{ type: 'deletePattern' } as never, TypeError],
    [{ type: 'setMany' } as never, TypeError],
    [{ type: 'transact' } as never, TypeError],
    [
      {
        type: 'transact',
        fn: () => {
          throw new EvalError('mine')
        },
      },
      EvalError,
    ],
    [{ type: 'fly' } as never, CacheError],
    [{ type: 'toString' } as never, CacheError],
    [{ type: '__proto__' } as never, CacheError],
    [{ type: '' } as never, CacheError],
  ]
  for (const [message, kind] of refusals) {
    const reply = ask(cache, message)
    t.false(reply.ok, message.type)
    t.true(!reply.ok && reply.error instanceof kind, `${message.type}: ${!reply.ok && String(reply.error)}`)
  }
  t.is(cache.actor.getSnapshot().status, 'active')
  t.deepEqual(cache.keys(), ['text'])
  accepted(t, ask(cache, { type: 'get', key: 'text' }), 'x')
})

test('a rejection is a reply, too', async (t) => {
  const { cache } = await openMemory(t)
  const inbox = new Inbox()
  cache.actor.send({
    type: 'getOrSet',
    key: 'a',
    loader: () => Promise.reject(new EvalError('mine')),
    replyTo: inbox,
  } as never)
  await until(() => inbox.replies.length === 1, 'a reply')
  t.true(inbox.last.ok === false && inbox.last.error instanceof EvalError)
})

test('without a replyTo commands work, and refusals are emitted', async (t) => {
  const { cache } = await openMemory(t)
  const refused: unknown[] = []
  cache.actor.on('refused' as never, (event: unknown) => refused.push(event))
  cache.actor.send({ type: 'set', key: 'a', value: 1 })
  t.is(cache.get('a'), 1)
  cache.actor.send({ type: 'set', key: 'a', value: undefined })
  cache.actor.send({ type: 'getOrSet', key: 'b', loader: () => Promise.reject(new Error('mine')) })
  await loopTurn()
  t.is(refused.length, 2)
  t.true((refused[0] as { error: unknown }).error instanceof ValueError)
  t.is((refused[1] as { error: Error }).error.message, 'mine')
})

for (const [what, replyTo] of [
  ['a number', 42],
  ['text', 'someone'],
  ['null', null],
  ['an object without send', {}],
  [
    'an object whose send throws',
    {
      send() {
        throw new Error('mine')
      },
    },
  ],
] as const) {
  test(`a replyTo that is ${what} does not end the actor`, async (t) => {
    const { cache } = await openMemory(t)
    for (const message of [
      { type: 'get', key: 'a' },
      { type: 'get', key: 5 },
      { type: 'getOrSet', key: 'a', loader: () => 1 },
      { type: 'flush' },
    ]) {
      cache.actor.send({ ...message, replyTo } as never)
    }
    await loopTurn()
    await loopTurn()
    t.is(cache.actor.getSnapshot().status, 'active')
    accepted(t, ask(cache, { type: 'has', key: 'zzz' }), false)
  })
}

test('after close the actor refuses every message but close', async (t) => {
  const { cache } = await openMemory(t)
  await cache.close()
  for (const message of [
    { type: 'get', key: 'a' },
    { type: 'set', key: 'a', value: 1 },
    { type: 'flush' },
    { type: 'stats' },
    { type: 'size' },
    { type: 'keys' },
  ] as const) {
    const inbox = new Inbox()
    cache.actor.send({ ...message, replyTo: inbox })
    await until(() => inbox.replies.length === 1, message.type)
    t.true(inbox.last.ok === false && inbox.last.error instanceof CacheClosedError, message.type)
  }
  const inbox = new Inbox()
  cache.actor.send({ type: 'close', replyTo: inbox })
  await until(() => inbox.replies.length === 1, 'close')
  t.true(inbox.last.ok)
})

// ── turns ──

test('a message sent inside a transaction is handled after it, even when that throws', async (t) => {
  const { cache } = await openMemory(t)
  const inbox = new Inbox()
  cache.transact(() => {
    cache.set('a', 1)
    cache.actor.send({ type: 'get', key: 'a', replyTo: inbox })
    t.is(inbox.replies.length, 0)
    cache.set('a', 2)
  })
  accepted(t, inbox.last, 2)
  t.throws(() =>
    cache.transact(() => {
      cache.set('a', 3)
      cache.actor.send({ type: 'increment', key: 'a', replyTo: inbox })
      throw new Error('undo')
    }),
  )
  accepted(t, inbox.last, 3)
  t.is(cache.get('a'), 3)
})

test('a message sent by a subscriber is a turn of its own, and so is a call', async (t) => {
  const { cache } = await openMemory(t)
  const inbox = new Inbox()
  const seen: unknown[] = []
  cache.changes$.subscribe(({ key, value }) => {
    seen.push([key, value])
    if (key === 'a') {
      cache.actor.send({ type: 'set', key: 'sent', value: 1, replyTo: inbox })
      cache.set('called', 1)
    }
  })
  cache.actor.send({ type: 'set', key: 'a', value: 1, replyTo: inbox })
  t.is(seen.length, 3)
  t.deepEqual(seen[0], ['a', 1])
  t.is(inbox.replies.length, 2)
  t.deepEqual(cache.getMany(['sent', 'called']), [1, 1])
})

test('the receiver of a reply can send the next message at once', async (t) => {
  const { cache } = await openMemory(t)
  const replies: unknown[] = []
  const replyTo = {
    send: (reply: CacheReply) => {
      replies.push(reply.ok && reply.value)
      if (replies.length < 1_000) cache.actor.send({ type: 'increment', key: 'n', replyTo })
    },
  }
  cache.actor.send({ type: 'increment', key: 'n', replyTo })
  t.is(replies.length, 1_000)
  t.is(cache.get('n'), 1_000)
})

test('stopping the actor inside a transaction closes the cache after the turn, which is kept', async (t) => {
  const { cache, journal } = await openMemory(t)
  cache.set('x', 0)
  cache.set('y', 0)
  cache.get('x')
  await loopTurn()
  cache.transact(() => {
    cache.set('a', 1)
    cache.actor.stop()
    cache.set('b', 2)
  })
  t.throws(() => cache.get('a'), { instanceOf: CacheClosedError })
  await cache.close()
  const again = await openCache({ journal })
  t.deepEqual(again.keys(), ['y', 'x', 'a', 'b'])
  t.true(again.recovery.clean)
  await again.close()
})

// ── as an XState actor ──

test('its snapshot shows whether the cache is open, and none of the data', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('secret', 'value')
  const snapshot = cache.actor.getSnapshot()
  t.like(snapshot, { status: 'active', isOpen: true })
  t.false(JSON.stringify(cache.actor.getPersistedSnapshot()).includes('secret'))
})

test('its persisted snapshot names the directory, and survives JSON', async (t) => {
  const directory = temporaryDirectory(t)
  const cache = await openCache({ directory })
  cache.set('secret', 'value')
  const persisted = JSON.parse(JSON.stringify(cache.actor.getPersistedSnapshot()))
  t.deepEqual(persisted, { status: 'active', directory })
  await cache.close()
  const restored = createActor(cacheLogic({ directory }), { snapshot: persisted }).start()
  const inbox = new Inbox()
  restored.send({ type: 'get', key: 'secret', replyTo: inbox })
  await until(() => inbox.replies.length === 1, 'a reply')
  accepted(t, inbox.last, 'value')
  restored.send({ type: 'close', replyTo: inbox })
  await until(() => inbox.replies.length === 2, 'closed')
})

test('messages do not create new snapshots', async (t) => {
  const { cache } = await openMemory(t)
  const seen = new Set<unknown>([cache.actor.getSnapshot()])
  cache.actor.subscribe((snapshot) => seen.add(snapshot))
  for (let index = 0; index < 10; index++) ask(cache, { type: 'set', key: 'a', value: index })
  t.is(seen.size, 1)
})

test('a machine can invoke the logic and receive its replies', async (t) => {
  const journal = memoryJournal()
  const clock = new CountingClock()
  const machine = setup({
    types: { context: {} as { replies: unknown[] }, events: {} as CacheReply },
    actors: { cache: cacheLogic({ journal, clock }) },
  }).createMachine({
    context: { replies: [] },
    invoke: { src: 'cache', id: 'cache' },
    entry: [
      sendTo('cache', ({ self }) => ({ type: 'set', key: 'a', value: { n: 1 }, replyTo: self })),
      sendTo('cache', ({ self }) => ({ type: 'get', key: 'a', replyTo: self })),
      sendTo('cache', ({ self }) => ({ type: 'increment', key: 'a', replyTo: self })),
    ],
    on: {
      reply: {
        actions: assign({
          replies: ({ context, event }) => [...context.replies, event.ok ? event.value : (event.error as Error).name],
        }),
      },
    },
  })
  const actor = createActor(machine).start()
  await waitFor(actor, ({ context }) => context.replies.length >= 3)
  t.deepEqual(actor.getSnapshot().context.replies.slice(0, 3), [true, { n: 1 }, 'ValueError'])
  actor.stop()
  t.deepEqual(await entriesWhenReleased(journal), [['a', { n: 1 }]])
})

test('a machine can spawn the logic and stop it', async (t) => {
  const journal = memoryJournal()
  const parent = setup({ actors: { cache: cacheLogic({ journal }) } }).createMachine({
    entry: spawnChild('cache', { id: 'cache' }),
    on: { done: { actions: stopChild('cache') } },
  })
  const actor = createActor(parent).start()
  const inbox = new Inbox()
  const child = (actor.getSnapshot() as unknown as { children: Record<string, Inbox> }).children['cache']
  child?.send({ type: 'set', key: 'a', value: 1, replyTo: inbox })
  await until(() => inbox.replies.length === 1, 'a reply')
  actor.send({ type: 'done' })
  t.deepEqual(await entriesWhenReleased(journal), [['a', 1]])
})

test('a parent receives the error of a cache that fails to open', async (t) => {
  const journal = memoryJournal()
  const holder = await openCache({ journal })
  const machine = setup({ actors: { cache: cacheLogic({ journal }) } }).createMachine({
    initial: 'opening',
    context: { error: undefined as unknown },
    states: {
      opening: {
        invoke: {
          src: 'cache',
          onError: { target: 'failed', actions: assign({ error: ({ event }) => event.error }) },
        },
      },
      failed: {},
    },
  })
  const actor = createActor(machine).start()
  await waitFor(actor, (snapshot) => snapshot.value === 'failed')
  t.is((actor.getSnapshot().context.error as CacheError).code, 'CACHE_LOCKED')
  await holder.close()
})

test('two actors of one logic are two caches', async (t) => {
  const logic = cacheLogic({ directory: undefined, journal: memoryJournal() })
  const first = createActor(logic).start()
  const errors: unknown[] = []
  const second = createActor(logic)
  second.subscribe({ error: (error) => errors.push(error) })
  second.start()
  await until(() => errors.length === 1, 'the second one is refused')
  t.is((errors[0] as CacheError).code, 'CACHE_LOCKED')
  t.is(first.getSnapshot().status, 'active')
  first.stop()
})

test('a persisted parent restores the cache from its journal, not from the snapshot', async (t) => {
  const journal = memoryJournal()
  const machine = setup({ actors: { cache: cacheLogic({ journal }) } }).createMachine({
    invoke: { src: 'cache', id: 'cache' },
  })
  const first = createActor(machine).start()
  const inbox = new Inbox()
  const childOf = (actor: typeof first) =>
    (actor.getSnapshot() as unknown as { children: Record<string, Inbox> }).children['cache'] as unknown as Inbox
  childOf(first).send({ type: 'set', key: 'secret', value: 'kept', replyTo: inbox })
  await until(() => inbox.replies.length === 1, 'a reply')
  const persisted = JSON.parse(JSON.stringify(first.getPersistedSnapshot()))
  t.false(JSON.stringify(persisted).includes('secret'))
  childOf(first).send({ type: 'close', replyTo: inbox })
  await until(() => inbox.replies.length === 2, 'closed')
  first.stop()
  const second = createActor(machine, { snapshot: persisted }).start()
  childOf(second).send({ type: 'get', key: 'secret', replyTo: inbox })
  await until(() => inbox.replies.length === 3, 'a reply')
  accepted(t, inbox.last, 'kept')
  second.stop()
})

test('a callback actor can receive the reply', async (t) => {
  const { cache } = await openMemory(t)
  const received: unknown[] = []
  const listener = createActor(
    fromCallback(({ receive }) => {
      receive((event) => received.push(event))
    }),
  ).start()
  cache.actor.send({ type: 'increment', key: 'n', replyTo: listener })
  t.deepEqual(received, [{ type: 'reply', ok: true, value: 1 }])
})

// ── inspection ──

test('an inspector sees every message and every call once', async (t) => {
  const seen: string[] = []
  let cacheActor: unknown
  const { cache } = await openMemory(t, {
    inspect: (inspection) => {
      if (inspection.type === '@xstate.event' && inspection.actorRef === cacheActor) seen.push(inspection.event.type)
    },
  })
  cacheActor = cache.actor
  const calls: [string, () => unknown][] = [
    ['set', () => cache.set('a', 1, { ttl: 10 })],
    ['get', () => cache.get('a')],
    ['peek', () => cache.peek('a')],
    ['has', () => cache.has('a')],
    ['exists', () => cache.exists('a')],
    ['increment', () => cache.increment('n')],
    ['decrement', () => cache.decrement('n')],
    ['ttl', () => cache.ttl('a')],
    ['expire', () => cache.expire('a', 5)],
    ['persist', () => cache.persist('a')],
    ['getMany', () => cache.getMany(['a'])],
    ['setMany', () => cache.setMany([['b', 1]])],
    ['keys', () => cache.keys('*')],
    ['entries', () => cache.entries()],
    ['stats', () => cache.stats()],
    ['cleanup', () => cache.cleanup()],
    ['deleteMany', () => cache.deleteMany(['b'])],
    ['deletePattern', () => cache.deletePattern('zzz')],
    ['deleteTag', () => cache.deleteTag('t')],
    ['expireTag', () => cache.expireTag('t')],
    ['delete', () => cache.delete('a')],
    ['clear', () => cache.clear()],
    ['getOrSet', () => cache.getOrSet('a', () => 1)],
    ['flush', () => cache.flush()],
    ['compact', () => cache.compact()],
    ['increment', () => cache.actor.send({ type: 'increment', key: 'n' })],
  ]
  for (const [name, call] of calls) {
    seen.length = 0
    await call()
    t.deepEqual(seen, [name])
  }
  seen.length = 0
  cache.transact(() => cache.set('a', 1))
  t.deepEqual(seen, ['transact', 'set'])
})

test('an inspector sees arguments under the names that messages use', async (t) => {
  const seen: object[] = []
  const { cache } = await openMemory(t, {
    inspect: {
      next: (inspection) => {
        if (inspection.type === '@xstate.event' && /set|Tag/.test(inspection.event.type)) seen.push(inspection.event)
      },
    },
  })
  cache.set('a', 1, { ttl: 5 })
  t.like(seen[0], { type: 'set', key: 'a', value: 1, ttl: 5 })
  cache.deleteTag('t', 'u')
  t.like(seen[1], { type: 'deleteTag', tags: ['t', 'u'] })
  cache.namespace('n:').expireTag('t')
  t.like(seen[2], { type: 'expireTag', tags: ['t'], prefix: 'n:' })
})

test('with an inspector calls return and throw as without one', async (t) => {
  const { cache } = await openMemory(t, { inspect: () => undefined })
  t.true(cache.set('a', 1))
  t.is(cache.get('a'), 1)
  t.throws(() => cache.set('a', undefined), { instanceOf: ValueError })
  t.is(cache.increment('n', 2), 2)
  t.is(
    cache.transact(() => cache.decrement('n')),
    1,
  )
  t.is(await cache.getOrSet('b', () => 3), 3)
})

test('a message with an argument that does not exist is refused with the nearest that does, and changes nothing', async (t) => {
  const { cache } = await openMemory(t)
  cache.set('key', 1)
  for (const [message, name, nearest] of [
    [{ type: 'set', key: 'key', vlaue: 2, value: 2 }, 'vlaue', 'value'],
    [{ type: 'set', key: 'key', value: 2, tll: undefined }, 'tll', 'ttl'],
    [{ type: 'delete', key: 'key', kye: 'key' }, 'kye', 'key'],
    [{ type: 'deletePattern', pattern: '*', patern: '' }, 'patern', 'pattern'],
    [{ type: 'size', replyto: undefined }, 'replyto', 'replyTo'],
  ] as const) {
    const reply = ask(cache, message as never)
    t.false(reply.ok, name)
    const { error } = reply as { error: Error }
    t.is(error.name, 'TypeError')
    t.true(error.message.startsWith(`'${name}' is not an argument here. Did you mean ${nearest}?`), error.message)
  }
  t.is(cache.peek('key'), 1)
  t.true(ask(cache, { type: 'set', key: 'key', value: 2, id: 7 }).ok)
})
