/** The shell's `save` and `load`. */
import { showBytes, showCountOf } from '../terminal/quantities.js'
import { calling } from './calling.js'
import type { ShellCommand } from './shell-command.js'

export const SAVE: ShellCommand = {
  name: 'save',
  usage: 'FILE',
  summary: 'write all entries to a file',
  details: [
    "A Python pickle if its name ends in .pickle or .pkl, otherwise daybook's own format, which keeps every value exactly.",
  ],
  takes: [1, 1],
  run: calling('save', (result, { print }) => {
    if (!result.ok) throw result.error
    print(`${result.path}: ${showCountOf(result.entries, 'entry', 'entries')}, ${showBytes(result.bytes)}`)
  }),
}

export const LOAD: ShellCommand = {
  name: 'load',
  usage: 'FILE',
  summary: 'replace all entries with those of a saved file',
  details: ['Counters are replaced, too. The file is one written by save or by Python.'],
  takes: [1, 1],
  run: calling('load', (result, { print }) => {
    if (!result.ok) throw result.error
    print(`${showCountOf(result.entries, 'entry', 'entries')} from ${result.path}`)
  }),
}
