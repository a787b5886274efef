/** Faults during a recovery: each is reported as what it is, and none is taken for damage. */
import test from 'ava'
import { Counters } from '../../../src/core/model/counters.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { FRAME_MAGIC } from '../../../src/durable/format/format.js'
import { FrameScanner } from '../../../src/durable/format/frame-scanner.js'
import { findJournalFiles } from '../../../src/durable/format/journal-files.js'
import { planReading } from '../../../src/durable/history/plan.js'
import { readSegments } from '../../../src/durable/history/read-segments.js'
import { JOURNAL_BEGIN } from '../../../src/durable/history/replay.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { rewriteUnproven } from '../../../src/durable/recovery/rewrite-unproven.js'
import type { StorageFile } from '../../../src/durable/storage/storage.js'
import { CorruptionError } from '../../../src/errors.js'
import { RecordingReceiver, session, set } from '../../../src/testing/conformance/recording.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { JOURNAL_ID } from '../../helpers/crash/stage.js'
import { failing, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import { storageLike } from '../../helpers/durable/storage-like.js'
import { segmentsOf, withFile, writeJournal } from '../../helpers/durable/written-journal.js'

async function withLoadedFile(rows = 3): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const journal = new FileJournal(disk.process(), '/j', () => JOURNAL_ID)
  await journal.open(session())
  let left = rows
  const staged = await journal.stage(
    {
      count: left,
      counters: new Counters(),
      read: () => (left-- > 0 ? { key: `k${left}`, value: left, expiresAtMs: 1e15 } : undefined),
      release: () => undefined,
    },
    () => undefined,
  )
  journal.append([{ type: 'loaded', ...staged }])
  await journal.close()
  return disk
}

test('a loaded file that cannot be read is not damage, and nothing is changed', async (t) => {
  const disk = await withLoadedFile()
  const operations = disk.log.length
  disk.plan = failing((call) => call.name === 'open' && call.path.endsWith('.loaded'), { error: 'EACCES' })
  const error = await t.throwsAsync(new FileJournal(disk.process(), '/j').open(session()))
  t.like(error, { code: 'JOURNAL_UNREADABLE' })
  t.is(disk.log.length, operations)
  disk.plan = undefined
  const receiver = new RecordingReceiver()
  const journal = new FileJournal(disk.process(), '/j')
  await journal.open(session({ receiver }))
  t.is(receiver.loaded[0]?.rows.length, 3)
  await journal.close()
})

test('an error thrown by the receiver is thrown unchanged, and the directory is released', async (t) => {
  const disk = await withLoadedFile()
  const receiver = new RecordingReceiver()
  const failure = new Error('no room for these')
  receiver.event = () => {
    throw failure
  }
  const process = disk.process()
  t.is(await t.throwsAsync(new FileJournal(process, '/j').open(session({ receiver }))), failure)
  const again = new FileJournal(process, '/j')
  await again.open(session())
  await again.close()
})

test('a segment that shrinks while it is rewritten: an error, not a hole', async (t) => {
  const { files } = await writeJournal({ isClean: false, hasSnapshot: false })
  const disk = SimulatedDisk.of(files)
  const process = disk.process()
  const { segments } = planReading(await findJournalFiles(process, '/j'), '/j', '')
  const end = await readSegments(process, segments, JOURNAL_BEGIN, () => undefined)
  const shrinking = storageLike(process, {
    open: (path) => {
      const file = process.open(path)
      return { path, size: () => file.size(), read: async () => 0, close: () => undefined } as unknown as StorageFile
    },
  })
  await t.throwsAsync(rewriteUnproven(shrinking, segments, end), { message: /shrank/ })
  t.is(disk.log.length, 0)
})

