/** The table in src/durable/history/damage.ts: it is complete, and each rule does to a journal what it says. */
import test from 'ava'
import type { Sequence } from '../../../src/core/model/sequence.js'
import { encodeFileHeader } from '../../../src/durable/format/file-header.js'
import { DAMAGE_RULES, type EndFacts, rulesFor } from '../../../src/durable/history/damage.js'
import { CorruptionError } from '../../../src/errors.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { JOURNAL_ID, Stage } from '../../helpers/crash/stage.js'
import { SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import {
  type Files,
  framesOf,
  segment,
  segmentsOf,
  type WrittenJournal,
  withFile,
  writeJournal,
} from '../../helpers/durable/written-journal.js'

const closed = () => writeJournal({ isClean: true, hasSnapshot: false })
const killed = () => writeJournal({ isClean: false, hasSnapshot: false })
const recover = (files: Files) => recoverImage(files)
const last = <T>(list: readonly T[]) => list.at(-1) as T
const LOCK = '/j/LOCK'

function flipped(files: Files, path: string, at: number): Files {
  const content = (files.get(path) as Uint8Array).slice()
  content[at] = (content[at] as number) ^ 1
  return withFile(files, path, content)
}

/** A segment without frames, as a rotation creates it. */
function emptySegment(sequence: number, previousChecksum = 0): Uint8Array {
  return encodeFileHeader({
    kind: 'segment',
    journalId: JOURNAL_ID,
    sequence: sequence as Sequence,
    previousChecksum,
    createdAtMs: 0,
  })
}

/** A journal that was not closed, with the path and the content of its last segment. */
async function unsealed(): Promise<WrittenJournal & { path: string; content: Uint8Array }> {
  const journal = await killed()
  const path = last(segmentsOf(journal.files))
  return { ...journal, path, content: journal.files.get(path) as Uint8Array }
}

function* combinations(): Generator<EndFacts> {
  for (const stop of ['nowhere', 'foreign frame', 'unsound header', 'unsound frame'] as const)
    for (const isFileExpected of [false, true])
      for (const hasLaterFrames of [false, true])
        for (const witness of ['none', 'found', 'unknown'] as const)
          yield { stop, isFileExpected, hasLaterFrames, witness }
}

test('every combination of facts matches exactly one rule, and every rule is needed', (t) => {
  const all = [...combinations()]
  t.is(all.length, 48)
  for (const facts of all) t.is(rulesFor(facts).length, 1, JSON.stringify(facts))
  t.is(new Set(all.flatMap((facts) => rulesFor(facts))).size, DAMAGE_RULES.length)
})

test('a rule has a reason exactly when its verdict is corrupt', (t) => {
  for (const rule of DAMAGE_RULES) t.is(rule.reason !== undefined, rule.verdict === 'corrupt', JSON.stringify(rule))
})

test('a witness is needed only for an unsound frame that nothing follows', (t) => {
  for (const { witness: _, ...facts } of combinations()) {
    const isNeeded = facts.stop === 'unsound frame' && !facts.hasLaterFrames
    t.is(rulesFor(facts).length > 1, isNeeded, JSON.stringify(facts))
  }
})

const isCorrupt = (error: unknown, file: string, pattern: RegExp) =>
  error instanceof CorruptionError && error.file === file && pattern.test(error.message)

test('the end, after a seal without a successor: sound and clean', async (t) => {
  const { files, ledger } = await closed()
  const { report } = await recover(files)
  t.like(report, { clean: true, setAside: undefined, sequence: ledger.sequence })
})

test('the end, without a seal: sound, and not clean', async (t) => {
  const { files, ledger } = await killed()
  const { report } = await recover(files)
  t.like(report, { clean: false, setAside: undefined, sequence: ledger.sequence })
})

test('the end, after a seal with a successor: a file is missing', async (t) => {
  const { files } = await closed()
  const path = last(segmentsOf(files))
  const { error } = await recover(withFile(files, path, undefined))
  t.true(isCorrupt(error, path, /missing/))
})

test('a foreign frame is corrupt, even at the very end', async (t) => {
  const { files, path, content } = await unsealed()
  const frame = framesOf(content)[0]
  const doubled = Buffer.concat([content, content.subarray(frame?.offset, (frame?.offset ?? 0) + (frame?.length ?? 0))])
  const { error } = await recover(withFile(files, path, doubled))
  t.true(isCorrupt(error, path, /missing, duplicated or swapped/))
  t.is((error as CorruptionError).offset, content.length)
})

test('an unsound header after a seal with a successor is corrupt', async (t) => {
  const { files } = await closed()
  const path = last(segmentsOf(files))
  const { error } = await recover(flipped(files, path, 20))
  t.true(isCorrupt(error, path, /checksum of the file header/))
  const bare = withFile(files, path, (files.get(path) as Uint8Array).subarray(0, 30))
  t.true(isCorrupt((await recover(bare)).error, path, /cut off after 30 bytes/))
})

test('a file missing in the middle: an unsound header, and so corrupt', async (t) => {
  const { files } = await closed()
  const [, second, third] = segmentsOf(files) as [string, string, string]
  const { error } = await recover(withFile(files, second, undefined))
  t.true(isCorrupt(error, third, /the sequences from \d+ on are missing/))
})

test('a file of another journal is an unsound header, and so corrupt', async (t) => {
  const { files } = await closed()
  const foreign = await writeJournal({ isClean: true, hasSnapshot: false, journalId: Buffer.alloc(16, 7) })
  const second = segmentsOf(files)[1] as string
  const { error } = await recover(withFile(files, second, foreign.files.get(second)))
  t.true(isCorrupt(error, second, /belongs to another journal/))
})

test('an unsound header of a file with frames is corrupt', async (t) => {
  const { files } = await writeJournal({ isClean: false, hasSnapshot: false, segmentBytes: 1e9 })
  const { error } = await recover(flipped(withFile(files, LOCK, undefined), segment(1), 20))
  t.true(isCorrupt(error, segment(1), /checksum of the file header/))
})

test('an unsound header before a file with frames is corrupt', async (t) => {
  const { files, ledger, path, content } = await unsealed()
  const later = emptySegment(ledger.sequence + 1)
  const withFrames = Buffer.concat([emptySegment(ledger.sequence + 2), content.subarray(64)])
  const damaged = withFile(
    withFile(files, segment(ledger.sequence + 1), later),
    segment(ledger.sequence + 2),
    withFrames,
  )
  t.true((await recover(damaged)).error instanceof CorruptionError, path)
})

test('an unsound header of the first file of a journal that was in use is corrupt', async (t) => {
  for (const bytes of [0, 10, 64]) {
    const files: Files = new Map([
      [LOCK, Buffer.from(`${JOURNAL_ID.toString('hex')}\n`)],
      [segment(1), new Uint8Array(bytes)],
    ])
    t.true(isCorrupt((await recover(files)).error, segment(1), /./))
  }
})

test('a first file whose creation was interrupted is dropped, and a new journal begins', async (t) => {
  for (const bytes of [0, 10, 64]) {
    const { error, report, disk } = await recover(new Map([[segment(1), new Uint8Array(bytes)]]))
    t.is(error, undefined)
    t.like(report, { sequence: 0, setAside: undefined })
    t.is(disk.names.get(segment(1))?.length, 64)
  }
})

test('a next file whose creation was interrupted is dropped', async (t) => {
  const { files, ledger } = await unsealed()
  for (const content of [new Uint8Array(0), new Uint8Array(64), emptySegment(ledger.sequence + 1, 12345)]) {
    const path = segment(ledger.sequence + 1)
    const { error, report, disk } = await recover(withFile(files, path, content))
    t.is(error, undefined)
    t.is(report?.sequence, ledger.sequence)
    t.false(disk.names.has(path))
  }
})

test('files of failed rotations, whose removal a crash undid, are dropped anywhere in the journal', async (t) => {
  const { files, ledger } = await killed()
  const [first, second] = segmentsOf(files)
  t.not(first, second)
  const stray = segment(2)
  const end = segment(ledger.sequence + 1)
  const damaged = withFile(withFile(files, stray, emptySegment(2, 99)), end, new Uint8Array(3))
  const { error, report, disk } = await recover(damaged)
  t.is(error, undefined)
  t.is(report?.sequence, ledger.sequence)
  t.false(disk.names.has(stray))
  t.false(disk.names.has(end))
})

test('an unsound frame before a segment with frames is corrupt', async (t) => {
  const { files } = await closed()
  const path = segmentsOf(files).at(-2) as string
  const frame = last(framesOf(files.get(path) as Uint8Array))
  const { error } = await recover(flipped(files, path, frame.offset + 50))
  t.true(isCorrupt(error, path, /later files follow/))
  t.is((error as CorruptionError).offset, frame.offset)
})

test('an unsound frame is corrupt when a later frame says that it was durable', async (t) => {
  const { files } = await writeJournal({ isClean: true, hasSnapshot: false, segmentBytes: 1e9 })
  const frames = framesOf(files.get(segment(1)) as Uint8Array)
  for (const frame of frames.filter(({ kind, count }) => kind === 'events' && count > 0)) {
    const { error } = await recover(flipped(files, segment(1), frame.offset + 100))
    t.true(isCorrupt(error, segment(1), /says that what was here was durable/))
    t.is((error as CorruptionError).offset, frame.offset)
    t.is((error as CorruptionError).sequence, frame.firstSequence)
  }
})

test('any other unsound frame is a torn tail: kept aside, cut off, reported', async (t) => {
  const { files, path, content } = await unsealed()
  const frame = last(framesOf(content))
  const cut = content.subarray(0, content.length - 5)
  const { error, report, disk } = await recover(withFile(files, path, cut))
  t.is(error, undefined)
  const savedAs = `${path}.${frame.offset}.broken`
  t.deepEqual(report?.setAside, {
    file: path,
    offset: frame.offset,
    bytes: cut.length - frame.offset,
    sequence: frame.firstSequence,
    reason: 'the file ends in the middle of a frame',
    savedAs,
  })
  t.false(report?.clean)
  t.is(disk.names.get(path)?.length, frame.offset)
  t.deepEqual(Buffer.from(disk.names.get(savedAs)?.content() ?? []), Buffer.from(cut.subarray(frame.offset)))
})

test('a torn tail before a file without frames: both are removed', async (t) => {
  const { files, ledger, path, content } = await unsealed()
  const next = segment(ledger.sequence + 1)
  const damaged = withFile(withFile(files, path, content.subarray(0, content.length - 5)), next, emptySegment(99))
  const { error, report, disk } = await recover(damaged)
  t.is(error, undefined)
  t.truthy(report?.setAside)
  t.false(disk.names.has(next))
})

test('an earlier frame lost and a later one kept, neither known to be durable: a torn tail from the first on', async (t) => {
  const { files, path, content } = await unsealed()
  const frames = framesOf(content)
  const lost = frames.at(-2)
  const { error, report } = await recover(flipped(files, path, (lost?.offset ?? 0) + 97))
  t.is(error, undefined)
  t.is(report?.setAside?.offset, lost?.offset)
  t.is(report?.setAside?.bytes, content.length - (lost?.offset ?? 0))
})

test('a seal with an order of use, torn by a crash, is set aside, without any event', async (t) => {
  const { files, ledger } = await writeJournal({ isClean: true, hasSnapshot: false, segmentBytes: 1e9 })
  const seal = framesOf(files.get(segment(1)) as Uint8Array).find(({ kind }) => kind === 'seal')
  t.true((seal?.length ?? 0) > 96)
  const { error, report } = await recover(flipped(files, segment(1), (seal?.offset ?? 0) + 97))
  t.is(error, undefined)
  t.is(report?.sequence, ledger.sequence)
  t.is(report?.setAside?.offset, seal?.offset)
})

test('the content of a value is never taken for a frame that proves something', async (t) => {
  // A cache of journal files: the value holds a sound seal of this very journal.
  const { files } = await writeJournal({ isClean: true, hasSnapshot: false, segmentBytes: 1e9 })
  const content = files.get(segment(1)) as Uint8Array
  const disk = SimulatedDisk.of(files)
  const stage = new Stage(disk)
  const cache = await stage.open({ fsync: 'never' })
  cache.set('backup', Uint8Array.from(content))
  await stage.turn()
  stage.kill()
  const image = disk.image()
  const torn = image.get(segment(1)) as Uint8Array
  const { error, report } = await recover(withFile(image, segment(1), torn.subarray(0, torn.length - 1)))
  t.is(error, undefined)
  t.is(report?.setAside?.offset, content.length)
})
