/** Entries of the past as lines: `at` and `diff`. */
import type { StoredEntry } from '../../cache/turns/reads.js'
import { valueMember } from './change-json.js'
import { output } from './output.js'
import { showMoment } from './quantities.js'
import { restoreToShow, shorten, showKey, showValue } from './show-value.js'

const VALUE_LENGTH_MAX = 200

export function valueText({ value }: StoredEntry, isFull: boolean): string {
  const shown = showValue(restoreToShow(value), { isFull })
  return isFull ? shown : shorten(shown, VALUE_LENGTH_MAX)
}

/** Deadlines and tags. */
export function restText({ expiresAtMs, freshUntilMs, tags }: StoredEntry): string {
  const parts = [
    ...(freshUntilMs === undefined ? [] : [`stale from ${showMoment(freshUntilMs)}`]),
    ...(expiresAtMs === undefined ? [] : [`expires ${showMoment(expiresAtMs)}`]),
    ...(tags.length === 0 ? [] : [`tags ${tags.map(showKey).join(', ')}`]),
  ]
  return parts.length === 0 ? '' : ` ${output.colors.dim(parts.join(' '))}`
}

export function entryText(key: string, entry: StoredEntry, isFull: boolean): string {
  return `${showKey(key)} = ${valueText(entry, isFull)}${restText(entry)}`
}

export function entryJson(key: string, entry: StoredEntry): string {
  return `{"key":${JSON.stringify(key)},${entryMembers(entry)}}`
}

export function entryMembers({ value, expiresAtMs, freshUntilMs, tags }: StoredEntry): string {
  const rest = JSON.stringify({
    ...(expiresAtMs === undefined ? {} : { expiresAt: showMoment(expiresAtMs) }),
    ...(freshUntilMs === undefined ? {} : { freshUntil: showMoment(freshUntilMs) }),
    ...(tags.length === 0 ? {} : { tags }),
  }).slice(1, -1)
  return `${valueMember(value)}${rest === '' ? '' : `,${rest}`}`
}
