/**
 * Damage, exhaustively: every bit, every length, every run of zeros, every frame and file out of place. Recovery returns a
 * prefix of what was written, with a report of what was cut off, or refuses with the file, the offset and the sequence.
 */
import test, { type ExecutionContext } from 'ava'
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

/** Recovers, checks what must hold after any damage, and returns the verdict. */
async function judge(t: ExecutionContext, journal: WrittenJournal, damaged: Files, what: string): Promise<Judged> {
  const { sequence, model, error, report, disk } = await recoverImage(damaged)
  const verdict = (() => {
    if (error !== undefined) {
      if (!(error instanceof CorruptionError)) t.fail(`${what}: ${(error as Error).stack}`)
      else {
        const { file, offset, sequence: missing } = error
        const isNamed =
          file.startsWith('/j/') && Number.isSafeInteger(offset) && offset >= 0 && Number.isSafeInteger(missing)
        if (!isNamed) t.fail(`${what}: the error names ${file}, ${offset}, ${missing}`)
        if (disk.log.length > 0) t.fail(`${what}: files were changed: ${disk.log.map(({ type }) => type)}`)
      }
      return 'refused'
    }
    const expected = journal.ledger.states.get(sequence)
    if (expected === undefined || expected.digest !== model.digest())
      t.fail(`${what}: recovered ${model.digest()} at sequence ${sequence}, a state that never was`)
    if (report?.setAside !== undefined) {
      if (report.setAside.sequence !== sequence + 1 || report.setAside.bytes === 0) t.fail(`${what}: misreported`)
      return 'set aside'
    }
    return sequence === journal.ledger.sequence ? 'whole' : 'shorter'
  })()
  tally[verdict]++
  return { verdict, sequence }
}

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
    const { files, ledger } = await write()
    t.log([...files].map(([path, content]) => `${path} ${content.length}`).join(', '))
    t.is(segmentsOf(files).length > 2, name.includes('several'))
    const { verdict, sequence } = await judge(t, { files, ledger }, files, 'undamaged')
    t.is(verdict, 'whole')
    t.is(sequence, ledger.sequence)
  })

  test.serial(`${name}: a flipped bit is never silent`, async (t) => {
    const journal = await write()
    const counts: Record<Verdict, number> = { refused: 0, 'set aside': 0, shorter: 0, whole: 0 }
    for (const [path, content] of journal.files) {
      if (path.endsWith('LOCK')) continue
      for (let at = 0; at < content.length; at++) {
        const durable = proven(journal.files, path, at, at + 1)
        for (let bit = 0; bit < 8; bit++) {
          const damaged = content.slice()
          damaged[at] = (damaged[at] as number) ^ (1 << bit)
          const what = `${path}, bit ${bit} of byte ${at}`
          const { verdict, sequence } = await judge(t, journal, withFile(journal.files, path, damaged), what)
          counts[verdict]++
          if (verdict === 'set aside' && sequence < durable)
            t.fail(`${what}: cut to ${sequence}, ${durable} was durable`)
          const isBare = content.length <= 64 // a file without frames has nothing to lose
          if ((verdict === 'whole' || verdict === 'shorter') && !isBare) t.fail(`${what}: silent`)
        }
      }
    }
    t.log(counts)
    t.true(counts.refused > 0 && counts['set aside'] > 0)
  })

  test.serial(`${name}: a file cut to any length silently loses at most whole frames at its end`, async (t) => {
    const journal = await write()
    for (const [path, content] of journal.files) {
      const ends = new Set([64, ...framesOf(content).map((frame) => frame.offset + frame.length)])
      for (let length = 0; length < content.length; length++) {
        const what = `${path} cut to ${length}`
        const damaged = withFile(journal.files, path, content.subarray(0, length))
        const { verdict, sequence } = await judge(t, journal, damaged, what)
        if (path.endsWith('LOCK')) t.is(sequence, journal.ledger.sequence)
        else if (verdict === 'shorter' && !ends.has(length)) t.fail(`${what}: silent`)
        else if (verdict === 'set aside' && sequence < proven(journal.files, path, length, content.length))
          t.fail(`${what}: cut to ${sequence}`)
      }
    }
    t.pass()
  })

  test.serial(`${name}: 512 bytes of zeros anywhere are never silent`, async (t) => {
    const journal = await write()
    for (const [path, content] of journal.files) {
      if (path.endsWith('LOCK')) continue
      for (let at = -511; at < content.length; at++) {
        const damaged = content.slice()
        damaged.fill(0, Math.max(0, at), at + 512)
        if (Buffer.compare(damaged, content) === 0) continue // these were zeros before
        const what = `${path} zeroed from ${at}`
        const { verdict, sequence } = await judge(t, journal, withFile(journal.files, path, damaged), what)
        if ((verdict === 'whole' || verdict === 'shorter') && content.length > 64) t.fail(`${what}: silent`)
        if (verdict === 'set aside' && sequence < proven(journal.files, path, at, at + 512))
          t.fail(`${what}: cut to ${sequence}`)
      }
    }
    t.pass()
  })

  test.serial(`${name}: frames swapped, duplicated or dropped are found`, async (t) => {
    const journal = await write()
    for (const { what, files, isRefused } of frameDamages(journal)) {
      const { verdict } = await judge(t, journal, files, what)
      if (isRefused) t.is(verdict, 'refused', what)
    }
  })

  test.serial(`${name}: files missing, duplicated, swapped, stale or foreign are found`, async (t) => {
    const journal = await write()
    const { files } = journal
    const foreign = await writeJournal({
      isClean: name.startsWith('closed'),
      hasSnapshot: name.includes('snapshot'),
      segmentBytes: name.includes('several') ? 560 : 1e9,
      journalId: Buffer.alloc(16, 7),
    })
    const lastSegment = segmentsOf(files).at(-1)
    for (const path of files.keys()) {
      const without = await judge(t, journal, withFile(files, path, undefined), `without ${path}`)
      t.is(without.verdict, path.endsWith('LOCK') ? 'whole' : 'refused', `without ${path}`)
      if (path.endsWith('LOCK')) continue
      const replaced = await judge(t, journal, withFile(files, path, foreign.files.get(path)), `foreign ${path}`)
      t.is(replaced.verdict, 'refused', `a foreign ${path}`)
      for (const other of files.keys()) {
        if (other === path || other.endsWith('LOCK')) continue
        const content = files.get(other) as Uint8Array
        t.is((await judge(t, journal, withFile(files, path, content), '')).verdict, 'refused', `${other} as ${path}`)
      }
      // As it was earlier, at the end of each of its frames.
      const content = files.get(path) as Uint8Array
      for (const frame of framesOf(content)) {
        const stale = await judge(t, journal, withFile(files, path, content.subarray(0, frame.offset)), `stale ${path}`)
        if (path !== lastSegment && stale.verdict !== 'refused')
          t.fail(`${path} as it was at ${frame.offset} bytes: ${stale.verdict}`)
      }
    }
    t.pass()
  })
}

test.after.always(() => {
  const all = Object.values(tally).reduce((sum, count) => sum + count, 0)
  console.log(`Damage: ${all} damaged journals; ${JSON.stringify(tally)}; 0 silent`)
})
