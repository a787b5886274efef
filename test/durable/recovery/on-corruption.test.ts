/**
 * `onCorruption`: a damaged journal opens with what is sound before the damage, or empty; every file of it is kept, byte for
 * byte; sequences never go back; and a crash at any step changes none of this.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { verifyJournal } from '../../../src/cli/verify/verify-journal.js'
import { NO_SEQUENCE } from '../../../src/core/model/sequence.js'
import { checksum } from '../../../src/durable/format/checksum.js'
import { FILE } from '../../../src/durable/format/format.js'
import type { Frame } from '../../../src/durable/format/frame.js'
import { FileJournal } from '../../../src/durable/journal/file-journal.js'
import type { OnCorruption } from '../../../src/durable/recovery/recover.js'
import { CorruptionError } from '../../../src/errors.js'
import { memoryJournal, openCache } from '../../../src/index.js'
import { session } from '../../../src/testing/conformance/recording.js'
import { DiskHistory } from '../../helpers/crash/crash-states.js'
import type { Model } from '../../helpers/crash/model.js'
import { type Outcome, recoverImage } from '../../helpers/crash/recover-image.js'
import { UNCHANGED } from '../../helpers/crash/stage.js'
import { frameDamages } from '../../helpers/durable/frame-damages.js'
import { failing, type Image, SimulatedDisk } from '../../helpers/durable/simulated-disk.js'
import {
  type Files,
  framesOf,
  segmentsOf,
  type WrittenJournal,
  withFile,
  writeJournal,
} from '../../helpers/durable/written-journal.js'
import { Random } from '../../helpers/random.js'
import { temporaryDirectory } from '../../helpers/temporary-directory.js'

const POLICIES = ['salvage', 'reset'] as const
type Policy = (typeof POLICIES)[number]

const recoverWith = (image: Image, policy: OnCorruption) => recoverImage(image, UNCHANGED, policy)
const isJournalFile = (path: string) => /^\/j\/\d{16}\.(segment|snapshot|loaded)$/.test(path)
const entriesOf = (digest: string) => new Set(digest === '' ? [] : digest.split('|'))

/** The highest sequence that a frame of a segment names. */
function highestIn(files: Image): number {
  const frames = [...files].filter(([path]) => path.endsWith('.segment')).flatMap(([, content]) => framesOf(content))
  return Math.max(
    0,
    ...frames.map((frame) =>
      Math.max(frame.durableSequence, frame.kind === 'events' ? frame.firstSequence + frame.count - 1 : 0),
    ),
  )
}

/** Whether the entries are those of some moment; with `isIncomplete` some may be missing. */
function whatIsWrongWith(
  model: Model,
  { ledger }: WrittenJournal,
  last: number,
  isIncomplete: boolean,
): string | undefined {
  if (!isIncomplete)
    return ledger.states.get(last)?.digest === model.digest()
      ? undefined
      : `${model.digest()} is not the state at ${last}`
  const entries = [...entriesOf(model.digest())]
  const isPartOf = (state: Set<string>) => entries.every((entry) => state.has(entry))
  const isPart = [...ledger.states.values()].some(({ digest }) => isPartOf(entriesOf(digest)))
  return isPart ? undefined : `${model.digest()} is not a part of any state`
}

class Judge {
  readonly journal: WrittenJournal
  readonly policy: Policy
  readonly wrong: string[] = []
  replaced = 0
  nonempty = 0

  constructor(journal: WrittenJournal, policy: Policy) {
    this.journal = journal
    this.policy = policy
  }

