/** A verification in words: a line for each file, then what it comes to and what to do. */
import type { Colors } from '../printable.js'
import { showBytes, showCount, showCountOf } from '../quantities.js'
import type { FileFinding, Verification } from './findings.js'

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
    status === 'sound' ? colors.green : status === 'corrupt' || status === 'unreachable' ? colors.red : colors.yellow
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
  const through = sequence === 0 ? 'It holds no event yet.' : `It reaches through sequence ${showCount(sequence)}.`
  if (status === 'sound') {
    const lines = [`${colors.green('sound')}: ${directory} opens with nothing lost. ${through}`]
    if (files.some((file) => file.status === 'being written'))
      lines.push('Another process is writing to it; the frame at its end was not all there yet.')
    if (files.some((file) => file.status === 'unneeded' && file.damage !== undefined))
      lines.push('A file that is not needed any more is damaged: the disk may be failing.')
    return lines
  }
  const where =
    problem === undefined
      ? ''
      : `${problem.file}, byte ${problem.offset}, sequence ${problem.sequence}: ${problem.reason}`
  if (status === 'torn') {
    return [
      `${colors.yellow('torn')}: ${where}`,
      `The last frame is not whole, as a crash leaves it. ${through} Opening sets the rest aside in a .broken file and goes on.`,
    ]
  }
  return [
    `${colors.red('corrupt')}: ${where}`,
    `${through} Opening is refused, and nothing was changed. Restore a backup, or see what "daybook repair --directory ${directory}" would give up.`,
  ]
}
