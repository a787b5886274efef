/**
 * Decides what the end of a journal means: sound, a torn write, or corruption. Fourth step of opening. Before: `read-chain`.
 * After: `recovery/set-aside` for a torn write, `recovery/rewrite-unproven` for a sound end.
 *
 * One case cannot be decided: damage after the last sequence that any frame says was durable looks like a write that a crash
 * cut short.
 */
import { join } from 'node:path'
import { CorruptionError } from '../../errors.js'
import { MalformedBytesError } from '../../values/bytes/byte-reader.js'
import { checksum } from '../format/checksum.js'
import { FILE_HEADER_BYTES, fileName } from '../format/format.js'
import { FrameScanner } from '../format/frame-scanner.js'
import type { JournalFile } from '../format/journal-files.js'
import type { ReadableStorage } from '../storage/storage.js'
import type { ChainEnd, ChainStop } from './read-segments.js'

export type Verdict =
  /** `dropped`: files whose creation was interrupted. */
  | { verdict: 'sound'; dropped: JournalFile[] }
  | { verdict: 'torn'; stop: ChainStop; dropped: JournalFile[] }
  | { verdict: 'corrupt'; error: CorruptionError }

/** What is known about the end. Each field is a column of {@link DAMAGE_RULES}. */
export interface EndFacts {
  /** What the chain of frames stops at, if anything. */
  stop: 'nowhere' | ChainStop['kind']
  /** Whether a seal or LOCK says that the file in which the journal continues, or begins, was durable. */
  isFileExpected: boolean
  /** Whether there are frames after the stop: in a later file, or in a file without a sound header. */
  hasLaterFrames: boolean
  /** Whether a sound frame after an unsound one, in the same file, says that the unsound one was durable. */
  witness: 'none' | 'found' | 'unknown'
}

/** One rule. A column that it omits may have any value. */
export interface DamageRule extends Partial<EndFacts> {
  verdict: Verdict['verdict']
  /** For corruption: the reason, composed of that of the stop and the offset of the witness. */
  reason?: (stop: string, witness: number) => string
}

const asFound = (stop: string) => stop

/**
 * Every combination of facts matches exactly one rule; `test/durable/history/damage.test.ts` proves it.
 *
 * A foreign frame is sound, so no torn write left it. An unsound header includes one that does not follow the file before
 * it. A seal proves no more than any other frame, because one fsync serves both it and what it seals.
 */
export const DAMAGE_RULES: readonly DamageRule[] = [
  { stop: 'nowhere', isFileExpected: false, verdict: 'sound' },
  {
    stop: 'nowhere',
    isFileExpected: true,
    verdict: 'corrupt',
    reason: () => 'the file is missing: the seal of the one before it says that the journal continues here',
  },
  { stop: 'foreign frame', verdict: 'corrupt', reason: asFound },
  { stop: 'unsound header', isFileExpected: true, verdict: 'corrupt', reason: asFound },
  { stop: 'unsound header', isFileExpected: false, hasLaterFrames: true, verdict: 'corrupt', reason: asFound },
  { stop: 'unsound header', isFileExpected: false, hasLaterFrames: false, verdict: 'sound' },
  {
    stop: 'unsound frame',
    hasLaterFrames: true,
    verdict: 'corrupt',
    reason: (stop) => `${stop}, and later files follow`,
  },
  {
    stop: 'unsound frame',
    hasLaterFrames: false,
    witness: 'found',
    verdict: 'corrupt',
    reason: (stop, witness) => `${stop}, and a sound frame at byte ${witness} says that what was here was durable`,
  },
  {
    stop: 'unsound frame',
    hasLaterFrames: false,
    witness: 'unknown',
    verdict: 'corrupt',
    reason: (stop) => `${stop}, and so many forged frame headers follow that nothing shows what was durable`,
  },
  { stop: 'unsound frame', hasLaterFrames: false, witness: 'none', verdict: 'torn' },
]

/** The rules that match these facts. An omitted fact matches every rule. */
export function rulesFor(facts: Partial<EndFacts>): DamageRule[] {
  const columns = Object.entries(facts) as [keyof EndFacts, unknown][]
  return DAMAGE_RULES.filter((rule) => columns.every(([column, fact]) => (rule[column] ?? fact) === fact))
}

/** @param wasInUse LOCK or a snapshot shows that the journal was completely created. */
export async function judge(
  storage: ReadableStorage,
  directory: string,
  segments: readonly JournalFile[],
  end: ChainEnd,
  wasInUse: boolean,
): Promise<Verdict> {
  const { stop } = end
  const later = stop === undefined ? [] : segments.slice(stop.index + 1)
  const isSealContinued = end.position?.seal === 'continued'
  const facts: Omit<EndFacts, 'witness'> = {
    stop: stop?.kind ?? 'nowhere',
    isFileExpected: isSealContinued || (stop?.index === 0 && wasInUse),
    hasLaterFrames: (stop?.kind === 'unsound header' ? [stop.file, ...later] : later).some(hasFrames),
  }
  let rules = rulesFor(facts)
  let witness: Witness = { witness: 'none' }
  if (rules.length > 1 && stop !== undefined) {
    // Only if needed, because it searches the rest of the file.
    witness = await findWitness(storage, stop, end)
    rules = rulesFor({ ...facts, witness: witness.witness })
  }
  const { verdict, reason = asFound } = rules[0] as DamageRule
  switch (verdict) {
    case 'sound':
      return { verdict, dropped: stop === undefined ? end.strays : [...end.strays, stop.file, ...later] }
    case 'torn':
      return { verdict, stop: stop as ChainStop, dropped: [...end.strays, ...later] }
    case 'corrupt': {
      if (stop?.error instanceof CorruptionError) return { verdict, error: stop.error }
      const sequence = end.nextSequence
      const file = stop?.file.path ?? join(directory, fileName(sequence, 'segment'))
      const described = reason(stop?.reason ?? '', witness.offset ?? 0)
      return { verdict, error: new CorruptionError({ file, offset: stop?.offset ?? 0, sequence, reason: described }) }
    }
  }
}

interface Witness extends Pick<EndFacts, 'witness'> {
  offset?: number
}

/** Looks after an unsound frame for a sound one that says it was durable. */
async function findWitness(storage: ReadableStorage, stop: ChainStop, end: ChainEnd): Promise<Witness> {
  const file = storage.open(stop.file.path, 'read')
  try {
    const scanner = new FrameScanner(file, checksum(end.journalId as Buffer)) // a header was read before the frame
    const frame = await scanner.findFrame(
      stop.offset,
      ({ firstSequence, durableSequence }) => firstSequence >= end.nextSequence && durableSequence >= end.nextSequence,
    )
    return frame === undefined ? { witness: 'none' } : { witness: 'found', offset: frame.offset }
  } catch (error) {
    if (error instanceof MalformedBytesError) return { witness: 'unknown' }
    throw error
    /* c8 ignore next -- V8 counts a branch after a catch that always leaves */
  } finally {
    file.close()
  }
}

function hasFrames(file: JournalFile): boolean {
  return file.bytes > FILE_HEADER_BYTES
}
