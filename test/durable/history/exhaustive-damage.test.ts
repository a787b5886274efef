/**
 * Damage, exhaustively: every bit, every length, every run of zeros, every frame and file out of place. Recovery returns a
 * prefix of what was written, with a report of what was cut off, or refuses with the file, the offset and the sequence.
 */
import test from 'ava'
import { CorruptionError } from '../../../src/errors.js'
import { recoverImage } from '../../helpers/crash/recover-image.js'
import { frameDamages } from '../../helpers/durable/frame-damages.js'
import {
  type Files,
  framesOf,
  segmentsOf,
  type WrittenJournal,
  withFile,
  writeJournal,
} from '../../helpers/durable/written-journal.js'

const tally = { refused: 0, 'set aside': 0, shorter: 0, whole: 0 }
type Verdict = keyof typeof tally

interface Judged {
  verdict: Verdict
  sequence: number
}

/** Recovers damaged journals, and collects everything that is wrong with the outcomes. */
class Judge {
  readonly journal: WrittenJournal
  readonly wrong: string[] = []
  readonly counts: Record<Verdict, number> = { refused: 0, 'set aside': 0, shorter: 0, whole: 0 }

  constructor(journal: WrittenJournal) {
    this.journal = journal
  }

  async judge(damaged: Files, what: string): Promise<Judged> {
    const { sequence, model, error, report, disk } = await recoverImage(damaged)
    const say = (problem: string) => this.wrong.push(`${what}: ${problem}`)
    let verdict: Verdict = 'refused'
    if (error instanceof CorruptionError) {
      const { file, offset, sequence: missing } = error
      if (!file.startsWith('/j/') || !(Number.isSafeInteger(offset) && offset >= 0) || !Number.isSafeInteger(missing))
        say(`the error names ${file}, ${offset}, ${missing}`)
      if (disk.log.length > 0) say(`files were changed: ${disk.log.map(({ type }) => type)}`)
    } else if (error !== undefined) say(`${(error as Error).stack}`)
    else {
      const { ledger } = this.journal
      if (ledger.states.get(sequence)?.digest !== model.digest())
        say(`recovered ${model.digest()} at sequence ${sequence}, a state that never was`)
      const setAside = report?.setAside
      if (setAside !== undefined && (setAside.sequence !== sequence + 1 || setAside.bytes === 0)) say('misreported')
      verdict = setAside !== undefined ? 'set aside' : sequence === ledger.sequence ? 'whole' : 'shorter'
    }
    tally[verdict]++
    this.counts[verdict]++
    return { verdict, sequence }
  }

  /** Damage to this range must be reported, and must not cut off anything that was durable outside it. */
  async judgeRange(damaged: Files, path: string, from: number, to: number, what: string): Promise<void> {
    const { verdict, sequence } = await this.judge(damaged, what)
    const isBare = (this.journal.files.get(path) as Uint8Array).length <= 64 // a file without frames has nothing to lose
    if ((verdict === 'whole' || verdict === 'shorter') && !isBare) this.wrong.push(`${what}: silent`)
    if (verdict === 'set aside') this.checkDurable(sequence, path, from, to, what)
  }

  checkDurable(sequence: number, path: string, from: number, to: number, what: string): void {
    const durable = proven(this.journal.files, path, from, to)
    if (sequence < durable) this.wrong.push(`${what}: cut to ${sequence}, ${durable} was durable`)
  }
}

/** The first few problems, since there may be tens of thousands. */
const some = (wrong: readonly string[]) => wrong.slice(0, 20)

/** The highest sequence that a frame outside the damage says is durable. */
function proven(files: Files, path: string, from: number, to: number): number {
  let highest = 0
  for (const [file, content] of files) {
    if (!file.endsWith('.segment')) continue
    for (const frame of framesOf(content)) {
      const isHit = file === path && frame.offset < to && frame.offset + frame.length > from
      if (!isHit) highest = Math.max(highest, frame.durableSequence)
    }
  }
  return highest
}

const JOURNALS: Record<string, () => Promise<WrittenJournal>> = {
  'closed, several segments, a snapshot': () => writeJournal({ isClean: true }),
  'killed, several segments, a snapshot': () => writeJournal({ isClean: false }),
  'closed, one segment': () => writeJournal({ isClean: true, hasSnapshot: false, segmentBytes: 1e9 }),
  'killed, one segment': () => writeJournal({ isClean: false, hasSnapshot: false, segmentBytes: 1e9 }),
}

