/** `daybook convert FROM TO`: a saved file in another format. No journal is needed. */
import type { Command } from 'commander'
import { fileError } from '../cache/files.js'
import type { SnapshotSource } from '../journal/journal.js'
import { Counters } from '../model/counters.js'
import type { StoredValue } from '../model/stored-value.js'
import { formatOf } from '../save/format.js'
import { readSave } from '../save/read-save.js'
import { writeSave } from '../save/write-save.js'
import { disk } from '../storage/disk.js'
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
      const source = await read(from)
      const { entries, bytes } = await write(to, source)
      const expired = source.count - entries
      const leftOut = expired === 0 ? '' : `; ${showCount(expired)} had expired and were left out`
      output.line(`${to}: ${showCountOf(entries, 'entry', 'entries')}, ${showBytes(bytes)}${leftOut}`)
    })
}

async function read(path: string): Promise<SnapshotSource> {
  const rows: { key: string; value: StoredValue; expiresAtMs: number }[] = []
  const counters = new Counters()
  try {
    await readSave(disk, path, formatOf(path), {
      counters,
      add: (key, value, expiresAtMs) => void rows.push({ key, value, expiresAtMs }),
    })
  } catch (error) {
    throw new Error(fileError('load', path, error).message, { cause: error }) // the file's damage, not a journal's
  }
  let at = 0
  return { count: rows.length, counters, read: () => rows[at++], release: () => undefined }
}

async function write(path: string, source: SnapshotSource) {
  try {
    return await writeSave({ storage: disk, path, format: formatOf(path), source, nowMs: Date.now() })
  } catch (error) {
    throw fileError('save', path, error)
  }
}
