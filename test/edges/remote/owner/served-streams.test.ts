/** How far a client may fall behind, and what it misses when it does. */
import test from 'ava'
import { Subject } from 'rxjs'
import type { Door } from '../../../../src/cache/door/door.js'
import { EncodedValue } from '../../../../src/core/model/stored-value.js'
import type { Sender } from '../../../../src/edges/remote/owner/sender.js'
import { ServedStreams } from '../../../../src/edges/remote/owner/served-streams.js'
import { END, EVENT_BYTES_MAX, EVENTS, EVENTS_MAX, type Part } from '../../../../src/edges/remote/wire/protocol.js'
import { STRUCTURED } from '../../../../src/edges/remote/wire/wire-value.js'
import type { Cache } from '../../../../src/index.js'

function served() {
  const stats$ = new Subject<object>()
  const changes$ = new Subject<object>()
  const sent: Part[] = []
  const sender = { post: (part: Part) => sent.push(part), send: () => undefined, queueFlush: () => undefined }
  const streams = new ServedStreams(
    { stats$ } as unknown as Cache,
    { streams: { changes$ } } as unknown as Door,
    sender as unknown as Sender,
  )
  return { streams, stats$, changes$, sent }
}

test('stats$ never ends because a client is slow: the client gets the latest stats', (t) => {
  const { streams, stats$, sent } = served()
  streams.subscribe(1, 'stats', undefined)
  const count = Math.max(EVENTS_MAX, Math.ceil(EVENT_BYTES_MAX / 64)) + 10
  for (let size = 0; size < count; size++) {
    stats$.next({ size })
    if (size === 0) streams.flush() // in flight, and not acknowledged for a long time
  }
  streams.flush()
  t.deepEqual(sent.splice(0), [[EVENTS, 1, [{ size: 0 }]]])
  streams.acknowledge(1)
  t.deepEqual(sent.splice(0), [[EVENTS, 1, [{ size: count - 1 }]]])
  streams.acknowledge(1)
  stats$.next({ size: count })
  streams.flush()
  t.deepEqual(sent.splice(0), [[EVENTS, 1, [{ size: count }]]])
})

test('a slow client of stats$ learns that nothing changes any more, so that its rates fall to 0', (t) => {
  const { streams, stats$, sent } = served()
  streams.subscribe(1, 'stats', undefined)
  stats$.next({ atMs: 0, size: 0 })
  streams.flush()
  // Not acknowledged yet.
  for (const [atMs, size] of [
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 3],
    [5, 3],
  ])
    stats$.next({ atMs, size })
  sent.length = 0
  streams.acknowledge(1)
  t.deepEqual(sent, [[EVENTS, 1, [{ atMs: 4, size: 3 }], [{ atMs: 5, size: 3 }]]])
})

test('a value is forwarded as the bytes that the cache holds, which nobody decodes on the way', (t) => {
  const { streams, changes$, sent } = served()
  streams.subscribe(1, 'changes', undefined)
  const value = new EncodedValue('structured', Uint8Array.of(1, 2, 3))
  changes$.next({ type: 'set', key: 'a', value })
  changes$.next({ type: 'set', key: 'b', value: null })
  streams.flush()
  t.deepEqual(sent, [
    [EVENTS, 1, [{ type: 'set', key: 'a' }, [STRUCTURED, value.bytes]], [{ type: 'set', key: 'b' }, null]],
  ])
})

test('a stream of events ends with an error at either limit, after every event before it', (t) => {
  for (const [event, most] of [
    [{ type: 'cleared' }, EVENTS_MAX],
    [{ type: 'set', value: 'x'.repeat(1024 * 1024) }, 63],
  ] as const) {
    const { streams, changes$, sent } = served()
    streams.subscribe(1, 'changes', undefined)
    for (let sequence = 1; sequence <= most; sequence++) changes$.next({ ...event, sequence })
    streams.flush()
    t.false(sent.some(([kind]) => kind === END))
    changes$.next({ ...event, sequence: most + 1 })
    changes$.next({ ...event, sequence: most + 2 })
    streams.flush()
    const [kind, , error] = sent.at(-1) as Part
    t.is(kind, END)
    t.is((error as unknown[])[3], 'SUBSCRIBER_TOO_SLOW')
    t.is(
      sent.reduce((count, part) => count + (part[0] === EVENTS ? part.length - 2 : 0), 0),
      most + 1,
    )
  }
})