  /** @param before The last event that ends before the damage, if that is a place in a segment. */
  async judge(damaged: Files, what: string, before?: number): Promise<void> {
    const say = (problem: string) => this.wrong.push(`${what}: ${problem}`)
    const outcome = await recoverWith(damaged, this.policy)
    const { error, report, model, disk } = outcome
    if (error !== undefined) return void say(`${(error as Error).stack}`)
    const damage = report?.damage
    const refused = (await recoverWith(damaged, 'refuse')).error
    if ((damage !== undefined) !== refused instanceof CorruptionError) return void say('the damage is misreported')
    if (damage === undefined || !(refused instanceof CorruptionError)) return
    this.replaced++
    const { file, offset, sequence, reason, lost } = damage
    const found = refused
    if (file !== found.file || offset !== found.offset || sequence !== found.sequence || reason !== found.reason)
      say('the report names other damage')
    const isIncomplete = lost.from === 1 && model.entries.size > 0
    if (this.policy === 'reset' && (model.entries.size > 0 || lost.from !== 1)) say('it is not empty')
    if (model.entries.size > 0) this.nonempty++
    const problem = whatIsWrongWith(model, this.journal, lost.from - 1, isIncomplete)
    if (problem !== undefined) say(problem)
    if (this.policy === 'salvage' && before !== undefined && lost.from - 1 < before)
      say(`only through ${lost.from - 1} of ${before}`)
    if (lost.to !== undefined && lost.to < lost.from) say(`lost ${lost.from} to ${lost.to}`)
    const image = disk.image()
    for (const [path, content] of damaged) {
      const moved = image.get(posix.join(damage.movedTo, posix.basename(path)))
      if (isJournalFile(path) && (moved === undefined || Buffer.compare(moved, content) !== 0))
        say(`${path} was not kept`)
    }
    if (outcome.sequence < highestIn(damaged)) say(`sequence ${outcome.sequence} after ${highestIn(damaged)}`)
    const again = await recoverWith(image, 'refuse')
    if (again.error !== undefined) say(`reopening: ${again.error}`)
    if (again.report?.damage !== undefined || again.report?.setAside !== undefined) say('reported again')
    if (again.model.digest() !== model.digest() || again.sequence !== outcome.sequence) say('reopened differently')
  }
}

const some = (wrong: readonly string[]) => wrong.slice(0, 10)

const JOURNALS: Record<string, () => Promise<WrittenJournal>> = {
  'closed, several segments, a snapshot': () => writeJournal({ isClean: true }),
  'killed, one segment': () => writeJournal({ isClean: false, hasSnapshot: false, segmentBytes: 1e9 }),
}

/** Every damage of the other exhaustive tests, in larger steps. */
function* damagesOf(journal: WrittenJournal): Generator<{ what: string; files: Files; before?: number }> {
  const { files } = journal
  const contents = [...files].filter(([path]) => isJournalFile(path))
  for (const [path, content] of contents) {
    for (let at = 0; at < content.length; at += at < 64 ? 1 : 3) {
      const damaged = content.with(at, (content[at] as number) ^ (1 << (at & 7)))
      yield { what: `${path}, byte ${at}`, files: withFile(files, path, damaged), ...eventsBefore(files, path, at) }
    }
    for (let length = 0; length < content.length; length += 5)
      yield {
        what: `${path} cut to ${length}`,
        files: withFile(files, path, content.subarray(0, length)),
        ...eventsBefore(files, path, length),
      }
    for (let at = 0; at < content.length; at += 40)
      yield {
        what: `${path} zeroed from ${at}`,
        files: withFile(files, path, content.slice().fill(0, at, at + 512)),
        ...eventsBefore(files, path, at),
      }
    yield { what: `without ${path}`, files: withFile(files, path, undefined) }
    for (const [other, otherContent] of contents)
      if (other !== path) yield { what: `${other} as ${path}`, files: withFile(files, path, otherContent) }
  }
  yield* frameDamages(journal)
}

/** The last event before a place in a segment. */
function eventsBefore(files: Files, path: string, offset: number): { before?: number } {
  if (!path.endsWith('.segment')) return {}
  const earlier = segmentsOf(files).filter((segment) => segment < path)
  const frames = framesOf(files.get(path) as Uint8Array).filter((frame) => frame.offset + frame.length <= offset)
  const all = [...earlier.flatMap((segment) => framesOf(files.get(segment) as Uint8Array)), ...frames]
  return {
    before: Math.max(
      0,
      ...all.filter(({ kind }) => kind === 'events').map((frame) => frame.firstSequence + frame.count - 1),
    ),
  }
}

