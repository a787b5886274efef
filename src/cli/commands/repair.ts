/**
 * `daybook repair`: shows how a damaged journal can be made to open again, or how to make a journal end earlier, and with --yes
 * does it. Deletes nothing.
 */
import type { Command } from 'commander'
import type { Sequence } from '../../core/model/sequence.js'
import { fileName, LOCK_NAME } from '../../durable/format/format.js'
import { isInUse } from '../../durable/history/lock-file.js'
import { locked, openDirectory } from '../../durable/recovery/open-directory.js'
import { disk, unlockedDisk } from '../../durable/storage/disk.js'
import { listJournal } from '../journal/journal-directory.js'
import {
  addDirectoryOption,
  addLockOption,
  type DirectoryOptions,
  type LockOptions,
  parseSequence,
} from '../journal/options.js'
import { applyStep } from '../repair/apply-repair.js'
import { planRepair } from '../repair/plan-repair.js'
import { planShortening } from '../repair/plan-shortening.js'
import type { RepairPlan, RepairStep } from '../repair/repair-plan.js'
import { EXIT } from '../terminal/exit-codes.js'
import { output } from '../terminal/output.js'
import { showBytes, showCount, showCountOf } from '../terminal/quantities.js'
import { verifyJournal } from '../verify/verify-journal.js'
import { exitCodeFor } from './verify.js'

interface RepairOptions extends DirectoryOptions, LockOptions {
  yes?: true
  to?: Sequence
}

/** One repair can reveal the next, such as damage after a rebuilt header. A journal does not have this many files. */
const ROUNDS_MAX = 100

export function addRepairCommand(program: Command): void {
  addLockOption(addDirectoryOption(program.command('repair')))
    .description('make a damaged journal open again; without --yes, only show what would be done')
    .option('--yes', 'carry out the repair')
    .option('--to <sequence>', 'make the journal end with this sequence number, damaged or not', parseSequence)
    .addHelpText(
      'after',
      `
Nothing is deleted: what is set aside stays in .broken files beside the journal. Still, make a copy of the directory first.
With --to, whole frames through that sequence number are kept: for a journal that holds more entries than can be opened, or
unwanted events. "daybook inspect" shows them with their sequence numbers.
Exit codes: without --yes those of verify (0 nothing to repair, 3 torn, 4 corrupt); with --yes 0 if it opens again.`,
    )
    .action(async ({ directory, lock, yes, to }: RepairOptions) => {
      await listJournal(directory) // throws if there is none
      process.exitCode = yes ? await repair(directory, lock, to) : await propose(directory, to)
    })
}

async function propose(directory: string, to: Sequence | undefined): Promise<number> {
  if (await isInUse(disk, directory)) {
    throw locked(disk, directory, { advice: 'Close that one before a repair. ("daybook verify" works meanwhile.)' })
  }
  const plan = await planFirst(directory, to)
  if (plan.steps.length === 0) output.line(nothingToDo(to))
  else {
    output.line(`${plan.status}: ${plan.finding}`)
    output.line('A repair would:')
    for (const step of plan.steps) output.line(`  ${stepText(step)}`)
    printLosses(plan, 'It would lose')
    const end = to === undefined ? '' : ` --to ${to}`
    output.line(`Nothing was changed. To repair: daybook repair --directory ${directory}${end} --yes`)
  }
  return exitCodeFor(plan)
}

async function repair(directory: string, isLocking: boolean, to: Sequence | undefined): Promise<number> {
  const lock = await openDirectory(isLocking ? disk : unlockedDisk, directory)
  try {
    for (let round = 1; ; round++) {
      const plan = round === 1 ? await planFirst(directory, to) : await planRepair(directory)
      if (plan.steps.length === 0) {
        output.line(round === 1 ? nothingToDo(to) : await conclusion(directory))
        return EXIT.fine
      }
      if (round > ROUNDS_MAX)
        throw new Error(`The journal is still damaged: ${plan.finding}. What was set aside is kept.`)
      output.line(`${plan.status}: ${plan.finding}`)
      for (const step of plan.steps) output.line(`  ${await applyStep(directory, step, lock)}`)
      printLosses(plan, 'Lost')
    }
  } finally {
    lock.release()
  }
}

function planFirst(directory: string, to: Sequence | undefined): Promise<RepairPlan> {
  return to === undefined ? planRepair(directory) : planShortening(directory, to)
}

function nothingToDo(to: Sequence | undefined): string {
  return to === undefined
    ? 'Nothing to repair: the journal is sound.'
    : `Nothing to do: the journal ends with sequence ${showCount(to)}.`
}

function printLosses({ losses }: RepairPlan, verb: string): void {
  if (losses.length === 0) output.line(`${verb}: nothing.`)
  for (const [index, loss] of losses.entries()) output.line(index === 0 ? `${verb}: ${loss}` : `  ${loss}`)
}

async function conclusion(directory: string): Promise<string> {
  const { sequence } = await verifyJournal(directory, () => undefined)
  return `The journal opens again, through sequence ${showCount(sequence)}.`
}

function stepText(step: RepairStep): string {
  switch (step.type) {
    case 'move aside':
      return `move ${step.file.name} to a .broken file`
    case 'cut':
      return `move ${showBytes(step.file.bytes - step.offset)} of ${step.file.name}, from byte ${step.offset} on, to a .broken file`
    case 'rebuild header':
      return `rebuild the header of ${step.file.name} (its frames prove it right), and check again`
    case 'begin segment':
      return `create ${fileName(step.sequence, 'segment')}`
    case 'write snapshot':
      return `write ${fileName(step.sequence, 'snapshot')} with ${showCountOf(step.rows.length, 'entry', 'entries')}, and check again`
    case 'write LOCK':
      return `write ${LOCK_NAME} again, with the id of the files' journal, and check again`
  }
}
