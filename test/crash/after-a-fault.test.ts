/** What a user sees after a fault: the error and its message, `lifecycle$`, what still works, and what reopening reports. */
import test, { type ExecutionContext } from 'ava'
import { connect } from '../../src/edges/threads/threads.js'
import {
  type Cache,
  CacheClosedError,
  CacheError,
  CacheLockedError,
  CorruptionError,
  JournalWriteError,
  type LifecycleState,
} from '../../src/index.js'
import { Stage } from '../helpers/crash/stage.js'
import { type Call, type Fault, failing, SimulatedDisk } from '../helpers/durable/simulated-disk.js'
import { until } from '../helpers/loop-turn.js'

const SEGMENT = '/j/0000000000000001.segment'
const isWrite = (call: Call) => call.name === 'write' && call.path.endsWith('.segment')
const isSync = (call: Call) => call.name === 'sync' && call.path.endsWith('.segment')

interface Begun {
  disk: SimulatedDisk
  stage: Stage
  cache: Cache
  states: LifecycleState[]
}

/** A cache with one durable entry, and the states that it emits. */
async function begin(options: Parameters<Stage['open']>[0] = {}): Promise<Begun> {
  const disk = new SimulatedDisk()
  const stage = new Stage(disk)
  const cache = await stage.open({ fsync: 'never', ...options })
  cache.set('kept', 1)
  await cache.flush()
  await stage.turn()
  const states: LifecycleState[] = []
  cache.lifecycle$.subscribe((state) => states.push(state))
  return { disk, stage, cache, states }
}

interface Seen {
  kind: abstract new (...parameters: never[]) => Error
  code: string
  /** What happened, what it means for the data, what to do. */
  message: RegExp[]
}

function check(t: ExecutionContext, error: unknown, { kind, code, message }: Seen): void {
  t.true(error instanceof kind, `${error}`)
  t.is((error as CacheError).code as string, code)
  t.is((error as CacheError).name, kind.name)
  for (const part of message) t.regex((error as Error).message, part)
}

const caught = (action: () => unknown): unknown => {
  try {
    action()
  } catch (error) {
    return error
  }
  return undefined
}
const rejection = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

test('a failed fsync: read-only until reopened, reads work, and reopening recovers', async (t) => {
  const { disk, stage, cache, states } = await begin()
  disk.plan = failing(isSync, { error: 'EIO' }, { times: 1 })
  cache.set('unknown', 2)
  cache.set('unknown too', 3)
  const error = await rejection(cache.flush())
  check(t, error, {
    kind: JournalWriteError,
    code: 'OUTCOME_UNKNOWN',
    message: [/^The changes 2 to 3 could not be forced to disk/, /EIO/, /open it again/],
  })
  t.is(((error as Error).cause as NodeJS.ErrnoException).code, 'EIO')
  t.deepEqual(
    states.map(({ state }) => state),
    ['running', 'read-only'],
  )
  t.regex(states[1]?.reason ?? '', /EIO/)

  const refused: Seen = {
    kind: JournalWriteError,
    code: 'JOURNAL_READ_ONLY',
    message: [/EIO/, /Nothing was changed, and reads still work\. Close the cache and open it again/],
  }
  check(
    t,
    caught(() => cache.set('more', 4)),
    refused,
  )
  check(t, await rejection(cache.compact()), refused)
  t.is(cache.get('kept'), 1)
  t.is(cache.get('unknown'), 2)
  // The next fsync would succeed, so there must be none.
  check(t, await rejection(cache.flush()), { kind: JournalWriteError, code: 'OUTCOME_UNKNOWN', message: [/2 to 3/] })
  check(t, await rejection(cache.close()), { kind: JournalWriteError, code: 'OUTCOME_UNKNOWN', message: [/2 to 3/] })
  t.is(states.at(-1)?.state, 'closed')
  t.regex(states.at(-1)?.reason ?? '', /2 to 3 could not be forced to disk/)

  const again = await stage.open()
  t.like(again.recovery, { sequence: 3, events: 3, segments: 1, clean: false, setAside: undefined })
  t.deepEqual(again.keys().sort(), ['kept', 'unknown', 'unknown too'])
  t.is(await again.flush(), 3)
  await again.close()
})

