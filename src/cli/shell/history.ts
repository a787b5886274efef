/**
 * The lines typed at the prompt, kept in `~/.daybook_history` (DAYBOOK_HISTORY names another file; empty: none). Only its
 * owner may read it, since it holds values. Lines are appended one by one, so that two shells do not overwrite each other.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { printable } from '../terminal/printable.js'

const LINES_MAX = 1_000
/** Longer lines, such as pasted values, are not kept. */
const LINE_LENGTH_MAX = 10_000

export class History {
  readonly #path: string
  /** The newest line first, as `readline` expects it. */
  readonly lines: string[]
  #isWritable: boolean

  constructor(path = process.env['DAYBOOK_HISTORY'] ?? join(homedir(), '.daybook_history')) {
    this.#path = path
    this.#isWritable = path !== ''
    this.lines = this.#read()
  }

  #read(): string[] {
    if (!this.#isWritable) return []
    try {
      const lines = printable(readFileSync(this.#path, 'utf8')).split('\n').filter(Boolean)
      const kept = lines.slice(-LINES_MAX)
      if (lines.length > 2 * LINES_MAX) writeFileSync(this.#path, `${kept.join('\n')}\n`, { mode: 0o600 })
      return kept.reverse()
    } catch {
      return [] // it does not exist yet or cannot be read; the shell works without it
    }
  }

  add(line: string): void {
    if (!this.#isWritable || line.trim() === '' || line.length > LINE_LENGTH_MAX) return
    try {
      appendFileSync(this.#path, `${line}\n`, { mode: 0o600 })
    } catch {
      this.#isWritable = false
    }
  }
}

export const HISTORY_LINES_MAX = LINES_MAX