for (const [name, write] of Object.entries(JOURNALS)) {
  for (const policy of POLICIES) {
    test.serial(`${name}, ${policy}: after any damage it opens, and every file is kept`, async (t) => {
      const journal = await write()
      const judge = new Judge(journal, policy)
      for (const { what, files, before } of damagesOf(journal)) await judge.judge(files, what, before)
      t.deepEqual(some(judge.wrong), [])
      t.true(judge.replaced > 300, `${judge.replaced}`)
      t.is(judge.nonempty > 100, policy === 'salvage')
    })

    test.serial(`${name}, ${policy}: a file of another journal is not taken for its own`, async (t) => {
      const journal = await write()
      const foreign = await writeJournal({
        isClean: name.startsWith('closed'),
        hasSnapshot: name.includes('snapshot'),
        segmentBytes: name.includes('several') ? 560 : 1e9,
        journalId: Buffer.alloc(16, 7),
        salt: 'f',
      })
      const judge = new Judge(journal, policy)
      const own = [...journal.files.keys()].filter(isJournalFile)
      for (const [path, content] of foreign.files)
        if (isJournalFile(path) && own.some((name) => name !== path))
          await judge.judge(withFile(journal.files, path, content), `a foreign ${path}`)
      t.deepEqual(some(judge.wrong), [])
      t.is(judge.replaced > 0, own.length > 1)
    })

    test.serial(
      `${name}, ${policy}: a LOCK that names a journal of which there is no file costs no entry`,
      async (t) => {
        const journal = await write()
        const judge = new Judge(journal, policy)
        const lock = journal.files.get('/j/LOCK') as Uint8Array
        const last = Math.max(...journal.ledger.states.keys())
        for (let at = 0; at < lock.length; at++)
          for (const flip of [1, 2, 4, 8]) {
            const flipped = lock.with(at, (lock[at] as number) ^ flip)
            await judge.judge(withFile(journal.files, '/j/LOCK', flipped), `LOCK, byte ${at}`, last)
          }
        t.deepEqual(some(judge.wrong), [])
        t.true(judge.replaced > 20, `${judge.replaced}`)
      },
    )
  }
}

// ── crashes ──

/** Some damage of each kind. */
function someDamages({ files }: WrittenJournal): [string, Files][] {
  const snapshot = [...files.keys()].find((path) => path.endsWith('.snapshot'))
  const segments = segmentsOf(files)
  const flipped = (path: string, at: number): Files => {
    const content = files.get(path) as Uint8Array
    return withFile(files, path, content.with(at, (content[at] as number) ^ 1))
  }
  return [
    ['a frame of the first segment', flipped(segments[0] as string, 100)],
    ['a header', flipped(segments.at(-2) ?? (segments[0] as string), 20)],
    ['a missing segment', withFile(files, segments[0] as string, undefined)],
    ...(snapshot === undefined ? [] : [['a snapshot', flipped(snapshot, 100)] as [string, Files]]),
  ]
}

/** Every original file is where it was, or in a directory of damaged files; never gone and never changed. */
function lostFile(damaged: Files, image: Image): string | undefined {
  for (const [path, content] of damaged) {
    if (!isJournalFile(path)) continue
    const isKept = [...image].some(
      ([there, bytes]) =>
        posix.basename(there) === posix.basename(path) &&
        (there === path || there.startsWith('/j/damaged-')) &&
        Buffer.compare(bytes, content) === 0,
    )
    if (!isKept) return path
  }
  return undefined
}

async function crashEverywhere(
  t: ExecutionContext,
  damaged: Files,
  first: Outcome,
  policy: Policy,
  depth: number,
  random: Random,
): Promise<number> {
  const history = new DiskHistory(first.disk)
  const seen = new Set<string>()
  const wrong: string[] = []
  let states = 0
  for (;;) {
    for (const { image, key } of history.statesAt(depth === 0 ? 60 : 6, random)) {
      if (seen.has(key)) continue
      seen.add(key)
      states++
      const place = `${policy}, depth ${depth}, ${history.at} of ${first.disk.log.length}`
      const lost = lostFile(damaged, image)
      if (lost !== undefined) wrong.push(`${place}: ${lost} is gone`)
      const refused = await recoverWith(image, 'refuse')
      if (refused.error instanceof CorruptionError) {
        if (refused.disk.log.length > 0) wrong.push(`${place}: refused, and files were changed`)
      } else if (refused.error !== undefined) wrong.push(`${place}: ${refused.error}`)
      else if (refused.model.digest() !== first.model.digest())
        wrong.push(`${place}: opened with ${refused.model.digest()}`)
      const again = await recoverWith(image, policy)
      if (again.error !== undefined) wrong.push(`${place}: again ${(again.error as Error).stack}`)
      else {
        if (again.model.digest() !== first.model.digest()) wrong.push(`${place}: again ${again.model.digest()}`)
        const gone = lostFile(damaged, again.disk.image())
        if (gone !== undefined) wrong.push(`${place}: again ${gone} is gone`)
        if (again.sequence < first.sequence) wrong.push(`${place}: sequence ${again.sequence}`)
        const left = [...again.disk.names.keys()].filter((path) => /^\/j\/damaged-[^/]*$/.test(path))
        if (again.report?.damage !== undefined && left.length > 0) wrong.push(`${place}: ${left} is left`)
        if (depth < 1 && again.disk.log.length > 0)
          states += await crashEverywhere(t, damaged, again, policy, depth + 1, random)
      }
    }
    if (history.isAtEnd) break
    history.step()
  }
  t.deepEqual(some(wrong), [])
  return states
}