for (const [what, fault] of [
  ['no space', { error: 'ENOSPC' }],
  ['no space in the middle of a frame', { error: 'ENOSPC', partial: 30 }],
  ['a file size limit', { error: 'EFBIG' }],
  ['a file system that became read-only', { error: 'EROFS' }],
  ['writes that get nowhere', { short: 0 }],
] as [string, Fault][]) {
  test(`${what}: read-only until the journal can be written, and every call that returned is kept`, async (t) => {
    const { disk, stage, cache, states } = await begin()
    disk.plan = failing(isWrite, fault)
    cache.set('returned', 2)
    const error = await rejection(cache.flush())
    const code = fault.error ?? 'ENOSPC'
    check(t, error, {
      kind: JournalWriteError,
      code: 'JOURNAL_WRITE_FAILED',
      message: [
        /^The change with sequence 2 could not be written/,
        new RegExp(code),
        /stay pending.* retried every second/,
      ],
    })
    t.is(((error as Error).cause as NodeJS.ErrnoException).code, code)
    t.is(states.at(-1)?.state, 'read-only')
    t.regex(states.at(-1)?.reason ?? '', new RegExp(code))
    const refused: Seen = {
      kind: JournalWriteError,
      code: 'JOURNAL_WRITE_FAILED',
      message: [new RegExp(code), /Nothing was changed, and reads still work\. The write is retried every second/],
    }
    for (const mutate of [() => cache.set('refused', 3), () => cache.delete('kept'), () => cache.clear()])
      check(t, caught(mutate), refused)
    t.deepEqual(cache.getMany(['kept', 'returned', 'refused']), [1, 2, undefined])

    disk.plan = undefined
    stage.clock.advance(1)
    t.deepEqual(states.at(-1), { state: 'running' })
    cache.set('after', 4)
    t.is(await cache.flush(), 3)
    stage.kill()
    const again = await stage.open()
    t.like(again.recovery, { sequence: 3, events: 3, setAside: undefined })
    t.deepEqual(again.keys().sort(), ['after', 'kept', 'returned'])
    await again.close()
  })
}

