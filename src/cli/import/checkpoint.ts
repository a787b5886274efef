/**
 * How far the import of a file of lines has come: a small file beside the journal, `import-<hash of its path>.progress`.
 *
 * It is written only after a flush, so every line before its offset is durable, and a crash at any moment makes the next run
 * do some lines again, never skip one. It is believed only if it belongs to this journal, if the journal still reaches as
 * far as it did then, and if the file's bytes before the offset still are what they were, as far as a look at the last of
 * them tells. When the file is done it is removed: importing it again then means just that.
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

interface Note extends Position {
  path: string
  /** What LOCK says: the journal's id. */
  journal: string
  /** The last sequence when it was written. */
  sequence: number
  /** Of the bytes just before the offset. */
  witness: number
}

export class ProgressNote {
  readonly #path: string
  readonly #file: string
  readonly #journal: string

  constructor(file: string, directory: string) {
    this.#file = realpathSync(file)
    const hash = createHash('sha256').update(this.#file).digest('hex').slice(0, 16)
    this.#path = join(directory, `import-${hash}.progress`)
    this.#journal = readFileSync(join(directory, 'LOCK'), 'utf8').trim()
  }

  /** Where to go on; the file's beginning if there is no note, or none that can be believed. */
  read(journalSequence: number): Position {
    const note = this.#parse()
    const isOurs = note !== undefined && note.path === this.#file && note.journal === this.#journal
    if (!isOurs || note.sequence > journalSequence || this.#witness(note.offset) !== note.witness) {
      return { offset: 0, lines: 0 }
    }
    return { offset: note.offset, lines: note.lines }
  }

  #parse(): Note | undefined {
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as Note
    } catch {
      return undefined
    }
  }

  /** Call it when everything before the position is durable, through `sequence`. */
  write({ offset, lines }: Position, sequence: number): void {
    const note: Note = {
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
      writeSync(descriptor, `${JSON.stringify(note)}\n`)
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
