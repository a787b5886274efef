/**
 * Where the next import of a file of lines continues: a small file beside the journal, `import-<hash of its path>.progress`.
 *
 * It is written only after a flush, so every line before its offset is durable: after a crash the next run repeats some
 * lines, and never skips one. It is used only if it belongs to this journal, if the journal still reaches at least as far as
 * it did then, and if the last bytes of the file before the offset are still the same. When the whole file is imported it
 * is removed, so that importing the file again starts at its first line.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { checksum } from '../../durable/format/checksum.js'

const WITNESS_BYTES = 64 * 1024

export interface Position {
  offset: number
  lines: number
}

interface Saved extends Position {
  path: string
  /** The journal's id, as LOCK has it. */
  journal: string
  /** The last sequence number when this was written. */
  sequence: number
  /** The checksum of the bytes just before the offset. */
  witness: number
}

export class Checkpoint {
  readonly #path: string
  readonly #file: string
  readonly #journal: string

  constructor(file: string, directory: string) {
    this.#file = realpathSync(file)
    const hash = createHash('sha256').update(this.#file).digest('hex').slice(0, 16)
    this.#path = join(directory, `import-${hash}.progress`)
    this.#journal = readFileSync(join(directory, 'LOCK'), 'utf8').trim()
  }

  /** Where to continue; the start of the file if there is no usable checkpoint. */
  read(journalSequence: number): Position {
    const saved = this.#parse()
    const isOurs = saved !== undefined && saved.path === this.#file && saved.journal === this.#journal
    if (!isOurs || saved.sequence > journalSequence || this.#witness(saved.offset) !== saved.witness) {
      return { offset: 0, lines: 0 }
    }
    return { offset: saved.offset, lines: saved.lines }
  }

  /** Undefined if there is none, or what is there is not what {@link write} writes. */
  #parse(): Saved | undefined {
    try {
      const saved = JSON.parse(readFileSync(this.#path, 'utf8')) as Saved
      const isSound = [saved.offset, saved.lines, saved.sequence].every(
        (number) => Number.isSafeInteger(number) && number >= 0,
      )
      return isSound ? saved : undefined
    } catch {
      return undefined
    }
  }

  /** To be called when everything before the position is durable, through `sequence`. */
  write({ offset, lines }: Position, sequence: number): void {
    const saved: Saved = {
      path: this.#file,
      journal: this.#journal,
      offset,
      lines,
      sequence,
      witness: this.#witness(offset),
    }
    const temporary = `${this.#path}.new`
    const { O_WRONLY, O_CREAT, O_TRUNC } = constants
    const descriptor = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try {
      writeSync(descriptor, `${JSON.stringify(saved)}\n`)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, this.#path)
  }

  remove(): void {
    rmSync(this.#path, { force: true })
  }

  #witness(offset: number): number {
    const bytes = Buffer.alloc(Math.min(offset, WITNESS_BYTES))
    const descriptor = openSync(this.#file, constants.O_RDONLY)
    try {
      const read = readSync(descriptor, bytes, 0, bytes.length, offset - bytes.length)
      return checksum(bytes.subarray(0, read), read)
    } finally {
      closeSync(descriptor)
    }
  }
}