const notClosed: Seen = {
  kind: JournalWriteError,
  code: 'JOURNAL_WRITE_FAILED',
  message: [
    /^The change with sequence 2 could not be written \(ENOSPC/,
    /\. The cache stays open, and reads still work\. What is pending \(1 change, \d+ bytes\) is tried again every second\./,
    /Free some space, then call close\(\) again; close\(\{ force: true \}\) closes without that\.$/,
  ],
}
const gaveUp: Seen = {
  ...notClosed,
  message: [
    /^The change with sequence 2 could not be written \(ENOSPC/,
    /\. Lost: 1 change, \d+ bytes\. The journal ends with sequence 1\. Free some space, open the cache again/,
  ],
}

test('no space at close: it rejects, the cache stays open, and closes when there is room', async (t) => {
  const { disk, stage, cache, states } = await begin()
  disk.plan = failing(isWrite, { error: 'ENOSPC' })
  let loaded!: (value: number) => void
  const load = cache.getOrSet('loading', () => new Promise<number>((resolve) => (loaded = resolve)))
  cache.set('pending', 2, { ttl: 10 })
  const closing = cache.close()
  check(
    t,
    caught(() => cache.get('kept')),
    { kind: CacheClosedError, code: 'CACHE_CLOSED', message: [/closing/] },
  )
  check(t, await rejection(closing), notClosed)
  check(t, await rejection(cache.close()), notClosed)
  t.is(states.at(-1)?.state, 'read-only')
  t.regex(states.at(-1)?.reason ?? '', /ENOSPC/)
  t.deepEqual(cache.getMany(['kept', 'pending']), [1, 2])
  t.like(
    caught(() => cache.set('refused', 3)),
    { code: 'JOURNAL_WRITE_FAILED' },
  )

  const expired: string[] = []
  cache.expirations$.subscribe(({ key }) => expired.push(key))
  disk.plan = undefined
  stage.clock.advance(1)
  t.deepEqual(states.at(-1), { state: 'running' })
  loaded(3)
  t.is(await load, 3)
  stage.clock.advance(10)
  t.deepEqual(expired, ['pending'])
  await cache.close()
  t.deepEqual(
    states.map(({ state }) => state),
    ['running', 'draining', 'read-only', 'draining', 'read-only', 'running', 'draining', 'closed'],
  )
  const again = await stage.open()
  t.deepEqual(Object.fromEntries(again.entries()), { kept: 1, loading: 3 })
  t.true(again.recovery.clean)
  await again.close()
})

test('no space at close: the clients of other threads stay connected', async (t) => {
  const { disk, stage, cache } = await begin()
  const client = await connect(cache.share())
  disk.plan = failing(isWrite, { error: 'ENOSPC' })
  cache.set('pending', 2)
  check(t, await rejection(cache.close()), notClosed)
  t.is(await client.get('pending'), 2)
  disk.plan = undefined
  stage.clock.advance(1)
  t.true(await client.set('after', 3))
  await client.close()
  await cache.close()
})

test('no space at close, with force: it says what is lost, and releases the directory', async (t) => {
  const { disk, stage, cache, states } = await begin()
  disk.plan = failing(isWrite, { error: 'ENOSPC' })
  cache.set('lost', 2)
  const [first, second] = [rejection(cache.close()), rejection(cache.close({ force: true }))]
  check(t, await first, notClosed)
  check(t, await second, gaveUp)
  check(t, await rejection(cache.close()), gaveUp)
  t.is(states.at(-1)?.state, 'closed')
  t.regex(states.at(-1)?.reason ?? '', /Lost: 1 change/)
  disk.plan = undefined
  const again = await stage.open()
  t.deepEqual(again.keys(), ['kept'])
  t.like(again.recovery, { sequence: 1, clean: false, setAside: undefined })
  await again.close()
})

for (const [how, end] of [
  ['the end of `await using`', async (t, cache) => check(t, await rejection(cache[Symbol.asyncDispose]()), gaveUp)],
  ['the stop of the actor', async (_, cache) => void cache.actor.stop()],
] as [string, (t: ExecutionContext, cache: Cache) => Promise<void>][]) {
  test(`no space at ${how}: it is closed in any case, and what is lost is reported`, async (t) => {
    const { disk, cache, states } = await begin()
    disk.plan = failing(isWrite, { error: 'ENOSPC' })
    cache.set('lost', 2)
    await end(t, cache)
    await until(() => states.at(-1)?.state === 'closed', 'the cache has closed')
    t.regex(states.at(-1)?.reason ?? '', /Lost: 1 change/)
    t.is(disk.locks.size, 0)
  })
}

test('a slow fsync: flushes wait, other calls continue, and memory is bounded', async (t) => {
  const { disk, stage, cache, states } = await begin({ fsync: 'everysec', maxSize: Infinity })
  let finish!: () => void
  const slow = new Promise<void>((resolve) => {
    finish = resolve
  })
  disk.plan = failing(isSync, { delay: slow }, { times: 1 })
  cache.set('flushed', 2)
  let durable = 0
  const flush = cache.flush().then((sequence) => {
    durable = sequence
  })
  let pendingBytes = 0
  for (let at = 0; at < 5_000; at++) {
    cache.set(`k${at}`, 'x'.repeat(300))
    pendingBytes = Math.max(pendingBytes, cache.stats().journal.pendingBytes)
    if (at % 500 === 0) {
      stage.clock.advance(1) // further fsyncs fall due
      await stage.turn()
    }
  }
  t.is(cache.get('k4999'), 'x'.repeat(300))
  t.true(pendingBytes < 512 * 1024, `${pendingBytes}`)
  t.is(durable, 0)
  t.is(cache.stats().journal.durableSequence, 1)
  finish()
  await flush
  t.true(durable >= 2)
  t.is(await cache.flush(), 5_002)
  t.deepEqual(states, [{ state: 'running' }])
  await cache.close()
})

test('a failed compaction: an error, a reason in lifecycle$, and the cache keeps running', async (t) => {
  const { disk, cache, states } = await begin()
  disk.plan = failing((call) => call.name === 'rename', { error: 'EIO' }, { times: 1 })
  check(t, await rejection(cache.compact()), {
    kind: CacheError,
    code: 'COMPACTION_FAILED',
    message: [/EIO/, /The journal is kept as it was, and the cache keeps running/, /call compact\(\) again/],
  })
  t.is(states.at(-1)?.state, 'running')
  t.regex(states.at(-1)?.reason ?? '', /EIO/)
  cache.set('after', 2)
  t.is(await cache.flush(), 2)
  await cache.compact()
  t.deepEqual(states.at(-1), { state: 'running' })
  await cache.close()
})

for (const [what, name, code] of [
  ['no file handles', 'open', 'EMFILE'],
  ['a lock that cannot be taken', 'lock', 'ENOLCK'],
  ['a directory that cannot be listed', 'list', 'EIO'],
  ['a read that fails', 'read', 'EIO'],
] as const) {
  test(`${what} at opening: a clear error, no file changed, and a later opening succeeds`, async (t) => {
    const { disk, stage, cache } = await begin()
    await cache.close()
    const operations = disk.log.length
    disk.plan = failing((call) => call.name === name, { error: code })
    check(t, await rejection(stage.open()), {
      kind: CacheError,
      code: 'JOURNAL_UNREADABLE',
      message: [new RegExp(`^/j cannot be opened as a journal: ${code}`), /No file was changed/, /Check that/],
    })
    t.is(disk.log.length, operations)
    disk.plan = undefined
    const again = await stage.open()
    t.deepEqual(again.keys(), ['kept'])
    await again.close()
  })
}

test('a second opener: refused at once, with advice', async (t) => {
  const { stage, cache } = await begin()
  const { kill } = stage
  check(t, await rejection(stage.open()), {
    kind: CacheLockedError,
    code: 'CACHE_LOCKED',
    message: [/^\/j is open in another cache/, /Nothing was changed\. Close that cache first/],
  })
  stage.kill = kill
  t.is(cache.get('kept'), 1)
  await cache.close()
})

test('a torn tail: the recovery reports what was set aside', async (t) => {
  const { disk, stage, cache } = await begin()
  await cache.compact()
  cache.set('second', 2)
  cache.set('third', 3)
  await stage.turn()
  cache.set('torn', 'x'.repeat(100))
  await stage.turn()
  stage.kill()
  const path = '/j/0000000000000002.segment'
  const inode = disk.names.get(path)
  const bytes = (inode?.length ?? 0) - 10
  inode?.truncate(bytes)
  const again = await stage.open()
  const { setAside } = again.recovery
  t.like(again.recovery, {
    snapshot: { file: '0000000000000001.snapshot', sequence: 1, entries: 1 },
    segments: 1,
    frames: 1,
    events: 2,
    sequence: 3,
    clean: false,
    evicted: 0,
    expired: 0,
  })
  t.is(again.recovery.bytes, bytes + (disk.names.get('/j/0000000000000001.snapshot')?.length ?? 0))
  t.like(setAside, { file: path, sequence: 4, reason: 'the file ends in the middle of a frame' })
  t.is((setAside?.offset ?? 0) + (setAside?.bytes ?? 0), bytes)
  t.is(disk.names.get(setAside?.savedAs ?? '')?.length, setAside?.bytes)
  t.deepEqual(again.keys(), ['kept', 'second', 'third'])
  await again.close()
})

test('a damaged journal: an error with file, offset, sequence and advice, and no file changed', async (t) => {
  const { disk, stage, cache } = await begin()
  cache.set('second', 2)
  await cache.flush()
  await until(() => cache.stats().journal.durableSequence === 2, 'the second flush')
  await cache.close()
  const inode = disk.names.get(SEGMENT)
  inode?.write(Uint8Array.of(255 ^ (inode.bytes[100] as number)), 100)
  const operations = disk.log.length
  const error = await rejection(stage.open())
  check(t, error, {
    kind: CorruptionError,
    code: 'CORRUPTION',
    message: [/is damaged at byte 64, where sequence 1 should be/, /No file was changed/, /daybook verify/],
  })
  t.like(error as CorruptionError, { file: SEGMENT, offset: 64, sequence: 1 })
  t.is(disk.log.length, operations)
})