test('a snapshot whose segment is missing: the missing file is named, and the next one found', async (t) => {
  const { files } = await writeJournal({ isClean: true })
  const segments = segmentsOf(files)
  const [first, second] = segments as [string, string]
  const without = await recoverImage(withFile(files, first, undefined))
  t.true(without.error instanceof CorruptionError)
  t.is((without.error as CorruptionError).file, first)
  t.regex((without.error as Error).message, new RegExp(`begins with sequence ${Number.parseInt(second.slice(3), 10)}`))
  let none = files
  for (const path of segments) none = withFile(none, path, undefined)
  const { error } = await recoverImage(none)
  t.is((error as CorruptionError).file, first)
  t.regex(
    (error as CorruptionError).reason,
    /^the file is missing, in which the journal must continue after \d{16}\.snapshot$/,
  )
})

test('a flush acknowledges recovered events only after an fsync of them succeeded', async (t) => {
  const disk = new SimulatedDisk()
  const first = new FileJournal(disk.process(), '/j')
  await first.open(session({ fsync: 'never' }))
  first.append([set('a', 1)])
  await new Promise((resolve) => setImmediate(resolve))
  const process = disk.process()
  disk.locks.clear() // as after SIGKILL
  const journal = new FileJournal(process, '/j')
  await journal.open(session({ fsync: 'never' }))
  disk.plan = failing((call) => call.name === 'sync', { error: 'EIO' })
  await t.throwsAsync(journal.flush(), { code: 'OUTCOME_UNKNOWN' })
  await journal.close().catch(() => undefined)
})

test('a sound file of another load in place of a loaded file is corrupt', async (t) => {
  const [disk, other] = [await withLoadedFile(), await withLoadedFile(2)]
  const path = [...disk.names.keys()].find((name) => name.endsWith('.loaded')) as string
  const files = withFile(disk.image(), path, other.image().get(path))
  const { error } = await recoverImage(files)
  t.true(error instanceof CorruptionError)
  t.like(error as CorruptionError, { file: path, reason: 'this is not the file that was loaded' })
})

test('a read that fails while damage is examined is not damage', async (t) => {
  const { files } = await writeJournal({ isClean: false, hasSnapshot: false })
  const path = segmentsOf(files).at(-1) as string
  const content = files.get(path) as Uint8Array
  const disk = SimulatedDisk.of(withFile(files, path, content.subarray(0, content.length - 5)))
  let opened = 0
  disk.plan = (call) => {
    if (call.name === 'open' && call.path === path) opened++
    return call.name === 'read' && opened === 2 ? { error: 'EIO' } : undefined
  }
  const error = await t.throwsAsync(new FileJournal(disk.process(), '/j').open(session()))
  t.like(error, { code: 'JOURNAL_UNREADABLE' })
  t.is(opened, 2)
  t.is(disk.log.length, 0)
})

for (const what of ['is read', 'is searched'] as const) {
  test(`a file that shrinks while it ${what}: an error, and no invented frame`, async (t) => {
    const { files } = await writeJournal({ isClean: false, hasSnapshot: false })
    const path = segmentsOf(files)[0] as string
    const process = SimulatedDisk.of(files).process()
    const file = process.open(path)
    const content = files.get(path) as Uint8Array
    // It claims to be longer than it is, and ends with the header of a longer frame.
    const claimed = Object.assign(Object.create(null), {
      path,
      size: () => content.length + 500,
      read: async (target: Uint8Array, offset: number, length: number, position: number) => {
        const left = Buffer.concat([content, header]).subarray(position, position + length)
        target.set(left, offset)
        return left.length
      },
      close: () => file.close(),
    }) as StorageFile
    const header = Buffer.alloc(96)
    header.writeUInt32LE(FRAME_MAGIC, 0)
    header.writeUInt32LE(300, 8)
    const scanner = new FrameScanner(claimed, checksum(JOURNAL_ID))
    if (what === 'is searched') {
      t.is(await scanner.findFrame(content.length - 1, () => true), undefined)
      return
    }
    let last = await scanner.next()
    while (last?.frame !== undefined) last = await scanner.next()
    t.like(last as object, { offset: content.length, reason: 'the file shrank while it was read' })
  })
}
