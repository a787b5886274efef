/**
 * LOCK and the files name different journals. Which of them is wrong is decided as `onCorruption` does (recovery/keepable):
 *
 *   damage                        repair                                lost
 *   ────────────────────────────  ────────────────────────────────────  ────────────────────────────
 *   no file is of LOCK's journal  write LOCK again: it has no checksum  nothing
 *   some files are of it          set the others aside                  nothing of LOCK's journal
 */
import { join } from 'node:path'
import { LOCK_NAME } from '../../durable/format/format.js'
import type { JournalFile, JournalFiles } from '../../durable/format/journal-files.js'
import { soundHeaderOf } from '../../durable/history/strict-reading.js'
import { disk } from '../../durable/storage/disk.js'
import { showCountOf } from '../terminal/quantities.js'
import type { RepairPlan, RepairStep } from './repair-plan.js'

/** The journal of each file that says so. */
export type Owned = readonly { file: JournalFile; journalId: Buffer }[]

export async function ownersOf({ segments, snapshots, loaded }: JournalFiles): Promise<Owned> {
  const owned: { file: JournalFile; journalId: Buffer }[] = []
  for (const [kind, files] of [
    ['segment', segments],
    ['snapshot', snapshots],
    ['loaded', loaded],
  ] as const) {
    for (const file of files) {
      const header = await soundHeaderOf(disk, file, kind)
      if (header !== undefined) owned.push({ file, journalId: header.journalId })
    }
  }
  return owned
}

/**
 * `first`: the file that opening begins with. `noted`: the id in LOCK, if there is one. Returns undefined if they do not contradict
 * each other.
 */
export function planOtherJournal(
  directory: string,
  owned: Owned,
  first: JournalFile | undefined,
  noted: Buffer | undefined,
): RepairPlan | undefined {
  const journalId = owned.find(({ file }) => file === first)?.journalId
  if (first === undefined || journalId === undefined || noted === undefined || noted.equals(journalId)) return undefined
  const lock = join(directory, LOCK_NAME)
  if (!owned.some((one) => noted.equals(one.journalId))) {
    return {
      status: 'corrupt',
      finding: `${lock} names a journal that no file is of; ${first.name} is of another one`,
      steps: [{ type: 'write LOCK', journalId }],
      losses: [],
    }
  }
  const others = owned.filter((one) => !noted.equals(one.journalId)).map(({ file }) => file)
  return {
    status: 'corrupt',
    finding: `${first.path} is of another journal than ${lock} names`,
    steps: others.map((file): RepairStep => ({ type: 'move aside', file })),
    losses: [`${showCountOf(others.length, 'file')} of another journal, kept as .broken files.`],
  }
}