for (const [name, write] of Object.entries(JOURNALS)) {
  for (const policy of POLICIES) {
    test.serial(
      `${name}, ${policy}: a power cut at any step, and in the recovery from it, loses nothing more`,
      async (t) => {
        const journal = await write()
        const random = new Random(1)
        let states = 0
        for (const [what, damaged] of someDamages(journal)) {
          const first = await recoverWith(damaged, policy)
          t.truthy(first.report?.damage, what)
          states += await crashEverywhere(t, damaged, first, policy, 0, random)
        }
        t.log(`${states} states`)
        t.true(states > 300, `${states}`)
      },
    )
  }
}

test('a crash behind the commit: the next opening completes it and reports the damage, whatever its policy', async (t) => {
  const { files } = await writeJournal({ isClean: true })
  const path = segmentsOf(files)[1] as string
  const content = files.get(path) as Uint8Array
  const disk = SimulatedDisk.of(withFile(files, path, content.with(100, (content[100] as number) ^ 1)))
  const isMove = failing(
    ({ name, path }) => name === 'rename' && path.includes('/damaged-') && path.endsWith('.segment'),
    { error: 'EIO' },
  )
  disk.plan = isMove
  const journal = new FileJournal(disk.process(), '/j', undefined, 'salvage')
  await t.throwsAsync(journal.open(session()), { code: 'JOURNAL_UNREADABLE' })
  const interrupted = disk.image()
  const intent = [...interrupted.keys()].find((name) => name.endsWith('.json')) as string
  const text = Buffer.from(interrupted.get(intent) as Uint8Array).toString()
  const garbles = ['', '{', 'null', '[]', '7', '{}', '{"sequence":1}', text.replace('"offset": 64', '"offset": "64"')]
  for (const garble of [
    ...garbles,
    text.replace('"lost"', '"last"'),
    text.replace(/"sequence": \d+/, '"sequence": 1e99'),
  ]) {
    t.not(garble, text)
    const garbled = await recoverWith(withFile(new Map(interrupted), intent, Buffer.from(garble)), 'salvage')
    t.like(garbled.error, { code: 'CORRUPTION', file: intent }, garble)
  }
  const next = await recoverWith(interrupted, 'refuse')
  t.like(next.report?.damage, { file: path, offset: 64 })
  t.true([...next.disk.names.keys()].includes(`${next.report?.damage?.movedTo}/damage.json`))
  t.is((await recoverWith(next.disk.image(), 'refuse')).report?.damage, undefined)
})

// ── what is no damage ──

for (const policy of POLICIES) {
  test(`${policy}: an unreadable file, or one of a newer version, is refused and nothing is moved`, async (t) => {
    const { files } = await writeJournal({ isClean: true })
    const [first, second] = segmentsOf(files) as [string, string]
    const content = files.get(second) as Uint8Array
    const damaged = withFile(files, second, content.with(100, (content[100] as number) ^ 1))
    for (const path of [first, second]) {
      for (const error of ['EIO', 'EACCES']) {
        const disk = SimulatedDisk.of(damaged)
        disk.plan = failing((call) => call.name === (error === 'EIO' ? 'read' : 'open') && call.path === path, {
          error,
        })
        const journal = new FileJournal(disk.process(), '/j', undefined, policy)
        await t.throwsAsync(journal.open(session()), { code: 'JOURNAL_UNREADABLE', message: new RegExp(error) })
        t.is(disk.log.length, 0)
      }
    }
    const last = segmentsOf(files).at(-1) as string
    const newer = Buffer.from(files.get(last) as Uint8Array)
    newer.writeUInt32LE(99, FILE.version)
    newer.writeUInt32LE(checksum(newer.subarray(0, FILE.checksum)), FILE.checksum)
    const { error, disk } = await recoverWith(withFile(damaged, last, newer), policy)
    t.like(error as Error & { code: string }, { code: 'UNSUPPORTED_VERSION' })
    t.is(disk.log.length, 0)
  })
}

test('without any file, but with a LOCK that names a journal, it begins above nothing', async (t) => {
  const { files } = await writeJournal({ isClean: true })
  const only = new Map([['/j/LOCK', files.get('/j/LOCK') as Uint8Array]])
  const { error, report, model } = await recoverWith(only, 'salvage')
  t.is(error, undefined)
  t.deepEqual(report?.damage?.lost, { from: NO_SEQUENCE + 1 })
  t.is(model.entries.size, 0)
})

