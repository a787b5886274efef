/** An entry as members of JSON: in events, in lines of `at` and `diff`. */
import type { StoredEntry } from '../../cache/turns/stored-entry.js'
import { EncodedValue, type StoredValue } from '../../core/model/stored-value.js'
import { showMoment } from './quantities.js'
import { restoreToShow, showValue, toJson } from './show-value.js'

export function entryJson(key: string, entry: StoredEntry): string {
  return `{"key":${JSON.stringify(key)},${entryMembers(entry)}}`
}

/** The value, and of the deadline, the end of freshness and the tags those that there are. */
export function entryMembers({ value, expiresAtMs, freshUntilMs, tags }: StoredEntry): string {
  const rest = JSON.stringify({
    ...(expiresAtMs === undefined ? {} : { expiresAt: showMoment(expiresAtMs) }),
    ...(freshUntilMs === undefined ? {} : { freshUntil: showMoment(freshUntilMs) }),
    ...(tags.length === 0 ? {} : { tags }),
  }).slice(1, -1)
  return `${valueMember(value)}${rest === '' ? '' : `,${rest}`}`
}

function valueMember(stored: StoredValue): string {
  if (stored instanceof EncodedValue && (stored.encoding === 'bytes' || stored.encoding === 'buffer')) {
    return `"valueBase64":"${Buffer.from(stored.bytes).toString('base64')}"`
  }
  const value = restoreToShow(stored)
  const json = toJson(value)
  return json === undefined ? `"valueText":${JSON.stringify(showValue(value, { isFull: true }))}` : `"value":${json}`
}
