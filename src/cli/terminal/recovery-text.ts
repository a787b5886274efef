/** The recovery report as text: what was recovered, from which files, how fast. */
import type { RecoveryReport } from '../../durable/contract.js'
import { ratePerSecond, showBytes, showCount, showCountOf, showMilliseconds } from './quantities.js'

/** For fewer events the rate would measure the start-up, not the recovery. */
const RATED_MIN = 100

export function recoveryLines(report: RecoveryReport, entries: number, directory: string): string[] {
  if (report.bytes === 0) return [`New journal in ${directory}: nothing to recover.`]
  const lines = [
    `Recovered ${showCountOf(entries, 'entry', 'entries')} from ${sourcesOf(report)} in ${directory}: ${paceOf(report)}`,
  ]
  const { setAside, damage } = report
  if (damage !== undefined) {
    const { from, to } = damage.lost
    lines.push(
      `The journal was damaged (${damage.file}, byte ${damage.offset}: ${damage.reason}). Lost: ${to === undefined ? `everything from sequence ${showCount(from)} on` : `changes among ${showCount(from)}–${showCount(to)}`}. Its files are in ${damage.movedTo}.`,
    )
  }
  if (setAside !== undefined) {
    lines.push(
      `The last run left an incomplete frame (${setAside.reason}): ${showBytes(setAside.bytes)} after sequence ${showCount(setAside.sequence - 1)} moved to ${setAside.savedAs}.`,
    )
  } else if (!report.clean) {
    lines.push('The last run did not close the journal: counters and the order of use are as of its last write.')
  }
  return [...lines, ...removalLines(report)]
}

/** What opening removed. Only limits that are given remove anything. */
export function removalLines(report: RecoveryReport): string[] {
  const removed = [
    ...(report.evicted > 0 ? [`${showCountOf(report.evicted, 'entry was', 'entries were')} evicted`] : []),
    ...(report.expired > 0
      ? [`${showCountOf(report.expired, 'expired entry was', 'expired entries were')} removed`]
      : []),
  ]
  return removed.length === 0 ? [] : [`To stay within the limits, ${removed.join(' and ')}.`]
}

function sourcesOf(report: RecoveryReport): string {
  const sources: string[] = []
  if (report.snapshot !== undefined) {
    sources.push(`${report.snapshot.file} (${showCountOf(report.snapshot.entries, 'entry', 'entries')})`)
  }
  if (report.events > 0 || report.snapshot === undefined) {
    sources.push(`${showCountOf(report.events, 'event')} in ${showCountOf(report.segments, 'segment')}`)
  }
  return sources.join(' and ')
}

function paceOf(report: RecoveryReport): string {
  const { bytes, durationMs } = report
  const replayed = report.events + (report.snapshot?.entries ?? 0)
  const pace = replayed < RATED_MIN ? '' : `, ${showCount(ratePerSecond(replayed, durationMs))} per second`
  return `${showBytes(bytes)} in ${showMilliseconds(durationMs)}${pace}.`
}