// ── as an option ──

/** A journal on disk: 30 durable changes in many frames, one byte of which is flipped. */
async function damagedJournal(t: ExecutionContext) {
  const directory = join(temporaryDirectory(t), 'journal')
  const cache = await openCache({ directory, fsync: 'never' })
  for (let at = 1; at <= 30; at++) {
    cache.set(`k${at}`, at)
    await cache.flush()
  }
  await cache.close()
  const path = join(directory, '0000000000000001.segment')
  const bytes = readFileSync(path)
  const { offset } = framesOf(bytes).find(
    ({ kind, firstSequence }) => kind === 'events' && firstSequence === 21,
  ) as Frame
  bytes[offset + 50] = (bytes[offset + 50] as number) ^ 4
  writeFileSync(path, bytes)
  return { directory, path, bytes, offset }
}

for (const onCorruption of POLICIES) {
  test(`openCache, ${onCorruption}: it says what is lost and where it is, goes on above it, and verify finds it sound`, async (t) => {
    const { directory, path, bytes, offset } = await damagedJournal(t)
    for (const refused of [{}, { onCorruption: 'refuse' as const }]) {
      const error = await t.throwsAsync(openCache({ directory, ...refused }), { instanceOf: CorruptionError })
      t.regex(error?.message ?? '', /onCorruption/)
    }
    const cache = await openCache({ directory, onCorruption })
    const { damage, sequence, clean } = cache.recovery
    const kept = onCorruption === 'reset' ? 0 : 20
    t.like(damage, { file: path, offset, sequence: 21, lost: { from: kept + 1, to: 30 } })
    t.deepEqual(readFileSync(join(damage?.movedTo ?? '', '0000000000000001.segment')), bytes)
    t.regex(posix.basename(damage?.movedTo ?? ''), /^damaged-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/)
    t.is(cache.size, kept)
    t.is(cache.get('k20'), kept === 0 ? undefined : 20)
    t.is(cache.get('k21'), undefined)
    t.is(sequence, 30)
    t.false(clean)
    const changes: number[] = []
    cache.changes$.subscribe((change) => changes.push(change.sequence))
    cache.set('after', 1)
    t.deepEqual(changes, [31])
    await cache.compact()
    await cache.close()
    t.deepEqual(readFileSync(join(damage?.movedTo ?? '', '0000000000000001.segment')), bytes)
    t.like(await verifyJournal(directory, () => undefined), { status: 'sound', problem: undefined })
    const again = await openCache({ directory, onCorruption })
    t.is(again.recovery.damage, undefined)
    t.is(again.size, kept + 1)
    await again.close()
  })
}

test('salvage of a damaged snapshot keeps the limits, which its last frame has', async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  const cache = await openCache({ directory, maxSize: 5_000, maxBytes: 1e9, fsync: 'never' })
  for (let at = 1; at <= 3_000; at++) cache.set(`k${at}`, at)
  await cache.compact()
  await cache.close()
  const path = join(directory, '0000000000003000.snapshot')
  const bytes = readFileSync(path)
  const { offset } = framesOf(bytes).findLast(({ kind }) => kind === 'rows') as Frame
  bytes[offset + 50] = (bytes[offset + 50] as number) ^ 4
  writeFileSync(path, bytes)
  const salvaged = await openCache({ directory, onCorruption: 'salvage' })
  t.true(salvaged.size > 0 && salvaged.size < 3_000, `${salvaged.size}`)
  const { maxSize, maxBytes } = salvaged.stats().journal
  t.deepEqual({ maxSize, maxBytes }, { maxSize: 5_000, maxBytes: 1e9 })
  await salvaged.close()
  const again = await openCache({ directory })
  t.is(again.stats().journal.maxSize, 5_000)
  await again.close()
})

test('another value is a TypeError, and so is the option with a journal; nothing is created', async (t) => {
  const directory = join(temporaryDirectory(t), 'journal')
  for (const onCorruption of ['repair', true, null, 1])
    await t.throwsAsync(openCache({ directory, onCorruption } as never), {
      instanceOf: TypeError,
      message: /onCorruption/,
    })
  const journal = memoryJournal()
  await t.throwsAsync(openCache({ journal, onCorruption: 'salvage' }), {
    instanceOf: TypeError,
    message: /onCorruption/,
  })
  t.false(existsSync(directory))
})
