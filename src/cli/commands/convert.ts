/** `daybook convert FROM TO`: converts a saved file to the other format. Needs no journal. */
import type { Command } from 'commander'
import type { SnapshotSource } from '../../durable/contract.js'
import { disk } from '../../durable/storage/disk.js'
import { CacheError } from '../../errors.js'
import { formatOf, type SaveProgress } from '../../files/format.js'
import { writeSave } from '../../files/save.js'
import { output } from '../terminal/output.js'
import { showBytes, showCountOf } from '../terminal/quantities.js'
import { FORMATS_HELP, readSavedFile, runFileCommand } from './file-command.js'

export function addConvertCommand(program: Command): void {
  program
    .command('convert')
    .description('convert a saved file to the other format')
    .argument('<from>', 'a file written by save, or by Python')
    .argument('<to>', 'the file to write; an existing one is replaced once the new one is complete')
    .addHelpText('after', `${FORMATS_HELP}\nExpired entries are left out.`)
    .action(async (from: string, to: string) => {
      const outcome = `${to} was not written; a file that was already there is unchanged.`
      process.exitCode = await runFileCommand(outcome, async (onProgress) => {
        const source = await readSavedFile(from, onProgress)
        const { entries, bytes } = await write(to, source, onProgress)
        const expired = source.count - entries
        const leftOut = expired === 0 ? '' : `; ${showCountOf(expired, 'expired entry', 'expired entries')} left out`
        output.line(`${to}: ${showCountOf(entries, 'entry', 'entries')}, ${showBytes(bytes)}${leftOut}`)
      })
    })
}

async function write(path: string, source: SnapshotSource, progress: SaveProgress) {
  try {
    return await writeSave({ storage: disk, path, format: formatOf(path), source, nowMs: Date.now(), progress })
  } catch (error) {
    if (error instanceof CacheError) throw error
    const { message } = error as Error
    throw new Error(`${path} could not be written: ${message}. A file that was already there is unchanged.`, {
      cause: error,
    })
  }
}