for (const [name, write] of Object.entries(JOURNALS)) {
  test.serial(`${name}: it contains what the test is about`, async (t) => {
    const journal = await write()
    t.is(segmentsOf(journal.files).length > 2, name.includes('several'))
    const judge = new Judge(journal)
    t.deepEqual(await judge.judge(journal.files, 'undamaged'), { verdict: 'whole', sequence: journal.ledger.sequence })
    t.deepEqual(judge.wrong, [])
  })

  test.serial(`${name}: a flipped bit is never silent`, async (t) => {
    const journal = await write()
    const judge = new Judge(journal)
    for (const [path, content] of contentsOf(journal)) {
      for (let at = 0; at < content.length; at++) {
        for (let bit = 0; bit < 8; bit++) {
          const damaged = content.with(at, (content[at] as number) ^ (1 << bit))
          const files = withFile(journal.files, path, damaged)
          await judge.judgeRange(files, path, at, at + 1, `${path}, bit ${bit} of byte ${at}`)
        }
      }
    }
    t.deepEqual(some(judge.wrong), [])
    t.true(judge.counts.refused > 0 && judge.counts['set aside'] > 0)
  })

  test.serial(`${name}: a file cut to any length silently loses at most whole frames at its end`, async (t) => {
    const journal = await write()
    const judge = new Judge(journal)
    for (const [path, content] of journal.files) {
      const isLock = path.endsWith('LOCK')
      const ends = new Set([64, ...framesOf(content).map((frame) => frame.offset + frame.length)])
      for (let length = 0; length < content.length; length++) {
        const what = `${path} cut to ${length}`
        const files = withFile(journal.files, path, content.subarray(0, length))
        const { verdict, sequence } = await judge.judge(files, what)
        if (isLock && verdict !== 'whole') judge.wrong.push(`${what}: ${verdict}`)
        else if (verdict === 'shorter' && !ends.has(length)) judge.wrong.push(`${what}: silent`)
        else if (verdict === 'set aside') judge.checkDurable(sequence, path, length, content.length, what)
      }
    }
    t.deepEqual(some(judge.wrong), [])
  })

  test.serial(`${name}: 512 bytes of zeros anywhere are never silent`, async (t) => {
    const journal = await write()
    const judge = new Judge(journal)
    for (const [path, content] of contentsOf(journal)) {
      for (let at = -511; at < content.length; at++) {
        const damaged = content.slice().fill(0, Math.max(0, at), at + 512)
        if (Buffer.compare(damaged, content) === 0) continue // these were zeros before
        await judge.judgeRange(withFile(journal.files, path, damaged), path, at, at + 512, `${path} zeroed from ${at}`)
      }
    }
    t.deepEqual(some(judge.wrong), [])
  })

  test.serial(`${name}: frames swapped, duplicated or dropped are found`, async (t) => {
    const journal = await write()
    const judge = new Judge(journal)
    for (const { what, files, isRefused } of frameDamages(journal)) {
      const { verdict } = await judge.judge(files, what)
      if (isRefused && verdict !== 'refused') judge.wrong.push(`${what}: ${verdict}`)
    }
    t.deepEqual(some(judge.wrong), [])
  })

  test.serial(`${name}: files missing, duplicated, swapped, stale or foreign are found`, async (t) => {
    const journal = await write()
    const judge = new Judge(journal)
    const { files } = journal
    const foreign = await writeJournal({
      isClean: name.startsWith('closed'),
      hasSnapshot: name.includes('snapshot'),
      segmentBytes: name.includes('several') ? 560 : 1e9,
      journalId: Buffer.alloc(16, 7),
    })
    const mustBe = async (expected: Verdict, path: string, content: Uint8Array | undefined, what: string) => {
      const { verdict } = await judge.judge(withFile(files, path, content), what)
      if (verdict !== expected) judge.wrong.push(`${what}: ${verdict}`)
    }
    const lastSegment = segmentsOf(files).at(-1)
    await mustBe('whole', '/j/LOCK', undefined, 'without LOCK')
    for (const [path, content] of contentsOf(journal)) {
      await mustBe('refused', path, undefined, `without ${path}`)
      await mustBe('refused', path, foreign.files.get(path), `a foreign ${path}`)
      for (const [other, otherContent] of contentsOf(journal))
        if (other !== path) await mustBe('refused', path, otherContent, `${other} as ${path}`)
      // As it was earlier, at the beginning of each of its frames.
      for (const { offset } of framesOf(content)) {
        const stale = content.subarray(0, offset)
        if (path !== lastSegment) await mustBe('refused', path, stale, `${path} as it was at ${offset} bytes`)
        else await judge.judge(withFile(files, path, stale), `${path} as it was at ${offset} bytes`)
      }
    }
    t.deepEqual(some(judge.wrong), [])
  })
}

/** All files but LOCK. */
function contentsOf({ files }: WrittenJournal): [string, Uint8Array][] {
  return [...files].filter(([path]) => !path.endsWith('LOCK'))
}

test.after.always(() => {
  const all = Object.values(tally).reduce((sum, count) => sum + count, 0)
  console.log(`Damage: ${all} damaged journals; ${JSON.stringify(tally)}; 0 silent`)
})
