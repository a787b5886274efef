/** `daybook convert FROM TO`: a saved file in another format. No journal is needed. */
import type { Command } from 'commander'
import { fileError } from '../cache/save-options.js'
import { Counters } from '../core/model/counters.js'
import type { StoredValue } from '../core/model/stored-value.js'
import type { SnapshotSource } from '../durable/contract.js'
import { disk } from '../durable/storage/disk.js'
import { formatOf, type SaveProgress } from '../files/format.js'
import { readSave } from '../files/load.js'
import { writeSave } from '../files/save.js'
import { withFileProgress } from './file-command.js'
import { output } from './output.js'
import { showBytes, showCount, showCountOf } from './quantities.js'
import { FORMATS_HELP } from './save.js'

export function addConvertCommand(program: Command): void {
  program
    .command('convert')
    .description('turn a saved file into the other format')
    .argument('<from>', 'a file that save (or Python) wrote')
    .argument('<to>', 'the file to write; an old one is replaced when the new one is complete')
    .addHelpText('after', `${FORMATS_HELP}\nWhat has expired is left out.`)
    .action(async (from: string, to: string) => {
      process.exitCode = await withFileProgress(
        `${to} was not written; one that was there is as it was.`,
        async (progress) => {
          const source = await read(from, progress)
          const { entries, bytes } = await write(to, source, progress)
          const expired = source.count - entries
          const leftOut = expired === 0 ? '' : `; ${showCount(expired)} had expired and were left out`
          output.line(`${to}: ${showCountOf(entries, 'entry', 'entries')}, ${showBytes(bytes)}${leftOut}`)
        },
      )
    })
}

async function read(path: string, progress: SaveProgress): Promise<SnapshotSource> {
  const rows: { key: string; value: StoredValue; expiresAtMs: number }[] = []
  const counters = new Counters()
  const received = {
    counters,
    add: (key: string, value: StoredValue, expiresAtMs: number) => void rows.push({ key, value, expiresAtMs }),
  }
  try {
    await readSave(disk, path, formatOf(path), received, progress)
  } catch (error) {
    throw new Error(fileError('load', path, error).message, { cause: error }) // the file's damage, not a journal's
  }
  let at = 0
  return { count: rows.length, counters, read: () => rows[at++], release: () => undefined }
}

async function write(path: string, source: SnapshotSource, progress: SaveProgress) {
  try {
    return await writeSave({ storage: disk, path, format: formatOf(path), source, nowMs: Date.now(), progress })
  } catch (error) {
    throw fileError('save', path, error)
  }
}
