import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import { disk } from '../../../src/durable/storage/disk.js'
import { RecordingReceiver, session } from '../../../src/testing/conformance/recording.js'
import {
  GOLDEN_FILE,
  GOLDEN_FOLDER,
  GOLDEN_TIME_MS,
  openGolden,
  writeGolden,
} from '../../helpers/durable/golden-journal.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

test('the journal of docs/format.md is written byte for byte', async (t) => {
  const directory = temporaryDirectory(t)
  await writeGolden(directory)
  const written = await readFile(join(directory, GOLDEN_FILE))
  const golden = await readFile(join(GOLDEN_FOLDER, GOLDEN_FILE))
  t.is(written.toString('hex'), golden.toString('hex'))
})

test('docs/format.md shows the bytes of the golden file', async (t) => {
  const golden = await readFile(join(GOLDEN_FOLDER, GOLDEN_FILE))
  const document = await readFile(join('docs', 'format.md'), 'utf8')
  const rows = [...document.matchAll(/^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} ?){1,16}) /gm)]
  t.is(rows.map((row) => row[2]?.replaceAll(' ', '')).join(''), golden.toString('hex'))
  t.deepEqual(
    rows.map((row) => Number.parseInt(row[1] as string, 16)),
    rows.map((_, index) => index * 16),
  )
})

test('the golden file is read as docs/format.md says', async (t) => {
  const directory = temporaryDirectory(t)
  await copyFile(join(GOLDEN_FOLDER, GOLDEN_FILE), join(directory, GOLDEN_FILE))
  const receiver = new RecordingReceiver()
  const journal = new FileJournal(disk, directory)
  const report = await journal.open(session({ receiver }))
  await journal.close()
  t.like(report, { sequence: 6, events: 6, frames: 2, segments: 1, clean: true, setAside: undefined })
  t.like(receiver.events, [
    { type: 'set', key: 'user:1', value: 'Ada', expiresAtMs: GOLDEN_TIME_MS + 60_000 },
    { type: 'set', key: 'visits', value: 300, expiresAtMs: Number.POSITIVE_INFINITY },
    { type: 'set', key: 'π', value: { encoding: 'bytes', bytes: Uint8Array.of(3, 1, 4) } },
    { type: 'rescheduled', key: 'visits', expiresAtMs: GOLDEN_TIME_MS + 1_000 },
    { type: 'deleted', key: 'π' },
    {
      type: 'set',
      key: 'news',
      value: true,
      expiresAtMs: GOLDEN_TIME_MS + 3_660_000,
      extension: { freshUntilMs: GOLDEN_TIME_MS + 60_000, tags: ['ada', 'π'] },
    },
  ])
  t.deepEqual(receiver.written, { order: [3, 7, 1, 2, 0], after: 6 })
  t.deepEqual(receiver.limited, { maxSize: 1_000, maxBytes: Number.POSITIVE_INFINITY })
  t.like(receiver.restored, { hits: 1, misses: 0, sets: 4, deletes: 1 })
})

test('a cache opened on the golden file has its entries', async (t) => {
  const directory = temporaryDirectory(t)
  await copyFile(join(GOLDEN_FOLDER, GOLDEN_FILE), join(directory, GOLDEN_FILE))
  const cache = await openGolden(directory)
  t.deepEqual(
    [...cache.entries()],
    [
      ['visits', 300],
      ['news', true],
      ['user:1', 'Ada'],
    ],
  )
  t.is(cache.ttl('user:1'), 60)
  t.deepEqual(cache.entry('news'), {
    value: true,
    expiresAtMs: GOLDEN_TIME_MS + 3_660_000,
    freshUntilMs: GOLDEN_TIME_MS + 60_000,
    tags: ['ada', 'π'],
  })
  await cache.close()
})
