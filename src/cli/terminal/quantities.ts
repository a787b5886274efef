/** Numbers for people to read: counts, bytes, durations, rates. */
import type { Limits } from '../../core/model/limits.js'

const COUNT = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })

export function showCount(count: number): string {
  return COUNT.format(count)
}

/** `1 entry`, `3,214 entries`. */
export function showCountOf(count: number, one: string, many = `${one}s`): string {
  return `${showCount(count)} ${count === 1 ? one : many}`
}

/** `1,000 entries, no limit on bytes`. */
export function showLimits({ maxSize, maxBytes }: Limits): string {
  const entries =
    maxSize === Number.POSITIVE_INFINITY ? 'no limit on entries' : showCountOf(maxSize, 'entry', 'entries')
  return `${entries}, ${maxBytes === Number.POSITIVE_INFINITY ? 'no limit on bytes' : showBytes(maxBytes)}`
}

const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB', 'PB']

export function showBytes(bytes: number): string {
  if (bytes < 1000) return showCountOf(bytes, 'byte')
  let scaled = bytes
  let unit = -1
  do {
    scaled /= 1000
    unit++
  } while (scaled >= 999.95 && unit < BYTE_UNITS.length - 1)
  return `${scaled.toFixed(1)} ${BYTE_UNITS[unit]}`
}

export function showMilliseconds(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))} ms`
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Per second. Less than a millisecond counts as one: the rate would be meaningless. */
export function ratePerSecond(amount: number, ms: number): number {
  return amount / (Math.max(1, ms) / 1000)
}

export function showPercent(ratio: number): string {
  const percent = ratio * 100
  return `${percent > 99 && percent < 100 ? percent.toFixed(2) : percent.toFixed(percent < 10 && percent > 0 ? 1 : 0)}%`
}

/** A time in UTC. A deadline may be later than any Date. */
export function showMoment(epochMs: number): string {
  const moment = new Date(epochMs)
  return Number.isNaN(moment.getTime()) ? String(epochMs) : moment.toISOString()
}
