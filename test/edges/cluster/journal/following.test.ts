/** What a node does that cannot read on: the log and the snapshots are fakes that say when. */
import test from 'ava'
import type { Applier } from '../../../../src/edges/cluster/journal/applier.js'
import type { ClusterClock } from '../../../../src/edges/cluster/journal/cluster-clock.js'
import { Following, type FollowingParts } from '../../../../src/edges/cluster/journal/following.js'
import { readLog } from '../../../../src/edges/cluster/journal/open-log.js'
import type { Settings } from '../../../../src/edges/cluster/journal/records.js'
import { sealed } from '../../../../src/edges/cluster/journal/sealed-record.js'
import type { RestoredSnapshot, Snapshots } from '../../../../src/edges/cluster/journal/snapshots.js'
import type { Log, LogFollower, LogRecord, SnapshotPointer } from '../../../../src/edges/cluster/log.js'
import { CorruptionError } from '../../../../src/errors.js'
import { ManualClock } from '../../../../src/testing.js'

const RECORD = sealed({ kind: 'frame', epoch: 1, node: 'a', body: new Uint8Array(0) })
const DAMAGED: LogRecord = { ...RECORD, epoch: 2 }
const corrupt = () => new CorruptionError({ file: 'snapshot', offset: 0, sequence: 0, reason: 'flipped' })

/** A log that begins at a position, and an applier that counts. */
function parts(first: number) {
  const clock = new ManualClock()
  const told: string[] = []
  const place = { first, pointer: undefined as SnapshotPointer | undefined, damagedReads: 0 }
  const applier = {
    position: 0,
    take(_: LogRecord, at: number) {
      this.position = at
    },
    restore({ position }: { position: number }) {
      this.position = position
    },
  }
  const log = {
    follow(from: number, to: LogFollower) {
      let isStopped = false
      setImmediate(() => {
        if (isStopped) return
        if (from < place.first) to.gap()
        else to.take(place.damagedReads-- > 0 ? DAMAGED : RECORD, from)
      })
      return { stop: () => (isStopped = true) }
    },
    snapshots: { latest: async () => ({ pointer: place.pointer, revision: 1 }) },
  }
  const receiver = { reset: () => told.push('reset'), limits: () => undefined }
  const replica = { reset: () => undefined, follow: () => told.push('whole') }
  /** Timers, and what they begin. */
  async function pass(times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
      clock.advance('500ms')
    }
  }
  const ownClock = { setTimeout: clock.setTimeout.bind(clock), ownNow: () => 0 } as unknown as ClusterClock
  const typed = { log: log as unknown as Log, applier: applier as unknown as Applier, clock: ownClock }
  return { ...typed, place, told, receiver, replica, pass }
}

/** `look`: where the newest snapshot is. */
function following(restore: () => Promise<unknown>, look: () => Promise<number> = async () => 0) {
  const { place, told, receiver, replica, pass, ...rest } = parts(10)
  const session = { receiver, replica } as unknown as FollowingParts['session']
  const failures: Error[] = []
  const node = new Following(
    { ...rest, session, snapshots: { restore, look } as unknown as Snapshots },
    { took: () => undefined, failed: (error) => failures.push(error) },
  )
  return { failures, told, pass, place, applier: rest.applier, stop: () => node.stop() }
}

const snapshotOf = (position: number) =>
  ({
    name: 'snapshot',
    entries: 0,
    bytes: 0,
    header: { position, nextSequence: 1, timeMs: 0 },
  }) as unknown as RestoredSnapshot

test('a snapshot that the engine does not give is asked for until it does', async (t) => {
  let asked = 0
  const { failures, told, pass, applier, stop } = following(async () => {
    if (++asked < 30) throw new Error('timeout')
    return snapshotOf(9)
  })
  await pass(28)
  t.deepEqual([told, failures], [[], []])
  await pass(3)
  t.deepEqual([told, failures], [['whole'], []])
  t.true(applier.position >= 10)
  stop()
})

test('a snapshot that is damaged ends the node, and it says so', async (t) => {
  const { failures, told, pass, stop } = following(async () => {
    throw corrupt()
  })
  await pass(2)
  t.deepEqual(told, [])
  t.is(failures[0]?.name, 'CorruptionError')
  stop()
})

test('a record that is damaged twice ends the node; if it is sound when it is read again, the node goes on', async (t) => {
  for (const damagedReads of [1, 2]) {
    const { failures, pass, place, applier, stop } = following(async () => snapshotOf(9))
    place.damagedReads = damagedReads
    await pass(5)
    t.is(applier.position, damagedReads === 1 ? 10 : 9)
    t.is(failures[0]?.name, damagedReads === 1 ? undefined : 'CorruptionError')
    stop()
  }
})

test('a record that stays damaged is passed over with a snapshot that has it, and with no other', async (t) => {
  for (const [newest, sound] of [
    [0, undefined],
    [9, 9],
    [10, 9],
    [10, 10],
    [50, 50],
  ] as const) {
    let restored: number | undefined = 9 // the first gap
    const { failures, told, pass, place, applier, stop } = following(
      async () => (restored === undefined ? undefined : snapshotOf(restored)),
      async () => newest,
    )
    place.damagedReads = 2
    await pass(1)
    restored = sound
    place.first = (sound ?? 9) + 1
    await pass(3)
    const isPassed = sound !== undefined && sound >= 10
    t.is(failures[0]?.name, isPassed ? undefined : 'CorruptionError', `${newest}, ${sound}`)
    t.is(applier.position, isPassed ? sound + 1 : 9)
    t.deepEqual(told, isPassed ? ['whole', 'whole'] : ['whole'])
    stop()
  }
})

test('an engine that does not say where the newest snapshot is, is asked again before a node ends', async (t) => {
  let asked = 0
  const look = async () => {
    if (++asked < 3) throw new Error('timeout')
    return 0
  }
  const { failures, pass, place, stop } = following(async () => snapshotOf(9), look)
  place.damagedReads = 10
  await pass(3)
  t.deepEqual(failures, [])
  await pass(3)
  t.is(failures[0]?.name, 'CorruptionError')
  t.is(asked, 3)
  stop()
})

test('a snapshot that the engine does not know of yet is asked for some times', async (t) => {
  const { failures, pass, stop } = following(async () => undefined)
  await pass(15)
  t.deepEqual(failures, [])
  await pass(10)
  t.is((failures[0] as { code?: string }).code, 'JOURNAL_UNREADABLE')
  stop()
})

test('a log that is trimmed while it is opened is read from the newer snapshot', async (t) => {
  const { place, told, receiver, pass, ...rest } = parts(10)
  const snapshots = {
    restore: async () => (place.pointer === undefined ? undefined : snapshotOf(place.pointer.position)),
  }
  const reading = readLog({
    ...rest,
    receiver: receiver as never,
    snapshots: snapshots as unknown as Snapshots,
    settings: {} as Settings,
    last: 10,
  })
  await pass(3) // the server that is asked does not know of a snapshot
  t.deepEqual(told, [])
  place.pointer = { name: 'snapshot', position: 9 }
  await pass(2)
  t.is((await reading)?.header.position, 9)
  t.deepEqual(told, ['reset'])
  t.is(rest.applier.position, 10)
})
