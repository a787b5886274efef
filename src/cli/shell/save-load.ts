/** The shell's `save` and `load`. */
import { showBytes, showCountOf } from '../quantities.js'
import { calling } from './calling.js'
import type { ShellCommand } from './shell-command.js'

export const SAVE: ShellCommand = {
  name: 'save',
  usage: 'FILE',
  summary: 'write all entries into one file',
  details: [
    "A Python pickle if it ends in .pickle or .pkl, else daybook's own format, which holds every value exactly.",
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
  summary: 'take all entries from a saved file instead',
  details: ['Entries and counters are replaced; the file is one that save, or Python, wrote.'],
  takes: [1, 1],
  run: calling('load', (result, { print }) => {
    if (!result.ok) throw result.error
    print(`${showCountOf(result.entries, 'entry', 'entries')} from ${result.path}`)
  }),
}
