/** A verification as text: a line for each file, then the verdict and what to do. */

import type { FileFinding, Verification } from '../journal/findings.js'
import type { Colors } from '../terminal/printable.js'
import { showBytes, showCount, showCountOf } from '../terminal/quantities.js'

export function verificationLines(found: Verification, colors: Colors): string[] {
  const nameWidth = Math.max(0, ...found.files.map(({ file }) => file.length))
  const statusWidth = Math.max(0, ...found.files.map(({ status }) => status.length))
  return [
    ...found.files.flatMap((finding) => fileLines(finding, nameWidth, statusWidth, colors)),
    ...verdictLines(found, colors),
  ]
}

function fileLines(finding: FileFinding, nameWidth: number, statusWidth: number, colors: Colors): string[] {
  const { file, status, damage } = finding
  const color =
    status === 'sound' || status === 'past'
      ? colors.green
      : status === 'corrupt' || status === 'unreachable'
        ? colors.red
        : colors.yellow
  const lines = [`${file.padEnd(nameWidth)}  ${color(status.padEnd(statusWidth))}  ${contentOf(finding)}`]
  if (damage === undefined) return lines
  const { offset, sequence, reason, soundFramesAfter, soundItemsAfter } = damage
  lines.push(`  at byte ${offset}, where sequence ${sequence} should be: ${reason}`)
  if (soundFramesAfter > 0) {
    lines.push(`  after it: ${showCountOf(soundFramesAfter, 'sound frame')} with ${itemsOf(finding, soundItemsAfter)}`)
  }
  return lines
}

function contentOf(finding: FileFinding): string {
  const { frames, items, bytes } = finding
  return `${showBytes(bytes)}: ${showCountOf(frames, 'sound frame')} with ${itemsOf(finding, items)}`
}

function itemsOf({ kind }: FileFinding, items: number): string {
  return kind === 'segment' ? showCountOf(items, 'event') : showCountOf(items, 'entry', 'entries')
}

function verdictLines({ status, sequence, files, problem, directory }: Verification, colors: Colors): string[] {
  const through = sequence === 0 ? 'It has no events yet.' : `Its last event is ${showCount(sequence)}.`
  if (status === 'sound') {
    const lines = [`${colors.green('sound')}: ${directory} opens without loss. ${through}`]
    if (files.some((file) => file.status === 'being written'))
      lines.push('Another process is writing to it: its last frame was not complete yet.')
    if (files.some((file) => file.status === 'unneeded' && file.damage !== undefined))
      lines.push('A file that is no longer needed is damaged: the disk may be failing.')
    if (files.some((file) => file.status === 'past' && file.damage !== undefined))
      lines.push('A file of the past is damaged: one cannot look back to what it holds. The disk may be failing.')
    return lines
  }
  const where =
    problem === undefined
      ? ''
      : `${problem.file}, byte ${problem.offset}, sequence ${problem.sequence}: ${problem.reason}`
  if (status === 'torn') {
    return [
      `${colors.yellow('torn')}: ${where}`,
      `The last frame is incomplete, as a crash leaves it. Opening moves it to a .broken file. ${through}`,
    ]
  }
  return [
    `${colors.red('corrupt')}: ${where}`,
    `${through} Opening is refused. Restore a backup, or run "daybook repair --directory ${directory}" to see what a repair would lose; a program can open it with onCorruption: 'salvage'.`,
  ]
}
