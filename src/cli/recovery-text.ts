/** What opening found, in words: what was recovered, from what, how fast. */
import type { RecoveryReport } from '../durable/contract.js'
import { ratePerSecond, showBytes, showCount, showCountOf, showMilliseconds } from './quantities.js'

/** The pace of fewer says more of starting up than of recovery. */
const RATED_LEAST = 100

export function recoveryLines(report: RecoveryReport, entries: number, directory: string): string[] {
  if (report.bytes === 0) return [`A new journal begins in ${directory}: there was nothing to recover.`]
  const lines = [
    `Recovered ${showCountOf(entries, 'entry', 'entries')} from ${sourcesOf(report)} in ${directory}: ${paceOf(report)}`,
  ]
  const { setAside } = report
  if (setAside !== undefined) {
    lines.push(
      `The last run left a frame half written: ${showBytes(setAside.bytes)} after sequence ${setAside.sequence - 1} were set aside in ${setAside.savedAs} (${setAside.reason}).`,
    )
  } else if (!report.clean) {
    lines.push('The last run did not close the journal: counters and the order of use are as of its last write.')
  }
  if (report.evicted + report.expired > 0) {
    lines.push(
      `To keep within the limits ${showCountOf(report.evicted, 'entry was', 'entries were')} evicted and ${showCount(report.expired)} removed as expired.`,
    )
  }
  return lines
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
  const pace = replayed < RATED_LEAST ? '' : `, ${showCount(ratePerSecond(replayed, durationMs))} a second`
  return `${showBytes(bytes)} in ${showMilliseconds(durationMs)}${pace}.`
}
